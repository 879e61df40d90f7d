"""Small faces in large pictures, and walls that are none."""

import cv2
import numpy as np
import pytest
from skimage import data

from core.faces import detect, find_faces
from core.faces.auto import sweep
from core.faces.blazeface import tile_starts
from core.types import Image

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
