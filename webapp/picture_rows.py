"""Pictures in rows under shared headings (as the paper's Figure 5), on the page and on paper."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

import cv2
import numpy as np

from core.images import quick_png
from core.types import Image
from webapp.faithfulness_badges import Badge, badge_html
from webapp.figure_file import FAINT, Inset, Item, Patch, Sheet, Words

SENT = 168  # px, side of the pictures of a wide plate on their way to the browser
FEW = 3  # columns; up to here pictures are shown large, and sent as they are
SIDE, GAP, MARGIN, LINE = 112, 8, 16, 18  # units of the sheet
_MARK = (
    "position:absolute;left:0;right:0;top:42%;text-align:center;font-size:0.78rem;"
    "color:#fff;background:rgba(0,0,0,0.55);line-height:1.5"
)
_FAINT = "font-size:0.8rem;opacity:0.8;line-height:1.25"


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture.

    Attributes:
        picture: RGB uint8 (S, S, 3).
        name: Read aloud where the picture cannot be seen.
        words: Lines below it.
        mark: Written across it, for example "blank"; "" for nothing.
    """

    picture: Image
    name: str
    words: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Pictures side by side, with a line above them.

    Attributes:
        title: Of the row; "" for none.
        tiles: As many as there are headings.
        badges: Beside the title.
    """

    title: str
    tiles: tuple[Tile, ...]
    badges: tuple[Badge, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """Rows under shared headings.

    Attributes:
        headings: One or two lines a column.
        rows: From the top.
    """

    headings: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]


def plate_html(plate: Plate) -> str:
    """The plate for the page; it shrinks with the window and takes the page's colours."""
    count = len(plate.headings)
    heads = "".join(
        f'<div style="text-align:center;{_FAINT};overflow-wrap:anywhere">'
        + "<br>".join(escape(line) for line in lines)
        + "</div>"
        for lines in plate.headings
    )
    body = "".join(_row_html(row, shrinks=count > FEW) for row in plate.rows)
    return (
        f'<div style="display:grid;grid-template-columns:repeat({count},minmax(0,1fr));'
        f'gap:4px 6px;align-items:end">{heads}{body}</div>'
    )


def tiles_html(tiles: Sequence[Tile], least: int = 104, most: int = 12) -> str:
    """Tiles side by side, as many as fit.

    Args:
        tiles: In their order.
        least: Width of the narrowest tile, pixels.
        most: Columns at most.
    """
    body = "".join(_tile_html(tile) for tile in tiles)
    columns = f"repeat(auto-fill,minmax(max({least}px,{100 // (most + 1) + 1}%),1fr))"
    return (
        f'<div style="display:grid;grid-template-columns:{columns};gap:10px;'
        f'align-items:start">{body}</div>'
    )


def _row_html(row: Row, *, shrinks: bool) -> str:
    chips = "".join(f" {badge_html(badge)}" for badge in row.badges)
    title = (
        f'<div style="grid-column:1/-1;margin-top:0.5rem;font-size:0.9rem">'
        f"<b>{escape(row.title)}</b>{chips}</div>"
        if row.title
        else ""
    )
    return title + "".join(_tile_html(tile, shrinks=shrinks) for tile in row.tiles)


def _tile_html(tile: Tile, *, shrinks: bool = False) -> str:
    picture = tile.picture
    if shrinks and picture.shape[0] > SENT:
        smaller = cv2.resize(picture, (SENT, SENT), interpolation=cv2.INTER_AREA)
        picture = np.asarray(smaller, dtype=np.uint8)
    data = b64encode(quick_png(picture)).decode()
    mark = f'<div style="{_MARK}">{escape(tile.mark)}</div>' if tile.mark else ""
    lines = "<br>".join(escape(line) for line in tile.words)
    words = f'<div style="{_FAINT};margin-top:3px">{lines}</div>' if lines else ""
    return (
        '<div style="min-width:0"><div style="position:relative">'
        f'<img src="data:image/png;base64,{data}" alt="{escape(tile.name)}" '
        f'style="width:100%;aspect-ratio:1;display:block;border-radius:4px"/>{mark}</div>{words}</div>'
    )


def plate_sheet(plate: Plate, title: str) -> Sheet:
    """The plate as a figure to take away, with its title above."""
    items: list[Item] = [Words(MARGIN, MARGIN + LINE, title, 15)]
    top: float = MARGIN + 2 * LINE
    for column, lines in enumerate(plate.headings):
        centre = _left(column) + SIDE / 2
        items += [
            Words(centre, top + LINE * place + 12, line, 12, "middle")
            for place, line in enumerate(lines)
        ]
    top += LINE * max((len(lines) for lines in plate.headings), default=0)
    for row in plate.rows:
        if row.title:
            said = ", ".join(badge.words for badge in row.badges)
            items.append(Words(MARGIN, top + 14, f"{row.title}: {said}" if said else row.title))
            top += LINE + 4
        drawn, height = _tiles_at(row.tiles, top)
        items += drawn
        top += height + GAP
    columns = max([len(plate.headings), *(len(row.tiles) for row in plate.rows)])
    return Sheet(_left(columns) - GAP + MARGIN, top - GAP + MARGIN, tuple(items))


def tiles_sheet(tiles: Sequence[Tile], title: str, columns: int = 6) -> Sheet:
    """Tiles in rows of `columns`, with a title above."""
    rows = [
        Row("", tuple(tiles[start : start + columns])) for start in range(0, len(tiles), columns)
    ]
    return plate_sheet(Plate((), tuple(rows)), title)


def text_sheet(text: str, width: float) -> Sheet:
    """A paragraph, broken into lines that fit."""
    lines = wrap(text, max(int((width - 2 * MARGIN) / 6.3), 20))
    words = tuple(Words(MARGIN, LINE * (place + 1), line) for place, line in enumerate(lines))
    return Sheet(width, LINE * len(lines) + 6, words)


def _left(column: int) -> float:
    return MARGIN + column * (SIDE + GAP)


def _tiles_at(tiles: Sequence[Tile], top: float) -> tuple[list[Item], float]:
    """The items of one row and its height."""
    items: list[Item] = []
    most = 0
    for column, tile in enumerate(tiles):
        left = _left(column)
        items.append(Inset(left, top, SIDE, tile.picture))
        if tile.mark:
            middle = top + SIDE / 2
            items.append(Patch(left, middle - 11, SIDE, 20, "#404040"))
            items.append(Words(left + SIDE / 2, middle + 4, tile.mark, 12, "middle", "#FFFFFF"))
        items += [
            Words(left, top + SIDE + 14 * (place + 1), line, 11, colour=FAINT)
            for place, line in enumerate(tile.words)
        ]
        most = max(most, len(tile.words))
    return items, SIDE + 14 * most + (4 if most else 0)
