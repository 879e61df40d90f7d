"""Boxes, landmarks, maps and numbers on a frame, readable on any background and at any size."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.drawing.overlays import paste_overlay
from core.drawing.text import (
    WHITE,
    Colour,
    above,
    beside,
    ink_for,
    line_height,
    text_width,
    write_text,
)
from core.labels import COLOURS
from core.types import Box, FrameResult, Image, LiveFace, Prediction

SHOWN = "shown"  # in place of an expression: the one named above the face
UNCLEAR = "unclear"

_GREY: Colour = (200, 200, 200)
_DARK: Colour = (20, 20, 20)
_TEXT_SHARE, _LEAST_TEXT, _MOST_TEXT = 1 / 32, 11, 64  # of the frame's height; pixels
_TINY_TEXT = 8  # pixels, below which nothing can be read
_BAR_EDGE: Colour = (110, 110, 110)
_PLATE = 0.72  # opacity of the plate behind numbers: white text keeps a contrast above 7 on white
_PANEL_SHARE = 0.4  # of the frame a panel of numbers may take
_COVERED = 0.03  # of itself a panel may lie on other things, faces counting fourfold
_CROWD_TEXT = 0.85  # size of the numbers where there are several faces


@dataclass(frozen=True, slots=True)
class Style:
    """What is drawn.

    Attributes:
        overlay: The map on the face.
        landmarks: The 68 points.
        boxes: Square and name of each face.
        bars: The probabilities beside the face.
        opacity: Of the map, 0 to 1.
        target: The expression whose map is drawn, or SHOWN.
        coverage: Share of the crop's side that the network sees
            (`preprocess.crop / preprocess.size`).
    """

    overlay: bool = True
    landmarks: bool = True
    boxes: bool = True
    bars: bool = True
    opacity: float = 0.5
    target: str = SHOWN
    coverage: float = 1.0


def annotate_frame(image: Image, result: FrameResult, settings: Style | None = None) -> Image:
    """The frame with everything asked for drawn on it.

    Args:
        image: RGB uint8 (H, W, 3), not changed; of the size the result was made of.
        result: What was found, perhaps in a frame shortly before.
        settings: What to draw.

    Returns:
        RGB uint8 (H, W, 3), a new array.
    """
    settings = settings or Style()
    canvas = image.copy()
    for face in result.faces:
        if settings.overlay:
            canvas = _with_map(canvas, face, settings)
    for face in result.faces:
        if settings.landmarks:
            _draw_landmarks(canvas, face)
        if settings.boxes:
            _draw_box(canvas, face)
    _draw_words(canvas, result, settings)
    return canvas


def colour_of(label: str | None) -> Colour:
    """RGB of an expression; grey for unclear."""
    code = COLOURS.get(label or "")
    if code is None:
        return _GREY
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red, green, blue


def _with_map(canvas: Image, face: LiveFace, settings: Style) -> Image:
    explanation = face.explanation
    if explanation is None:
        return canvas
    target = settings.target
    if target == SHOWN:
        target = face.label or face.prediction.predicted
    if target not in explanation.labels:
        return canvas
    return paste_overlay(
        canvas,
        face.face,
        explanation.map_of(target),
        face.scale,
        settings.opacity,
        "diverging" if explanation.signed else "inferno",
        coverage=settings.coverage,
    )


def _stroke(canvas: Image) -> int:
    """Width of lines in pixels."""
    return max(round(int(min(canvas.shape[:2])) / 240), 1)


def _draw_landmarks(canvas: Image, face: LiveFace) -> None:
    if face.face.landmarks is None:
        return
    radius = round(face.box.width / 150)  # 0 is a single pixel
    centres = np.rint(face.face.landmarks).astype(np.int64)
    height, width = canvas.shape[:2]
    for colour, extra in ((_DARK, 1), (WHITE, 0)):
        # All discs at once: a call a point would take longer than all the rest.
        pixels = (centres[:, None] + _disc(radius + extra)).reshape(-1, 2)
        inside = ((pixels >= 0) & (pixels < (width, height))).all(axis=1)
        canvas[pixels[inside, 1], pixels[inside, 0]] = colour


@cache
def _disc(radius: int) -> NDArray[np.int64]:
    """Pixels (x, y) of a filled disc about (0, 0), int64 (N, 2)."""
    side = 2 * radius + 1
    area = np.zeros((side, side), np.uint8)
    cv2.circle(area, (radius, radius), radius, 1, cv2.FILLED)
    return np.argwhere(area)[:, ::-1] - radius


def _draw_box(canvas: Image, face: LiveFace) -> None:
    height, width = canvas.shape[:2]
    stroke = _stroke(canvas)
    box = face.box.clipped(width, height)
    first, last = (box.left + stroke, box.top + stroke), (box.right - stroke, box.bottom - stroke)
    cv2.rectangle(canvas, first, last, _DARK, stroke + 2)
    cv2.rectangle(canvas, first, last, colour_of(face.label), stroke)


def _draw_words(canvas: Image, result: FrameResult, settings: Style) -> None:
    """Names first, then numbers where they cover neither a face nor each other."""
    height, width = canvas.shape[:2]
    size = min(max(round(height * _TEXT_SHARE), _LEAST_TEXT), _MOST_TEXT)
    boxes = [face.box.clipped(width, height) for face in result.faces]
    several = len(boxes) > 1
    page = _Page(canvas, Box(0, 0, width, height), boxes, [])
    if settings.boxes:
        for face, box in zip(result.faces, boxes, strict=True):
            page.write_name(name_of(face, numbered=several), colour_of(face.label), box, size)
    if settings.bars:
        size = max(round(size * _CROWD_TEXT), _LEAST_TEXT) if several else size
        for face, box in zip(result.faces, boxes, strict=True):
            page.write_numbers(face.prediction, box, size, always=not several)


def name_of(face: LiveFace, *, numbered: bool) -> str:
    """What stands above a face, for example "2: happiness 93 %"."""
    said = UNCLEAR if face.label is None else f"{face.label} {100 * face.shown_probability:.0f} %"
    return f"{face.id}: {said}" if numbered else said


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
        self.canvas[place.top : place.bottom, place.left : place.right] = colour
        left, top = place.left + size // 2, place.top + size // 4
        write_text(self.canvas, text, left, top, size, ink_for(colour))
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
        area[:] = (area * (1 - _PLATE)).astype(np.uint8)
        shares = prediction.probabilities.tolist()
        for number, (label, share) in enumerate(zip(prediction.labels, shares, strict=True)):
            top = pad // 2 + number * row
            write_text(area, label, pad, top + size // 8, size, WHITE)
            _draw_bar(area, names + 2 * pad, top + 2, bar, row - 5, share, colour_of(label))
            text = f"{100 * share:.0f} %"
            left = width - pad - text_width(text, size)
            write_text(area, text, left, top + size // 8, size, WHITE)


def _draw_bar(
    area: Image, left: int, top: int, width: int, height: int, share: float, colour: Colour
) -> None:
    cv2.rectangle(area, (left, top), (left + width, top + height), _BAR_EDGE, 1)
    filled = round(share * width)
    area[top + 1 : top + height, left + 1 : left + filled] = colour
