"""When to look for faces in a film, and what a quick look is believed."""

import numpy as np
from photos import sample_photo

from core.types import Box, Detection, Image
from core.video import CoreFaceFinder
from core.video.detection import FaceSearch, FrameBudget, SceneChange


def test_a_film_over_a_suit_shows_no_face_in_it() -> None:
    """A quick look alone sees one at 21 of these 30 places."""
    suit: Image = np.ascontiguousarray(sample_photo()[240:, ::-1])
    search = FaceSearch(CoreFaceFinder())

    seen = [
        search.search(np.ascontiguousarray(suit[top:, left : left + 320]), (), "auto")
        for top in (0, 32)
        for left in range(0, 193, 13)
    ]

    assert [len(one) for one in seen] == [0] * 30


def test_an_unsure_look_is_believed_where_a_face_is_being_followed() -> None:
    class Finder(CoreFaceFinder):
        def detect(self, image: Image, detector: str) -> list[Detection]:
            return [Detection(Box(10, 10, 60, 60), 0.6, "blazeface")] if detector != "auto" else []

    search, frame = FaceSearch(Finder()), np.zeros((90, 90, 3), np.uint8)
    search.search(frame, (), "auto")  # the first search is a thorough one

    assert search.search(frame, [Box(12, 10, 62, 60)], "auto")
    assert not search.search(frame, [], "auto")


def test_thorough_searches_in_vain_become_half_as_many_until_a_face_is_new() -> None:
    class Finder(CoreFaceFinder):
        faces: tuple[Detection, ...] = (Detection(Box(10, 10, 60, 60), 0.9, "blazeface"),)

        def detect(self, image: Image, detector: str) -> tuple[Detection, ...]:
            thorough.append(detector == "auto")
            return self.faces

    thorough: list[bool] = []
    finder, frame = Finder(), np.zeros((90, 90, 3), np.uint8)
    search = FaceSearch(finder)
    for _ in range(41):
        search.search(frame, [Box(12, 10, 62, 60)], "auto")
    at = [number for number, one in enumerate(thorough) if one]
    assert at == [0, 5, 10, 20, 30, 40]

    finder.faces += (Detection(Box(70, 70, 85, 85), 0.9, "haar"),)
    thorough.clear()
    for _ in range(16):
        search.search(frame, [Box(12, 10, 62, 60)], "auto")
    assert [number for number, one in enumerate(thorough) if one] == [9, 14]


def searches(pace: FrameBudget, frames: int, wanted: int, seconds: float) -> int:
    count = 0
    for _ in range(frames):
        if pace.due(wanted):
            pace.searched()
            count += 1
        pace.spent(seconds)
    return count


def test_with_time_to_spare_every_nth_frame_is_searched() -> None:
    assert searches(FrameBudget(0.033), frames=50, wanted=5, seconds=0.01) == 10


def test_frames_over_budget_are_searched_more_rarely_but_still_searched() -> None:
    pace = FrameBudget(0.033)
    searches(pace, frames=50, wanted=5, seconds=0.05)

    assert pace.stretch == 4
    assert searches(pace, frames=100, wanted=5, seconds=0.05) == 5


def test_it_recovers() -> None:
    pace = FrameBudget(0.033)
    searches(pace, frames=50, wanted=5, seconds=0.05)
    searches(pace, frames=100, wanted=5, seconds=0.01)

    assert pace.stretch == 1


def test_a_file_takes_the_time_it_takes() -> None:
    assert searches(FrameBudget(0), frames=50, wanted=5, seconds=9.0) == 10


def scenes(*frames: Image) -> list[bool]:
    change = SceneChange()
    return [change.begins(np.ascontiguousarray(frame)) for frame in frames]


def test_another_picture_begins_a_scene_also_after_black() -> None:
    photo = sample_photo()
    noise = np.random.default_rng(2).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    other = np.kron(noise, np.ones((40, 40, 1), np.uint8))
    black = np.zeros_like(other)

    assert scenes(photo, photo, other, other, photo) == [False, False, True, False, True]
    assert scenes(photo, black, black, other) == [False, False, False, True]
    assert scenes(photo, black, photo, photo) == [False] * 4


def test_a_moving_camera_a_lamp_or_a_hand_begin_no_scene() -> None:
    photo = sample_photo()
    hand = photo.copy()
    hand[150:450, 100:350] = (200, 150, 120)

    moved = [photo[40:440, left : left + 400] for left in (0, 40, 70, 110, 80)]
    nearer = [photo[edge : 512 - edge, edge : 512 - edge] for edge in (0, 12, 24, 36)]
    lit = [photo // 3, photo // 2 + 90, photo]

    for frames in (moved, nearer, lit, [photo, hand, photo]):
        assert scenes(*frames) == [False] * len(frames)
