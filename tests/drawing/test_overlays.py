"""Maps over faces and photos: right place, right blend, nothing where there is no evidence."""

from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.drawing.colour_maps import AGAINST, FOR, NEITHER, ColourMap, colour_table
from core.drawing.overlays import OPACITY, heat_image, lay_over, overlay
from core.errors import ExplainError
from core.types import Box, Detection, Face, Image


def grey(height: int, width: int, value: int = 100) -> Image:
    return np.full((height, width, 3), value, dtype=np.uint8)


def face_at(matrix: NDArray[np.float64], size: int = 16) -> Face:
    return Face(Detection(Box(0, 0, 1, 1), 1.0, "test"), grey(size, size), matrix)


def laid_over(
    picture: Image,
    face: Face,
    evidence: NDArray[np.float32],
    opacity: float = OPACITY,
    colours: ColourMap = "diverging",
) -> Image:
    """A copy of the picture with the map on its face, at a scale of 1."""
    canvas = picture.copy()
    lay_over(canvas, face, evidence, 1.0, opacity, colours, coverage=1.0)
    return canvas


def test_a_heat_image_has_the_colours_of_its_values() -> None:
    evidence = np.array([[0.0, 2.0]], dtype=np.float32)

    for colours in ("violet", "inferno"):
        table = colour_table(colours)
        picture = heat_image(evidence, 4.0, (1, 2), colours)
        np.testing.assert_array_equal(picture[0], [table[0], table[128]])


def test_a_blank_map_has_one_colour_and_leaves_the_face_alone() -> None:
    blank = np.zeros((4, 4), dtype=np.float32)
    crop = grey(64, 64)

    assert np.unique(heat_image(blank, 0.0, 64).reshape(-1, 3), axis=0).tolist() == [list(NEITHER)]
    for colours in get_args(ColourMap):
        covered = overlay(crop, blank, 0.0, 0.5, colours)
        np.testing.assert_array_equal(covered, crop)
        assert covered is not crop


def test_opacity_is_the_share_of_the_scale() -> None:
    evidence = np.array([[0.0, 0.5, 1.0, 3.0, -1.0, -2.0]], dtype=np.float32)
    shares = np.array([0.0, 0.25, 0.5, 1.0, 0.5, 1.0])  # of a scale of 2
    inks = np.array([FOR, FOR, FOR, FOR, AGAINST, AGAINST])

    for opacity in (0.0, 0.4, 1.0):
        drawn = overlay(grey(1, 6), evidence, 2.0, opacity)

        mixed = 100 + opacity * shares[:, None] * (inks - 100.0)
        np.testing.assert_allclose(drawn[0], mixed, atol=0.51)
        np.testing.assert_array_equal(drawn[0, 0], (100, 100, 100))


def test_more_evidence_changes_the_face_more() -> None:
    ramp = np.linspace(0, 1, 40, dtype=np.float32)[None]

    for sign in (1, -1):
        drawn = overlay(grey(1, 40, 130), sign * ramp, 1.0).astype(int)
        change = np.abs(drawn - 130).sum(axis=2)[0]
        assert np.diff(change).min() >= 0
        assert change[0] == 0
        assert change[-1] > 100


def test_other_colour_maps_fade_as_well() -> None:
    half = np.array([[0.0, 1.0]], dtype=np.float32)

    for colours in ("inferno", "viridis", "cividis"):
        drawn = overlay(grey(1, 2), half, 1.0, 0.5, colours)
        strongest = colour_table(colours)[-1].astype(float)
        np.testing.assert_array_equal(drawn[0, 0], (100, 100, 100))
        # 177.5 may become 177 or 178
        np.testing.assert_allclose(drawn[0, 1], (100 + strongest) / 2, atol=0.5)


def test_only_jet_covers_cold_areas_and_has_no_line() -> None:
    blob = np.zeros((8, 8), dtype=np.float32)
    blob[2:4, 2:4] = 1.0

    jet = overlay(grey(96, 96), blob, 1.0, 0.5, "jet")

    cold = np.rint([50, 50, 50 + 64])
    np.testing.assert_array_equal(jet[90, 90], cold)
    expected = 50 + heat_image(blob, 1.0, 96, "jet") / 2
    np.testing.assert_allclose(jet, expected, atol=0.51)


def lines_of(drawn: Image, evidence: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels that are not the mixture of a grey of 100 and the colours of evidence."""
    height, width = drawn.shape[:2]
    values = cv2.resize(evidence, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    mixed = 100 + OPACITY * np.abs(values) * (np.where(values < 0, AGAINST, FOR) - 100.0)
    return np.asarray(np.abs(drawn - mixed).max(axis=2) > 2)


@pytest.mark.parametrize("side", [64, 112, 256, 512])
def test_a_line_goes_around_the_strongest_place_at_every_size(side: int) -> None:
    evidence = np.zeros((32, 32), dtype=np.float32)
    evidence[18:25, 6:15] = 1.0
    evidence[3:5, 25:27] = 0.4

    line = lines_of(overlay(grey(side, side), evidence, 1.0), evidence)

    each = side / 32
    rows, columns = np.nonzero(line)
    assert 18 * each > rows.min() > 13 * each
    assert 25 * each - 1 < rows.max() < 30 * each
    assert 6 * each > columns.min() > 1 * each
    assert 15 * each - 1 < columns.max() < 20 * each
    inside = np.zeros((side, side), dtype=np.uint8)
    edges, _ = cv2.findContours(line.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    assert len(edges) == 1  # closed, and only one
    cv2.drawContours(inside, edges, -1, 1, cv2.FILLED)
    planted = np.zeros((side, side), dtype=bool)
    planted[round(18 * each) : round(25 * each), round(6 * each) : round(15 * each)] = True
    assert (inside[planted] == 1).all()
    assert line.mean() < 0.12  # thin


@pytest.mark.parametrize("skin", [20, 100, 235])
def test_lines_stand_out_from_dark_and_light_skin(skin: int) -> None:
    evidence = np.zeros((32, 32), dtype=np.float32)
    evidence[5:11, 5:11], evidence[20:26, 18:24] = 1.0, -1.0
    plain = grey(256, 256, skin)

    drawn = overlay(plain, evidence, 1.0).astype(int)

    for place in (np.s_[:128], np.s_[128:]):
        assert drawn[place].min() < 30
        assert drawn[place].min(axis=2).max() > 225


def test_a_line_against_is_broken() -> None:
    evidence = np.zeros((32, 32), dtype=np.float32)
    evidence[10:20, 10:20] = 1.0

    whole = lines_of(overlay(grey(256, 256), evidence, 1.0), evidence)
    broken = lines_of(overlay(grey(256, 256), -evidence, 1.0), -evidence)

    pieces = [cv2.connectedComponents(line.astype(np.uint8))[0] - 1 for line in (whole, broken)]
    assert pieces[0] == 1
    assert pieces[1] > 8


def test_photo_and_face_have_the_same_line() -> None:
    evidence = np.zeros((32, 32), dtype=np.float32)
    evidence[18:25, 6:15] = 1.0
    matrix = np.array([[1.0, 0, -30], [0, 1.0, -20]])  # the face lies at (30, 20), as large

    alone = overlay(grey(128, 128), evidence, 1.0)
    pasted = laid_over(grey(200, 220), face_at(matrix, 128), evidence)

    apart = np.abs(pasted[20:148, 30:158].astype(int) - alone).max(axis=2)
    assert (apart > 3).mean() < 0.002  # but for roundings of the line's smooth edge
    assert (pasted[:18] == 100).all()


def test_evenness_weakness_and_small_faces_have_no_line() -> None:
    even = np.ones((8, 8), dtype=np.float32)
    weak = np.zeros((8, 8), dtype=np.float32)
    weak[3, 3] = 0.02
    strong = weak * 50

    assert not lines_of(overlay(grey(96, 96), even, 1.0), even).any()
    assert not lines_of(overlay(grey(96, 96), weak, 1.0), weak).any()
    assert not lines_of(overlay(grey(40, 40), strong, 1.0), strong).any()
    assert lines_of(overlay(grey(96, 96), strong, 1.0), strong).any()


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

    pasted = laid_over(grey(60, 80), face, evidence, 1.0, "jet")
    glowing = laid_over(grey(60, 80, 0), face, evidence, 1.0).sum(axis=2)

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

    pasted = laid_over(grey(20, 20), face_at(matrix), ones, 1.0)

    touched = (pasted != 100).any(axis=2)
    assert touched[:8, :8].all()
    assert not touched[9:, :].any()
    assert not touched[:, 9:].any()


def test_a_face_outside_the_picture_changes_nothing() -> None:
    matrix = np.array([[1.0, 0, 500], [0, 1.0, 500]])
    picture = grey(20, 20)

    pasted = laid_over(picture, face_at(matrix), np.ones((4, 4), dtype=np.float32))

    np.testing.assert_array_equal(pasted, picture)


def test_what_was_given_is_not_written_into() -> None:
    crop = grey(16, 16)
    evidence = np.ones((4, 4), dtype=np.float32)
    face = face_at(np.array([[1.0, 0, 0], [0, 1.0, 0]]))

    laid_over(grey(20, 20), face, evidence)
    overlay(crop, evidence, 1.0)

    assert (face.crop == 100).all()
    assert (face.matrix == [[1, 0, 0], [0, 1, 0]]).all()
    assert (crop == 100).all()
    assert (evidence == 1).all()


def test_an_opacity_out_of_range_is_refused() -> None:
    with pytest.raises(ExplainError, match=r"Opacity is 1\.5"):
        overlay(grey(4, 4), np.ones((2, 2), dtype=np.float32), 1.0, 1.5)
