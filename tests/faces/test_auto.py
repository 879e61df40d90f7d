"""Small faces in large pictures, and walls that are none."""

import cv2
import numpy as np
import pytest
from skimage import data

from core.faces import auto, blazeface, detect, dlib_hog, find_faces
from core.faces.auto import sweep
from core.faces.blazeface import tile_starts
from core.types import Box, Detection, Image

Crowd = tuple[Image, tuple[tuple[int, int, int], ...]]


def test_windows_cover_a_length_evenly() -> None:
    assert tile_starts(100, 128, 46) == [0]
    assert tile_starts(128, 128, 46) == [0]
    assert tile_starts(129, 128, 46) == [0, 1]
    # 128 are left; two steps of at most 128 - 46 = 82
    assert tile_starts(256, 128, 46) == [0, 64, 128]


def test_faces_of_all_sizes_are_found_where_they_are(crowd: Crowd) -> None:
    image, places = crowd

    found = sweep(image)

    centres = [each.box.centre for each in found]
    assert len(found) == 4
    for (x, y, side), (found_x, found_y) in zip(places, centres, strict=True):
        assert np.hypot(found_x - x, found_y - y) < 0.1 * side


def test_one_look_misses_small_faces(crowd: Crowd) -> None:
    """If this fails the sweep may have become needless."""
    assert len(detect(crowd[0], "blazeface")) < 4


@pytest.mark.parametrize("name", ["brick", "coffee", "chelsea"])
def test_pictures_without_a_human_face_have_none(name: str) -> None:
    picture = np.asarray(getattr(data, name)(), np.uint8)
    image = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)

    assert detect(image, "auto") == ()


def test_small_faces_of_a_large_photo_are_found_where_they_are(head: Image) -> None:
    rng = np.random.default_rng(5)
    wall = cv2.resize(rng.integers(90, 160, (12, 16, 3), dtype=np.uint8), (1600, 1200))
    side = 80  # the face itself has about 37 pixels
    small = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA)
    places = [(300, 300), (800, 320), (1300, 900), (420, 850)]
    for x, y in places:
        wall[y - side // 2 : y + side // 2, x - side // 2 : x + side // 2] = small

    found = find_faces(np.asarray(wall, np.uint8), landmarks=False)

    assert len(found.faces) == len(places)
    centres = np.array([face.box.centre for face in found.faces])
    for place in places:
        assert np.hypot(*(centres - place).T).min() < 8
    assert found.turned == 0


def test_a_face_that_is_too_small_to_trust_is_said(head: Image) -> None:
    wall = np.full((400, 500, 3), 120, np.uint8)
    wall[100:160, 200:260] = cv2.resize(head, (60, 60), interpolation=cv2.INTER_AREA)

    found = find_faces(wall)

    (face,) = found.faces
    assert face.box.width < 32
    assert found.notes == (
        f"A face is small, {face.box.width} pixels wide; answers are dependable from about 32 "
        "pixels.",
    )


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_picture_on_its_side_is_turned_upright(photo: Image, turned: int) -> None:
    for upright in (photo[:300, 70:370], photo[20:200, 135:315]):
        check_turned(upright, turned)


def check_turned(upright: Image, turned: int) -> None:
    found = find_faces(np.ascontiguousarray(np.rot90(upright, turned // 90)))

    (face,) = found.faces
    assert found.turned == turned
    np.testing.assert_array_equal(found.image, upright)
    assert face.box == find_faces(upright).faces[0].box


def test_a_picture_too_large_for_its_smallest_faces_says_so() -> None:
    found = find_faces(np.full((100, 5200, 3), 90, np.uint8))

    assert found.faces == ()
    assert "Faces under 48 pixels are not seen" in found.notes[-1]  # 24 * 5200 / 2600


def test_the_sleeve_of_the_suit_is_no_face(photo: Image) -> None:
    for scale in (1, 2):
        large = cv2.resize(photo, (512 * scale, 512 * scale))

        assert len(detect(np.asarray(large, np.uint8), "auto")) == 1
        assert len(find_faces(np.asarray(large, np.uint8), landmarks=False).faces) == 1


def seen_at(box: Box, score: float) -> Detection:
    return Detection(box, score, blazeface.NAME)


def test_dlib_is_asked_only_where_second_looks_see_a_face_beside_the_found(pair: Image) -> None:
    large, small = detect(pair, "auto")
    faint = seen_at(small.box, 0.31)
    wall = seen_at(Box(60, 0, 130, 40), 0.9)  # above the smaller head, grey

    assert auto._doubtful(pair, (large,), [faint])
    assert not auto._doubtful(pair, (large,), [wall])
    assert not auto._doubtful(pair, (large, small), [faint])  # that one is found


def test_what_is_too_small_for_dlib_raises_no_doubt(pair: Image) -> None:
    """Its smallest box has 73 pixels; twice as many in a picture that is shrunk to half."""
    wide = cv2.resize(pair, (2000, 1091))
    large, small = detect(np.asarray(wide, np.uint8), "auto")

    assert dlib_hog.least_box(np.asarray(wide, np.uint8)) == 146
    assert dlib_hog.least_box(pair) == 73
    assert dlib_hog.least_box(pair[:, :400]) == 36.5  # doubled
    x, y = (round(edge) for edge in small.box.centre)
    tiny = seen_at(Box(x - 50, y - 50, x + 50, y + 50), 0.9)  # 100 are less than 3/4 of 146
    assert not auto._doubtful(np.asarray(wide, np.uint8), (large,), [tiny])


def test_a_lone_sure_face_asks_dlib_nothing(head: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = np.full((480, 640, 3), (90, 110, 120), np.uint8)
    wall[100:320, 200:420] = head
    asked: list[Image] = []

    def ask(image: Image) -> tuple[Detection, ...]:
        asked.append(image)
        return ()

    monkeypatch.setattr(dlib_hog, "detect", ask)

    (found,) = detect(wall, "auto")

    assert found.box.overlap(Box(263, 163, 357, 259)) > 0.6  # `face_box`, moved by 85, 85
    assert asked == []
    assert detect(np.full((480, 640, 3), 90, np.uint8), "auto") == ()
    assert len(asked) == 1  # where nothing is found


def test_views_end_when_their_mean_cannot_be_enough(
    photo: Image, face_box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores: list[float] = []

    def next_view(*_: object) -> Detection | None:
        score = scores.pop(0)
        return seen_at(face_box, score) if score else None

    monkeypatch.setattr(auto, "_seen", next_view)
    kinds = [(1.4, False)] * 4

    scores[:] = [0.75, 0, 1.0, 0.5]
    seen = auto._views(photo, face_box, kinds, 0.5625)  # their mean
    assert [each.score for each in seen] == [0.75, 1.0, 0.5]

    scores[:] = [0.75, 0, 1.0, 0.5]
    assert auto._views(photo, face_box, kinds, 0.7) == []  # (0.75 + 0 + 1 + 1) / 4 = 0.6875 at most
    assert scores == [1.0, 0.5]  # the last two views were not taken
