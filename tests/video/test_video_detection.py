"""When to look for faces in a film, and what a quick look is believed."""

import numpy as np
from photos import sample_photo

from core.types import Box, Detection, Image
from core.video import CoreFaceFinder
from core.video.detection import FaceSearch, FrameBudget


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
