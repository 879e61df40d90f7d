"""A figure to take away: pictures, bars and words placed on white, as SVG or PNG."""

from base64 import b64encode
from dataclasses import dataclass, replace
from html import escape
from io import BytesIO
from typing import Literal

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from core.images import png_bytes
from core.types import Image

INK, FAINT = "#1F2328", "#6E7781"
SHARPNESS = 2  # pixels of the PNG a unit of the sheet
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; `x` is its start, middle or end, `y` its base line."""

    x: float
    y: float
    text: str
    size: float = 13
    anchor: Literal["start", "middle", "end"] = "start"
    colour: str = INK

    def moved(self, x: float, y: float) -> "Words":
        return replace(self, x=self.x + x, y=self.y + y)


@dataclass(frozen=True, slots=True)
class Patch:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str

    def moved(self, x: float, y: float) -> "Patch":
        return replace(self, x=self.x + x, y=self.y + y)


@dataclass(frozen=True, slots=True, eq=False)
class Inset:
    """A picture, RGB uint8, drawn `width` units wide."""

    x: float
    y: float
    width: float
    picture: Image

    @property
    def height(self) -> float:
        height, width = self.picture.shape[:2]
        return float(self.width * height / width)

    def moved(self, x: float, y: float) -> "Inset":
        return replace(self, x=self.x + x, y=self.y + y)


Item = Words | Patch | Inset


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The figure; units are pixels of a screen, items are drawn in their order."""

    width: float
    height: float
    items: tuple[Item, ...]

    def svg(self) -> str:
        """The figure with its words as words and its pictures within."""
        body = "".join(_as_svg(item) for item in self.items)
        size = f'width="{self.width:g}" height="{self.height:g}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
            f'viewBox="0 0 {self.width:g} {self.height:g}" font-family="sans-serif">'
            f'<rect {size} fill="#FFFFFF"/>{body}</svg>\n'
        )

    def png(self) -> bytes:
        """The figure at twice its size."""
        size = (round(self.width * SHARPNESS), round(self.height * SHARPNESS))
        canvas = PillowImage.new("RGB", size, "white")
        pen = ImageDraw.Draw(canvas)
        for item in self.items:
            _draw(canvas, pen, item)
        stream = BytesIO()
        canvas.save(stream, "PNG")
        return stream.getvalue()


def stacked(*sheets: Sheet, gap: float = 18) -> Sheet:
    """Sheets one below the other."""
    items: list[Item] = []
    top = 0.0
    for sheet in sheets:
        items += [item.moved(0, top) for item in sheet.items]
        top += sheet.height + gap
    return Sheet(max(sheet.width for sheet in sheets), top - gap, tuple(items))


def _as_svg(item: Item) -> str:
    match item:
        case Words():
            return (
                f'<text x="{item.x:g}" y="{item.y:g}" font-size="{item.size:g}" '
                f'text-anchor="{item.anchor}" fill="{item.colour}">{escape(item.text)}</text>'
            )
        case Patch():
            return (
                f'<rect x="{item.x:g}" y="{item.y:g}" width="{item.width:g}" '
                f'height="{item.height:g}" fill="{item.colour}"/>'
            )
        case Inset():
            data = b64encode(png_bytes(item.picture)).decode()
            return (
                f'<image x="{item.x:g}" y="{item.y:g}" width="{item.width:g}" '
                f'height="{item.height:g}" href="data:image/png;base64,{data}"/>'
            )


def _draw(canvas: PillowImage.Image, pen: ImageDraw.ImageDraw, item: Item) -> None:
    left, top = item.x * SHARPNESS, item.y * SHARPNESS
    match item:
        case Words():
            font = ImageFont.load_default(item.size * SHARPNESS)
            anchor = _ANCHORS[item.anchor]
            pen.text((left, top), item.text, fill=item.colour, font=font, anchor=anchor)
        case Patch():
            right = left + item.width * SHARPNESS - 1
            bottom = top + item.height * SHARPNESS - 1
            if right >= left and bottom >= top:
                pen.rectangle((left, top, right, bottom), fill=item.colour)
        case Inset():
            size = (round(item.width * SHARPNESS), round(item.height * SHARPNESS))
            grown = cv2.resize(item.picture, size, interpolation=cv2.INTER_CUBIC)
            fitted = PillowImage.fromarray(np.asarray(grown, dtype=np.uint8))
            canvas.paste(fitted, (round(left), round(top)))
