import numpy as np
import pytest

from core.drawing.text import BLACK, WHITE, ink_for, line_height, text_width, write_text


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
