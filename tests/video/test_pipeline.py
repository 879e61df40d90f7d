import time
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from live_world import Person, World
from numpy.typing import NDArray

from core.errors import ConfigError
from core.types import FrameResult, Image
from core.video.answers import Seen
from core.video.pipeline import SLOW_NOTE, Pipeline, PipelineSettings
from core.video.protocols import Points

FRAME = 1 / 25
SAD = (0.0, 0.0, 5.0, 0.0, 0.0, 0.0)


class Player:
    def __init__(self, world: World, **settings: object) -> None:
        self.world = world
        self.pipeline = Pipeline(world, world, PipelineSettings(**settings), budget=0)  # type: ignore[arg-type]
        self.time = 0.0

    def step(self, frames: int = 1) -> FrameResult:
        for _ in range(frames):
            result = self.pipeline.process(self.world.frame(), self.time)
            self.time += FRAME
        return result


def test_an_empty_frame_gives_an_empty_result() -> None:
    result = Player(World()).step()

    assert (result.faces, result.searched, result.notes) == ((), True, ())
    assert (result.width, result.height) == (320, 240)


def test_the_first_frame_already_has_the_answer() -> None:
    person = Person(1, 160, 120, logits=SAD)
    face = Player(World([person])).step().faces[0]

    assert face.label == "sadness"
    assert face.prediction.probabilities == pytest.approx(
        np.exp(SAD) / np.exp(SAD).sum(), abs=1e-12
    )
    assert face.box.overlap(person.box) > 0.6
    assert face.explanation is not None
    assert face.explanation.map_of("sadness").max() == 5
    assert face.scale_of("sadness") == 5
    assert face.detected


def test_searching_happens_every_nth_frame_and_following_between() -> None:
    player = Player(World([Person(1, 160, 120)]), detect_every=4)

    searched = [player.step().searched for _ in range(9)]

    assert searched == [True, False, False, False] * 2 + [True]


def test_while_no_face_is_in_view_every_frame_is_searched() -> None:
    player = Player(World(), detect_every=10)
    player.step(3)
    player.world.people.append(Person(1, 160, 120))

    assert len(player.step().faces) == 1


def test_probabilities_approach_a_new_answer_smoothly_and_the_label_follows_soon() -> None:
    person = Person(1, 160, 120, logits=(5.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    player = Player(World([person]))
    player.step(50)
    person.logits = SAD

    first, *_, last = [player.step().faces[0] for _ in range(7)]  # 0.28 s

    assert first.instant[2] > 0.95
    assert first.prediction.probabilities[2] < 0.8
    assert first.prediction.probabilities.sum() == pytest.approx(1)
    assert (first.label, last.label) == ("happiness", "sadness")
    assert last.prediction.predicted == "sadness"


def test_without_smoothing_each_frame_stands_alone() -> None:
    person = Person(1, 160, 120)
    player = Player(World([person]), smoothing=0)
    player.step(10)
    person.logits = SAD

    face = player.step().faces[0]

    assert face.label == "sadness"
    assert face.prediction.probabilities == pytest.approx(face.instant)


def test_the_label_is_refreshed_every_fifth_frame_as_in_the_paper() -> None:
    person = Person(1, 160, 120)
    player = Player(World([person]), smoothing=0, label_every=5)
    player.step(1)
    person.logits = SAD

    labels = [player.step().faces[0].label for _ in range(5)]

    assert labels == ["happiness"] * 4 + ["sadness"]


def test_below_the_threshold_the_answer_is_unclear() -> None:
    face = Player(World([Person(1, 160, 120, logits=(0.1,) * 6)], threshold=0.5)).step().faces[0]

    assert face.label is None
    assert face.prediction.unclear


def test_settings_act_from_the_next_frame() -> None:
    player = Player(World([Person(1, 80, 120), Person(2, 240, 120)]))
    player.step(2)

    player.pipeline.settings = replace(
        player.pipeline.settings, method=None, max_faces=1, detect_every=1
    )
    result = player.step()

    assert len(result.faces) == 1
    assert result.faces[0].explanation is None


def test_a_network_whose_maps_need_a_backward_pass_is_explained_so_and_says_it() -> None:
    player = Player(World([Person(1, 160, 120)], closed_form=False))

    result = player.step()

    assert result.notes == (SLOW_NOTE,)
    assert result.faces[0].explanation is not None
    assert player.world.explained == ["expected_cam"]


def test_another_method_is_run_by_its_name() -> None:
    player = Player(World([Person(1, 160, 120)]), method="saliency")

    face = player.step().faces[0]

    assert face.explanation is not None
    assert face.explanation.method == "saliency"


def test_the_colour_scale_does_not_jump_with_each_frame() -> None:
    person = Person(1, 160, 120, logits=(8.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    player = Player(World([person]))
    player.step(5)
    person.logits = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    assert 7.5 < player.step().faces[0].scale_of("happiness") < 8
    assert player.step(400).faces[0].scale_of("happiness") == pytest.approx(1.0)


def test_another_methods_scale_begins_anew() -> None:
    person = Person(1, 160, 120, logits=(8.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    player = Player(World([person]))
    player.step(5)

    player.pipeline.settings = replace(player.pipeline.settings, method="saliency")

    assert player.step().faces[0].scale_of("happiness") == 1.0


def test_a_resting_face_becomes_the_zero() -> None:
    person = Person(1, 160, 120, logits=(0.0, 0.0, 0.0, 3.0, 0.0, 0.0))
    player = Player(World([person], threshold=0.5))
    player.step(5)
    player.pipeline.set_resting_face(active=True)
    collecting = player.step(30).faces[0]
    rested = player.step(100).faces[0]
    person.logits = (4.0, 0.0, 0.0, 3.0, 0.0, 0.0)
    smiling = player.step(25).faces[0]
    player.pipeline.set_resting_face(active=False)
    forgotten = player.step(50).faces[0]

    assert collecting.resting == pytest.approx(0.4, abs=0.02)
    assert collecting.label == "anger"
    assert (rested.resting, rested.label) == (1.0, None)
    assert smiling.label == "happiness"
    assert forgotten.resting is None


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.5])
def test_faces_keep_id_and_resting_face_in_frames_of_another_size(factor: float) -> None:
    first, second = Person(1, 80, 120), Person(2, 240, 120, logits=SAD)
    world = World([first])
    player = Player(world, detect_every=4)
    player.step(5)
    world.people = []
    player.step(100)  # so long that its id is given to nobody again
    world.people = [second]
    player.pipeline.set_resting_face(active=True)
    before = player.step(100).faces[0]
    frame = cv2.resize(world.frame(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    second.x, second.y, second.side = 240 * factor, 120 * factor, 80 * factor

    for number in range(6):
        result = player.pipeline.process(np.asarray(frame, np.uint8), player.time + number * FRAME)
        (face,) = result.faces
        assert (before.id, before.resting) == (2, 1.0) == (face.id, face.resting)
        assert face.box.overlap(second.box) > 0.6
        assert face.prediction.probabilities == pytest.approx(np.full(6, 1 / 6), abs=0.02)
    assert (result.width, result.height) == (320 * factor, 240 * factor)


def test_of_more_faces_than_are_wanted_the_same_ones_stay() -> None:
    people = [Person(1, 80, 120), Person(2, 240, 120)]
    player = Player(World(people), max_faces=1, detect_every=2)
    seen = set()
    for number in range(60):
        people[0].side, people[1].side = 80 + 5 * np.sin(number / 6), 80 - 5 * np.sin(number / 6)
        seen.add(player.step().faces[0].id)
    first, people[1].side = set(seen), 130  # one that comes much nearer is worth more

    nearer = player.step(5).faces[0].id
    people[1].side = 60
    back = player.step(5).faces[0].id

    assert first == {1}
    assert (nearer, back) == (2, 1)


def test_faces_of_a_picture_of_another_size_are_not_carried_into_it() -> None:
    player = Player(World([Person(1, 160, 120)]))
    player.step(3)

    result = player.pipeline.process(np.full((480, 640, 3), 20, np.uint8), player.time)

    assert (result.width, result.height) == (640, 480)
    assert result.searched


def test_equal_and_late_times_do_no_harm() -> None:
    player = Player(World([Person(1, 160, 120)]))
    for moment in (5.0, 5.0, 5.0, 400.0):
        result = player.pipeline.process(player.world.frame(), moment)

    assert np.isfinite(result.faces[0].prediction.probabilities).all()
    assert result.faces[0].face.landmarks is not None
    assert np.isfinite(result.faces[0].face.landmarks).all()


def test_a_slow_network_lowers_the_rate_of_searches() -> None:
    class Slow(World):
        def crop(self, image: Image, landmarks: Points) -> tuple[Image, NDArray[np.float64]]:
            time.sleep(0.012)
            return super().crop(image, landmarks)

    world = Slow([Person(1, 160, 120)])
    pipeline = Pipeline(world, world, PipelineSettings(detect_every=2), budget=0.005)

    searched = [pipeline.process(world.frame(), n * FRAME).searched for n in range(60)]

    assert sum(searched[:20]) > 1.5 * sum(searched[-20:])
    assert any(searched[-20:])


def test_the_image_given_is_not_written_to() -> None:
    world = World([Person(1, 160, 120)])
    image = world.frame()
    image.setflags(write=False)

    result = Pipeline(world, world).process(image, 0.0)

    assert result.faces


@pytest.mark.parametrize(
    "bad", [{"detect_every": 0}, {"smoothing": 1.5}, {"label_every": 0}, {"max_faces": 0}]
)
def test_settings_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        PipelineSettings(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("together", [3, 8, 40])
def test_frames_answered_together_get_the_answers_of_frames_one_by_one(together: int) -> None:
    def stream(world: World) -> Iterator[tuple[Image, float]]:
        one, other = Person(1, 80, 120), Person(2, 240, 120, logits=SAD)
        for number in range(40):
            world.people = [one] if 10 <= number < 16 else [one, other]
            one.x, one.logits = 80 + number, SAD if number > 20 else (3.0, 0, 0, 0, 0, 0)
            yield world.frame(), number / 5  # a second and more out of view: smoothing starts anew

    world = World()
    alone = Pipeline(world, world, PipelineSettings(), budget=0)
    expected = [alone.process(*each) for each in stream(world)]
    world = World()
    pipeline = Pipeline(world, world, PipelineSettings(), budget=0)
    seen: list[Seen] = []
    found: list[FrameResult] = []
    for number, (image, moment) in enumerate(stream(world)):
        seen.append(pipeline.see(image, moment))
        if (number + 1) % together == 0 or number == 39:
            found += pipeline.answer(seen)
            seen = []

    assert [len(result.faces) for result in found] == [len(result.faces) for result in expected]
    assert {face.id for result in found for face in result.faces} == {1, 2}
    for result, wanted in zip(found, expected, strict=True):
        for face, same in zip(result.faces, wanted.faces, strict=True):
            assert (face.id, face.label, face.box) == (same.id, same.label, same.box)
            np.testing.assert_array_equal(
                face.prediction.probabilities, same.prediction.probabilities
            )
            np.testing.assert_array_equal(face.scales, same.scales)
