"""Maps over faces and photos: right place, right blend, nothing where there is no evidence."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.drawing.colour_maps import colour_table
from core.drawing.overlays import heat_image, overlay, paste_overlay
from core.errors import ExplainError
from core.types import Box, Detection, Face, Image


def grey(height: int, width: int, value: int = 100) -> Image:
    return np.full((height, width, 3), value, dtype=np.uint8)


def face_at(matrix: NDArray[np.float64], size: int = 16) -> Face:
    return Face(Detection(Box(0, 0, 1, 1), 1.0, "test"), grey(size, size), matrix)


def test_a_heat_image_has_the_colours_of_its_values() -> None:
    picture = heat_image(np.array([[0.0, 2.0]], dtype=np.float32), 4.0, (1, 2))

    table = colour_table("inferno")
    np.testing.assert_array_equal(picture[0], [table[0], table[128]])


def test_a_blank_map_has_one_colour_and_leaves_the_face_alone() -> None:
    blank = np.zeros((4, 4), dtype=np.float32)
    crop = grey(64, 64)

    assert np.unique(heat_image(blank, 0.0, 64).reshape(-1, 3), axis=0).tolist() == [[0, 0, 4]]
    for colours in ("inferno", "jet", "diverging"):
        covered = overlay(crop, blank, 0.0, 0.5, colours)
        np.testing.assert_array_equal(covered, crop)
        assert covered is not crop


def test_an_overlay_mixes_face_and_colour_by_opacity() -> None:
    full = np.ones((1, 1), dtype=np.float32)
    hottest = colour_table("inferno")[-1].astype(float)

    for opacity in (0.0, 0.25, 1.0):
        covered = overlay(grey(8, 8), full, 1.0, opacity)
        expected = np.rint(100 * (1 - opacity) + hottest * opacity)
        np.testing.assert_array_equal(covered, np.broadcast_to(expected, (8, 8, 3)))


def test_cold_areas_show_the_photo_except_in_jet() -> None:
    half = np.array([[0.0, 1.0]], dtype=np.float32)

    faded = overlay(grey(2, 2), half, 1.0, 0.5)
    jet = overlay(grey(2, 2), half, 1.0, 0.5, "jet")

    np.testing.assert_array_equal(faded[:, 0], grey(2, 1)[:, 0])
    np.testing.assert_array_equal(jet[0, 0], np.rint([50, 50, 50 + 64]))


def test_a_network_that_saw_only_the_middle_is_drawn_there() -> None:
    covered = overlay(grey(48, 48), np.ones((3, 3), dtype=np.float32), 1.0, 1.0, coverage=44 / 48)

    touched = (covered != 100).any(axis=2)
    assert touched[2:46, 2:46].all()
    touched[2:46, 2:46] = False
    assert not touched.any()


def test_the_map_returns_to_the_place_of_a_turned_face() -> None:
    # The crop is the picture turned by 30 degrees about (40, 30) and enlarged twice.
    matrix = cv2.getRotationMatrix2D((40, 30), 30, 2.0)
    matrix[:, 2] += np.array([8, 8]) - np.array([40, 30])
    evidence = np.zeros((16, 16), dtype=np.float32)
    evidence[4, 11] = 1.0
    face = face_at(np.asarray(matrix, dtype=np.float64))

    pasted = paste_overlay(grey(60, 80), face, evidence, 1.0, 1.0, "jet")
    glowing = paste_overlay(grey(60, 80, 0), face, evidence, 1.0, 1.0).sum(axis=2)

    row, column = np.unravel_index(int(glowing.argmax()), glowing.shape)
    back = cv2.invertAffineTransform(matrix) @ [11, 4, 1]
    assert np.hypot(column - back[0], row - back[1]) <= 0.75
    # Outside the face's turned square nothing changed.
    ys, xs = np.nonzero((pasted != 100).any(axis=2))
    inside = matrix @ np.stack([xs, ys, np.ones_like(xs)])
    assert inside.min() > -1
    assert inside.max() < 16
    assert len(xs) == pytest.approx(16 * 16 / 4, rel=0.25)


def test_a_face_over_the_edge_is_drawn_as_far_as_the_picture_goes() -> None:
    matrix = np.array([[1.0, 0, 8], [0, 1.0, 8]])  # picture (0, 0) is the crop's middle
    ones = np.ones((4, 4), dtype=np.float32)

    pasted = paste_overlay(grey(20, 20), face_at(matrix), ones, 1.0, 1.0)

    touched = (pasted != 100).any(axis=2)
    assert touched[:8, :8].all()
    assert not touched[9:, :].any()
    assert not touched[:, 9:].any()


def test_a_face_outside_the_picture_changes_nothing() -> None:
    matrix = np.array([[1.0, 0, 500], [0, 1.0, 500]])
    picture = grey(20, 20)

    pasted = paste_overlay(picture, face_at(matrix), np.ones((4, 4), dtype=np.float32), 1.0)

    np.testing.assert_array_equal(pasted, picture)


def test_what_was_given_is_not_written_into() -> None:
    picture, crop = grey(20, 20), grey(16, 16)
    evidence = np.ones((4, 4), dtype=np.float32)
    matrix = np.array([[1.0, 0, 0], [0, 1.0, 0]])

    paste_overlay(picture, face_at(matrix), evidence, 1.0)
    overlay(crop, evidence, 1.0)

    assert (picture == 100).all()
    assert (crop == 100).all()
    assert (evidence == 1).all()


def test_an_opacity_out_of_range_is_refused() -> None:
    with pytest.raises(ExplainError, match=r"Opacity is 1\.5"):
        overlay(grey(4, 4), np.ones((2, 2), dtype=np.float32), 1.0, 1.5)
