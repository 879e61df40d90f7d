import cv2
import numpy as np
import pytest
from live_world import HEIGHT, SHAPE, WIDTH, Person, World

from core.types import Box, Detection, Image
from core.video.protocols import Points
from core.video.tracking import Tracker, carried, face_square, surroundings

FRAME = 1 / 25


class Stream:
    """Feeds a tracker, searching every n-th frame."""

    def __init__(self, world: World, every: int = 5) -> None:
        self.world, self.every = world, every
        self.tracker = Tracker(world)
        self.number = 0

    def step(self) -> dict[int, tuple[float, float]]:
        """Ids and the centres of their boxes at the next frame."""
        image, now = self.world.frame(), self.number * FRAME
        complete = self.tracker.follow(image, now)
        if self.number % self.every == 0 or not complete:
            self.tracker.meet(image, self.world.detect(image, "any"), now, most=8)
        self.number += 1
        return {track.id: track.box.centre for track in self.tracker.tracks}


def test_the_square_of_a_shape_is_where_it_was_put() -> None:
    square = face_square((SHAPE * 100 + np.array([50.0, 70.0])).astype(np.float32))

    assert (square.left, square.top, square.right, square.bottom) == (0, 20, 100, 120)


def test_a_moving_face_is_followed_between_searches_and_keeps_its_id() -> None:
    person = Person(1, 80, 100)
    stream = Stream(World([person]), every=10)

    for _ in range(40):
        places = stream.step()
        assert list(places) == [1]
        assert places[1] == pytest.approx((person.x, person.y), abs=1)
        person.x += 4

    assert stream.world.searches == 4


def test_two_faces_keep_their_ids_in_any_order_of_size() -> None:
    left, right = Person(1, 80, 100, side=90), Person(2, 230, 100, side=70)
    stream = Stream(World([left, right]))
    before = stream.step()

    for _ in range(30):
        left.side -= 0.8
        right.side += 0.8
        after = stream.step()

    assert {key: round(x) for key, (x, _) in before.items()} == {1: 80, 2: 230}
    assert {key: round(x) for key, (x, _) in after.items()} == {1: 80, 2: 230}
    assert stream.tracker.tracks[0].id == 2  # largest first


def test_a_face_that_left_is_gone_at_once_and_gets_its_id_back_when_it_returns() -> None:
    person = Person(1, 160, 120)
    stream = Stream(World([person]))
    stream.step()
    stream.world.people.clear()

    gone = stream.step()
    for _ in range(10):
        stream.step()
    stream.world.people.append(person)
    back = [stream.step() for _ in range(5)]

    assert gone == {}
    assert list(back[-1]) == [1]


def test_a_face_that_comes_much_later_or_elsewhere_is_another() -> None:
    person = Person(1, 80, 120)
    stream = Stream(World([person]))
    stream.step()
    stream.world.people.clear()
    for _ in range(10):
        stream.step()
    stream.world.people.append(Person(2, 280, 120))
    elsewhere = [stream.step() for _ in range(5)][-1]
    stream.world.people.clear()
    for _ in range(80):
        stream.step()
    stream.world.people.append(person)
    later = [stream.step() for _ in range(5)][-1]

    assert list(elsewhere) == [2]
    assert list(later) == [3]


def test_a_jump_farther_than_following_reaches_is_found_by_searching() -> None:
    person = Person(1, 80, 120)
    stream = Stream(World([person]), every=1000)
    stream.step()

    person.x += 70
    after = stream.step()

    assert after[1] == pytest.approx((150, 120), abs=1)


def test_a_face_no_detector_confirms_is_given_up() -> None:
    person = Person(1, 160, 120)
    stream = Stream(World([person]), every=5)
    for _ in range(6):
        stream.step()
    stream.world.blind = True

    shown = [len(stream.step()) for _ in range(20)]

    assert shown[:9] == [1] * 9  # two searches without it are forgiven
    assert shown[-1] == 0


def test_a_face_found_once_and_never_again_is_given_up_at_the_next_search() -> None:
    stream = Stream(World([Person(1, 160, 120)]), every=5)
    stream.step()
    stream.world.blind = True

    assert [len(stream.step()) for _ in range(5)] == [1, 1, 1, 1, 0]


def test_only_the_largest_are_kept() -> None:
    people = [Person(n, 40 + 60 * n, 120, side=30 + 5 * n) for n in range(4)]
    world = World(people)
    tracker = Tracker(world)
    image = world.frame()

    tracker.meet(image, world.detect(image, "any"), 0.0, most=2)

    assert [track.box.width for track in tracker.tracks] == [45, 40]


def test_two_boxes_on_one_face_become_one_track() -> None:
    world = World([Person(1, 100, 100), Person(1, 104, 102)])
    tracker = Tracker(world)
    image = world.frame()

    tracker.meet(image, world.detect(image, "any"), 0.0, most=8)

    assert [track.id for track in tracker.tracks] == [1]


def test_a_face_walking_out_of_the_frame_is_let_go() -> None:
    person = Person(1, WIDTH - 60, HEIGHT // 2)
    stream = Stream(World([person]), every=1000)
    seen = []
    for _ in range(30):
        seen.append(len(stream.step()))
        person.x += 8
        if person.box.right > WIDTH + 40:
            stream.world.blind = True

    assert seen[0] == 1
    assert seen[-1] == 0


class Counted(World):
    """Notes the frames at which landmarks are fitted, and to which face."""

    def __init__(self, people: list[Person]) -> None:
        super().__init__(people)
        self.fits: list[float] = []

    def landmarks(self, image: Image, detection: Detection) -> Points:
        points = super().landmarks(image, detection)
        self.fits.append(round(float(points[:, 0].mean())))
        return points


def _fits(stream: Stream, frames: int, right: float = 0.0) -> list[list[float]]:
    world = stream.world
    assert isinstance(world, Counted)
    found = []
    for _ in range(frames):
        world.fits = []
        stream.step()
        found.append(world.fits)
        for person in world.people:
            person.x += right
    return found


def test_landmarks_are_fitted_at_every_second_frame_and_carried_between() -> None:
    person = Person(1, 80, 100)
    stream = Stream(Counted([person]))
    _fits(stream, 2, right=3)

    fitted = []
    for _ in range(12):
        fitted.append(len(_fits(stream, 1)[0]))
        points = stream.tracker.tracks[0].landmarks
        np.testing.assert_allclose(points, SHAPE * 80 + (person.x, person.y), atol=0.4)
        person.x += 3

    assert fitted in ([1, 0] * 6, [0, 1] * 6)


def test_several_faces_are_fitted_in_turn() -> None:
    people = [Person(1, 80, 60, side=70), Person(2, 80, 180, side=60)]
    stream = Stream(Counted(people))
    _fits(stream, 2)

    assert [len(fits) for fits in _fits(stream, 8)] == [1] * 8


def test_a_fast_face_is_fitted_at_every_frame() -> None:
    stream = Stream(Counted([Person(1, 60, 100)]), every=1000)
    _fits(stream, 2, right=12)

    assert [len(fits) for fits in _fits(stream, 8, right=12)] == [1] * 8  # 12 of 80 pixels a frame


def test_a_face_that_changed_too_much_to_be_carried_is_fitted() -> None:
    person = Person(1, 160, 120)
    stream = Stream(Counted([person]), every=1000)
    _fits(stream, 2)
    counts = []
    for texture in range(2, 6):
        person.texture = texture
        stream.tracker.tracks[0].patch = np.ones((24, 24), np.float32)  # unlike any picture
        counts.append(len(_fits(stream, 1)[0]))

    assert min(counts) >= 1


def _clouds(seed: int = 3) -> Image:
    """A picture that is soft enough to be moved by parts of a pixel."""
    dice = np.random.default_rng(seed)
    coarse = dice.integers(0, 255, (40, 50), dtype=np.uint8)
    smooth = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_GRAY2RGB), np.uint8)


@pytest.mark.parametrize("side", [60, 100, 200])  # the last is shrunk
def test_points_are_carried_to_where_the_next_frame_shows_their_surroundings(side: int) -> None:
    image = _clouds()
    matrix = np.array([(0.9962, -0.0436, 5.3), (0.0436, 0.9962, -4.6)])  # 2.5 degrees, and a shift
    moved = np.asarray(cv2.warpAffine(image, matrix, (WIDTH, HEIGHT)), np.uint8)
    points = (SHAPE * side + (160, 120)).astype(np.float32)

    found = carried(surroundings(image, face_square(points)), moved, points, np.zeros(2))

    assert found is not None
    expected = points @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(found, expected, atol=0.01 * side)


def test_points_on_another_picture_or_on_none_are_not_carried() -> None:
    image = _clouds()
    points = (SHAPE * 100 + (160, 120)).astype(np.float32)
    around = surroundings(image, face_square(points))

    assert carried(around, _clouds(4), points, np.zeros(2)) is None
    assert carried(around, np.zeros_like(image), points, np.zeros(2)) is None


def test_points_that_go_astray_are_moved_with_the_others() -> None:
    image = _clouds()
    moved = np.roll(image, 3, axis=1)
    points = (SHAPE * 100 + (160, 120)).astype(np.float32)
    left, top = np.rint(points[10]).astype(int) - 12
    moved[top : top + 24, left : left + 24] = np.roll(image, -6, axis=1)[
        top : top + 24, left : left + 24
    ]

    found = carried(surroundings(image, face_square(points)), moved, points, np.zeros(2))

    assert found is not None
    right = found - points - np.array((3.0, 0.0))
    assert np.hypot(*right.T).max() < 4  # a twenty-fifth of the face, not the 9 pixels of the patch
    assert np.median(np.abs(right)) < 0.05


def test_a_face_at_the_edge_or_beyond_it_has_surroundings_too() -> None:
    image = _clouds()

    for corner in ((-60, -50), (WIDTH - 30, HEIGHT - 20), (2000, 2000)):
        square = Box(corner[0], corner[1], corner[0] + 100, corner[1] + 101)
        grey, box = surroundings(image, square)
        assert grey.shape == (160, 160)
        assert (box.left, box.top, box.width, box.height) == (
            corner[0] - 30, corner[1] - 30, 160, 160
        )  # fmt: skip
    assert surroundings(image, Box(0, 0, 200, 200))[0].shape == (205, 205)  # 1.6 times 128
