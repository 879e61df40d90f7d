"""What is said of faces on photos and frames: colours, names on plates, panels of numbers."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.drawing.text import (
    WHITE,
    Colour,
    above,
    beside,
    ink_box,
    ink_for,
    inside,
    line_height,
    text_width,
    write_text,
)
from core.labels import COLOURS
from core.types import Box, FrameResult, Image, LiveFace, Prediction

UNCLEAR = "unclear"

_GREY: Colour = (200, 200, 200)
_TEXT_SHARE, _LEAST_TEXT, _MOST_TEXT = 1 / 32, 11, 64  # of the frame's height; pixels
_TINY_TEXT = 8  # pixels, below which nothing can be read
_TAG_PAD = 0.4  # of the letters' height, on every side of them
_BAR_EDGE: Colour = (110, 110, 110)
_PLATE = 0.72  # opacity of the plate behind numbers: white text keeps a contrast above 7 on white
_DIMMED = (np.arange(256) * (1 - _PLATE)).astype(np.uint8)  # every level under the plate
_PANEL_SHARE = 0.4  # of the frame a panel of numbers may take
_COVERED = 0.03  # of itself a panel may lie on other things, faces counting fourfold
_CROWD_TEXT = 0.85  # size of the numbers where there are several faces


def colour_of(label: str | None) -> Colour:
    """RGB of an expression; grey for unclear, and for a class that has no colour."""
    code = COLOURS.get(label or "")
    if code is None:
        return _GREY
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red, green, blue


def name_of(face: LiveFace, *, numbered: bool) -> str:
    """What stands above a face of a frame, for example "2: happiness 93 %"."""
    said = UNCLEAR if face.label is None else f"{face.label} {100 * face.shown_probability:.0f} %"
    return f"{face.id}: {said}" if numbered else said


def write_tag(canvas: Image, text: str, colour: Colour, corner: tuple[int, int], size: int) -> None:
    """A plate of its own colour that stands on a corner, moved into the picture.

    Args:
        canvas: RGB uint8 (H, W, 3), changed.
        text: One line.
        colour: RGB of the plate; the letters are black or white.
        corner: Left and lower edge of the plate, in pixels.
        size: Font size in pixels.
    """
    height, width = canvas.shape[:2]
    ink = ink_box(text, size)
    pad = round(ink.height * _TAG_PAD)
    wide, high = ink.width + 2 * pad, ink.height + 2 * pad
    place = inside(corner[0], corner[1] - high, wide, high, Box(0, 0, width, height))
    left, top = place.left + pad - ink.left, place.top + pad - ink.top
    _write_plate(canvas, place, text, (left, top), size, colour)


def write_words(canvas: Image, result: FrameResult, *, names: bool, numbers: bool) -> None:
    """Names first, then numbers where they cover neither a face nor each other.

    Args:
        canvas: RGB uint8 (H, W, 3), changed.
        result: What was found in the frame.
        names: Whether every face is named.
        numbers: Whether the probabilities stand beside it.
    """
    height, width = canvas.shape[:2]
    size = min(max(round(height * _TEXT_SHARE), _LEAST_TEXT), _MOST_TEXT)
    boxes = [face.box.clipped(width, height) for face in result.faces]
    several = len(boxes) > 1
    page = _Page(canvas, Box(0, 0, width, height), boxes, [])
    if names:
        for face, box in zip(result.faces, boxes, strict=True):
            page.write_name(name_of(face, numbered=several), colour_of(face.label), box, size)
    if numbers:
        size = max(round(size * _CROWD_TEXT), _LEAST_TEXT) if several else size
        for face, box in zip(result.faces, boxes, strict=True):
            page.write_numbers(face.prediction, box, size, always=not several)


@dataclass(frozen=True, slots=True)
class _Page:
    """A frame being written on: where the faces are, and what was written where."""

    canvas: Image
    frame: Box
    faces: list[Box]
    taken: list[Box]

    def write_name(self, text: str, colour: Colour, face: Box, size: int) -> None:
        """Write on a plate of its own colour; nothing where the frame is too small for text."""
        while text_width(text, size) + size > self.frame.width and size > _TINY_TEXT:
            size -= 1
        width, height = text_width(text, size) + size, line_height(size) + size // 2
        if width > self.frame.width or height > self.frame.height:
            return
        others = [other for other in self.faces if other is not face]
        place, _ = above(face, width, height, self.frame, others, self.taken)
        corner = (place.left + size // 2, place.top + size // 4)
        _write_plate(self.canvas, place, text, corner, size, colour)
        self.taken.append(place)

    def write_numbers(self, prediction: Prediction, face: Box, size: int, *, always: bool) -> None:
        """Write a bar and a percentage a class; nothing where there is no room."""
        row, pad, bar = line_height(size) + size // 4, size // 2, 4 * size
        names = max(text_width(label, size) for label in prediction.labels)
        width = names + bar + text_width("100 %", size) + 4 * pad
        height = row * len(prediction.labels) + pad
        frame = self.frame
        fits = width <= frame.width and height <= frame.height
        if not fits or width * height > _PANEL_SHARE * frame.area:
            return
        place, covered = beside(face, width, height, frame, self.faces, self.taken)
        if covered > _COVERED * width * height and not always:
            return
        self.taken.append(place)
        area = self.canvas[place.top : place.bottom, place.left : place.right]
        cv2.LUT(area, _DIMMED, area)
        shares = prediction.probabilities.tolist()
        for number, (label, share) in enumerate(zip(prediction.labels, shares, strict=True)):
            top = pad // 2 + number * row
            write_text(area, label, pad, top + size // 8, size, WHITE)
            _draw_bar(area, names + 2 * pad, top + 2, bar, row - 5, share, colour_of(label))
            text = f"{100 * share:.0f} %"
            left = width - pad - text_width(text, size)
            write_text(area, text, left, top + size // 8, size, WHITE)


def _write_plate(
    canvas: Image, place: Box, text: str, corner: tuple[int, int], size: int, colour: Colour
) -> None:
    """Fill a place with a colour, and write from a corner (left, top) what can be read on it."""
    canvas[place.top : place.bottom, place.left : place.right] = colour
    write_text(canvas, text, *corner, size, ink_for(colour))


def _draw_bar(
    area: Image, left: int, top: int, width: int, height: int, share: float, colour: Colour
) -> None:
    cv2.rectangle(area, (left, top), (left + width, top + height), _BAR_EDGE, 1)
    filled = round(share * width)
    area[top + 1 : top + height, left + 1 : left + filled] = colour
