"""Figures to take away: what is where, as SVG and as PNG."""

import io
import xml.etree.ElementTree as ElementTree
from base64 import b64decode

import numpy as np
import PIL.Image
import pytest

from core.types import Image
from webapp.charts.bars import AGAINST_COLOUR, FOR_COLOUR
from webapp.faithfulness_badges import Badge
from webapp.figure_file import Inset, Patch, Sheet, Words, stacked
from webapp.image_explanation.downloads import bars_sheet
from webapp.picture_rows import Plate, Row, Tile, plate_html, plate_sheet, tiles_html

SVG = "{http://www.w3.org/2000/svg}"


def plain(red: int, side: int = 4) -> Image:
    picture = np.zeros((side, side, 3), dtype=np.uint8)
    picture[..., 0] = red
    return picture


def pixels(sheet: Sheet) -> Image:
    return np.asarray(PIL.Image.open(io.BytesIO(sheet.png())).convert("RGB"))


def parsed(sheet: Sheet) -> ElementTree.Element:
    return ElementTree.fromstring(sheet.svg())


def test_svg_holds_words_as_words_and_pictures_as_pictures() -> None:
    sheet = Sheet(60, 40, (Words(5, 9, "a < b & c"), Inset(10, 20, 8, plain(200))))

    root = parsed(sheet)

    assert (root.get("width"), root.get("height")) == ("60", "40")
    assert [text.text for text in root.iter(f"{SVG}text")] == ["a < b & c"]
    (image,) = root.iter(f"{SVG}image")
    data = b64decode(str(image.get("href")).partition(",")[2])
    inside = np.asarray(PIL.Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(inside, plain(200))


def test_png_is_twice_as_large_with_everything_in_its_place() -> None:
    sheet = Sheet(30, 20, (Patch(2, 3, 5, 4, "#0072B2"), Inset(10, 8, 6, plain(200))))

    drawn = pixels(sheet)

    assert drawn.shape == (40, 60, 3)
    assert (drawn[6:14, 4:14] == (0, 0x72, 0xB2)).all()
    assert (drawn[16:28, 20:32] == (200, 0, 0)).all()
    drawn = drawn.copy()
    drawn[6:14, 4:14] = drawn[16:28, 20:32] = 255
    assert (drawn == 255).all()


def test_words_leave_ink_on_the_png() -> None:
    drawn = pixels(Sheet(80, 30, (Words(10, 20, "mouth"),)))

    rows, columns = np.nonzero(drawn.min(axis=2) < 128)
    assert 20 <= columns.min() <= 26
    assert rows.max() <= 42


def test_stacked_sheets_do_not_overlap() -> None:
    one = Sheet(10, 10, (Patch(0, 0, 1, 1, "#000000"),))

    both = stacked(one, Sheet(20, 5, (Words(3, 4, "x"),)), gap=7)

    assert (both.width, both.height) == (20, 22)
    assert both.items[1] == Words(3, 21, "x")


def test_bars_reach_as_far_as_their_values_and_to_their_side() -> None:
    sheet = bars_sheet("Effect", ("mouth", "brows"), (0.5, -0.25), "points")

    brows, mouth = [item for item in sheet.items if isinstance(item, Patch)]
    assert mouth.width == pytest.approx(2 * brows.width)
    assert brows.x + brows.width == pytest.approx(mouth.x)  # both begin at zero
    assert (mouth.colour, brows.colour) == (FOR_COLOUR, AGAINST_COLOUR)
    words = [item.text for item in sheet.items if isinstance(item, Words)]
    assert words == ["Effect", "brows", "-25.0", "mouth", "+50.0"]


def grid() -> Plate:
    row = Row(
        "Grad-CAM",
        (Tile(plain(10), "first"), Tile(plain(20), "second", mark="blank")),
        (Badge("not tested for this network", "gray"),),
    )
    return Plate((("anger", "10 %"), ("<fear>", "20 %")), (row,))


def test_a_plate_marks_blank_maps_and_badges_on_the_page() -> None:
    html = plate_html(grid())

    assert "repeat(2,minmax(0,1fr))" in html
    assert html.count("<img") == 2
    assert html.count(">blank</div>") == 1
    assert "&lt;fear&gt;" in html
    assert "not tested for this network" in html


def test_a_plate_to_take_away_holds_the_same() -> None:
    sheet = plate_sheet(grid(), "Evidence")

    words = [item.text for item in sheet.items if isinstance(item, Words)]
    assert words == [
        "Evidence",
        "anger",
        "10 %",
        "<fear>",
        "20 %",
        "Grad-CAM: not tested for this network",
        "blank",
    ]
    first, second = [item for item in sheet.items if isinstance(item, Inset)]
    assert second.x >= first.x + first.width
    assert second.x + second.width <= sheet.width
    assert second.y + second.height <= sheet.height


def test_tiles_carry_their_words() -> None:
    html = tiles_html([Tile(plain(1), "The face", ("without mouth", "anger 5.0 %"))])

    assert "without mouth<br>anger 5.0 %" in html
    assert 'alt="The face"' in html
