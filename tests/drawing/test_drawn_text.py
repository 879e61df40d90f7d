"""Letters on pixels, and where labels and panels go."""

import numpy as np
import pytest

from core.drawing.text import (
    BLACK,
    WHITE,
    above,
    beside,
    ink_for,
    line_height,
    text_width,
    write_text,
)
from core.types import Box

FRAME = Box(0, 0, 640, 480)


def test_a_panel_stands_right_of_its_face() -> None:
    face = Box(100, 100, 200, 200)

    assert beside(face, 150, 120, FRAME, [face], []) == (Box(204, 100, 354, 220), 0)


def test_at_the_right_edge_it_stands_left() -> None:
    face = Box(500, 100, 630, 230)

    assert beside(face, 150, 120, FRAME, [face], []) == (Box(346, 100, 496, 220), 0)


def test_between_two_faces_it_goes_below() -> None:
    face, left, right = Box(250, 50, 390, 190), Box(80, 50, 240, 350), Box(400, 50, 560, 350)

    place, covered = beside(face, 150, 120, FRAME, [face, left, right], [])

    assert covered == 0
    assert place.top >= face.bottom


def test_a_label_stands_above_and_at_the_top_edge_below() -> None:
    assert above(Box(100, 100, 200, 200), 90, 20, FRAME, [], [])[0] == Box(100, 80, 190, 100)
    top = Box(100, 5, 200, 105)
    assert above(top, 90, 20, FRAME, [top], [])[0] == Box(100, 105, 190, 125)


@pytest.mark.parametrize("seed", range(50))
def test_every_place_lies_inside_the_frame(seed: int) -> None:
    dice = np.random.default_rng(seed)
    left, top = (int(value) for value in dice.integers(-200, 700, 2))
    face = Box(left, top, left + int(dice.integers(20, 600)), top + int(dice.integers(20, 600)))
    around = ([face], [Box(0, 0, 320, 240)])

    panel, label = beside(face, 200, 130, FRAME, *around), above(face, 200, 30, FRAME, *around)

    for place, _ in (panel, label):
        assert place.clipped(640, 480) == place
        assert (place.width, place.height) in {(200, 130), (200, 30)}


def test_rather_a_label_is_covered_than_a_face() -> None:
    face, other = Box(200, 200, 300, 300), Box(310, 180, 470, 480)
    labels = [Box(40, 180, 196, 330)]

    place, _ = beside(face, 150, 120, Box(0, 150, 640, 340), [face, other], labels)

    assert place.overlap(other) == place.overlap(face) == 0


def test_letters_are_written_where_asked_in_the_colour_asked() -> None:
    canvas = np.zeros((60, 200, 3), np.uint8)

    write_text(canvas, "happiness", 20, 10, 20, (250, 0, 0))

    rows, columns = np.nonzero(canvas[:, :, 0])
    assert canvas[:, :, 0].max() == 250
    assert not canvas[:, :, 1:].any()
    assert 20 <= columns.min() <= 23
    assert columns.max() < 20 + text_width("happiness", 20)
    assert rows.min() >= 10
    assert rows.max() < 10 + line_height(20)


@pytest.mark.parametrize(("left", "top"), [(-30, -5), (190, 50), (500, 500), (-500, 0)])
def test_what_lies_outside_is_left_out(left: int, top: int) -> None:
    canvas = np.zeros((60, 200, 3), np.uint8)

    write_text(canvas, "disgust", left, top, 20, WHITE)

    assert canvas.shape == (60, 200, 3)


def test_the_same_letters_cover_a_bright_background() -> None:
    dark, bright = np.zeros((40, 120, 3), np.uint8), np.full((40, 120, 3), 255, np.uint8)

    write_text(dark, "fear", 5, 5, 20, WHITE)
    write_text(bright, "fear", 5, 5, 20, BLACK)

    np.testing.assert_array_equal(dark, 255 - bright)


@pytest.mark.parametrize(
    ("background", "ink"),
    [
        ((255, 255, 255), BLACK),
        ((0, 0, 0), WHITE),
        ((230, 159, 0), BLACK),
        ((0, 114, 178), WHITE),
    ],
)
def test_ink_is_black_or_white_whichever_stands_out(
    background: tuple[int, int, int], ink: tuple[int, int, int]
) -> None:
    assert ink_for(background) == ink


def test_letters_are_mixed_with_what_is_there_in_the_shares_they_cover() -> None:
    blank, ground = np.zeros((30, 40, 3), np.uint8), np.full((30, 40, 3), 40, np.uint8)

    write_text(blank, "Oo", 2, 2, 20, WHITE)
    write_text(ground, "Oo", 2, 2, 20, (240, 140, 40))

    share = blank[:, :, 0] / 255
    expected = np.stack([40 + 200 * share, 40 + 100 * share, np.full((30, 40), 40)], axis=2)
    assert 0 < np.median(share[share > 0]) <= 1
    np.testing.assert_allclose(ground, expected, atol=1)
