import numpy as np
import pytest
from live_world import HEIGHT, SHAPE, WIDTH, Person, World

from core.video.tracking import Tracker, face_square

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
