"""Where another scene begins in a film, and what is forgotten there."""

import numpy as np
from live_world import Person, World
from photos import sample_photo

from core.types import FrameResult, Image
from core.video.detection import SceneChange
from core.video.pipeline import Pipeline, PipelineSettings

FRAME = 1 / 25
HAPPY, SAD = (5.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 5.0, 0.0, 0.0, 0.0)


def scenes(*frames: Image) -> list[str]:
    change = SceneChange()
    return [change.look(np.ascontiguousarray(frame)) for frame in frames]


def test_another_picture_begins_a_scene_also_after_black() -> None:
    photo = sample_photo()
    noise = np.random.default_rng(2).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    other = np.kron(noise, np.ones((40, 40, 1), np.uint8))
    black = np.zeros_like(other)

    assert scenes(photo, photo, other, other, photo) == ["same", "same", "new", "same", "new"]
    assert scenes(photo, black, black, other) == ["same", "same", "same", "new"]
    assert scenes(photo, black, photo, photo) == ["same"] * 4


def test_a_single_damaged_frame_leads_back_to_the_scene_before_it() -> None:
    photo = sample_photo()
    smeared = np.concatenate([photo[:60], np.repeat(photo[60:61], len(photo) - 60, axis=0)])

    assert scenes(photo, smeared, photo, photo) == ["same", "new", "back", "same"]


def test_a_moving_camera_a_lamp_or_a_hand_begin_no_scene() -> None:
    photo = sample_photo()
    hand = photo.copy()
    hand[150:450, 100:350] = (200, 150, 120)

    moved = [photo[40:440, left : left + 400] for left in (0, 40, 70, 110, 80)]
    nearer = [photo[edge : 512 - edge, edge : 512 - edge] for edge in (0, 12, 24, 36)]
    lit = [photo // 3, photo // 2 + 90, photo]

    for frames in (moved, nearer, lit, [photo, hand, photo]):
        assert scenes(*frames) == ["same"] * len(frames)


class Furnished(World):
    """A world with a room in the background."""

    room = 1

    def frame(self) -> Image:
        coarse = np.random.default_rng(self.room).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        frame = np.kron(coarse, np.ones((40, 40, 1), np.uint8))
        for person in self.people:
            box = person.box
            frame[box.top : box.bottom, box.left : box.right] = person.picture()
        return np.asarray(frame, np.uint8)


class Film:
    def __init__(self, person: Person, budget: float = 0) -> None:
        self.world = Furnished([person])
        settings = PipelineSettings(detect_every=10)
        self.pipeline = Pipeline(self.world, self.world, settings, budget=budget)
        self.number = 0

    def step(self, room: int, frames: int = 1) -> FrameResult:
        self.world.room = room
        for _ in range(frames):
            result = self.pipeline.process(self.world.frame(), self.number * FRAME)
            self.number += 1
        return result


def test_after_a_cut_the_face_at_the_same_place_is_another_without_a_past() -> None:
    person = Person(1, 160, 120, logits=HAPPY)
    film = Film(person)
    before = film.step(1, frames=23).faces[0]
    person.logits = SAD  # and of the same look, so that following alone would go on

    after = film.step(2)

    assert after.searched
    assert [face.id for face in after.faces] == [before.id + 1]
    assert after.faces[0].label == "sadness"
    np.testing.assert_array_equal(after.faces[0].prediction.probabilities, after.faces[0].instant)


def test_after_a_single_damaged_frame_faces_are_those_of_before() -> None:
    film = Film(Person(1, 160, 120))
    before = film.step(1, frames=5).faces[0]
    film.step(2)

    assert [face.id for face in film.step(1, frames=3).faces] == [before.id]


def test_a_camera_has_no_cuts() -> None:
    film = Film(Person(1, 160, 120), budget=10)

    assert [[face.id for face in film.step(1 + n // 3).faces] for n in range(6)] == [[1]] * 6
