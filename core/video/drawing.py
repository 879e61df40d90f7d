"""Boxes, landmarks, maps and numbers on a frame, readable on any background and at any size."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.explain import paste_overlay
from core.labels import COLOURS
from core.types import Box, Image, Prediction
from core.video.layout import above, beside
from core.video.lettering import WHITE, Colour, ink_for, line_height, text_width, write_text
from core.video.result import FrameResult, LiveFace

SHOWN = "shown"  # in place of an expression: the one named above the face
UNCLEAR = "unclear"

_GREY: Colour = (200, 200, 200)
_DARK: Colour = (20, 20, 20)
_TEXT_SHARE, _LEAST_TEXT, _MOST_TEXT = 1 / 32, 11, 64  # of the frame's height; pixels
_TINY_TEXT = 8  # pixels, below which nothing can be read
_PLATE = 0.72  # opacity of the plate behind numbers: white text keeps a contrast above 7 on white
_PANEL_SHARE = 0.4  # of the frame a panel of numbers may take
_COVERED = 0.3  # of itself a panel may lie on other faces and panels


@dataclass(frozen=True, slots=True)
class DrawingSettings:
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


def draw(image: Image, result: FrameResult, settings: DrawingSettings | None = None) -> Image:
    """The frame with everything asked for drawn on it.

    Args:
        image: RGB uint8 (H, W, 3), not changed; of the size the result was made of.
        result: What was found, perhaps in a frame shortly before.
        settings: What to draw.

    Returns:
        RGB uint8 (H, W, 3), a new array.
    """
    settings = settings or DrawingSettings()
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


def _with_map(canvas: Image, face: LiveFace, settings: DrawingSettings) -> Image:
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
    radius = max(round(face.box.width / 110), 1)
    centres = np.rint(face.face.landmarks).astype(int).tolist()
    for colour, extra in ((_DARK, 1), (WHITE, 0)):
        for x, y in centres:
            cv2.circle(canvas, (x, y), radius + extra, colour, cv2.FILLED)


def _draw_box(canvas: Image, face: LiveFace) -> None:
    height, width = canvas.shape[:2]
    stroke = _stroke(canvas)
    box = face.box.clipped(width, height)
    first, last = (box.left + stroke, box.top + stroke), (box.right - stroke, box.bottom - stroke)
    cv2.rectangle(canvas, first, last, _DARK, stroke + 2)
    cv2.rectangle(canvas, first, last, colour_of(face.label), stroke)


def _draw_words(canvas: Image, result: FrameResult, settings: DrawingSettings) -> None:
    """Names first, then numbers where they cover neither a face nor each other."""
    height, width = canvas.shape[:2]
    frame = Box(0, 0, width, height)
    size = min(max(round(height * _TEXT_SHARE), _LEAST_TEXT), _MOST_TEXT)
    boxes = [face.box.clipped(width, height) for face in result.faces]
    taken = list(boxes)
    several = len(result.faces) > 1
    if settings.boxes:
        for face, box in zip(result.faces, boxes, strict=True):
            place = _draw_name(canvas, face, box, frame, size, taken, numbered=several)
            if place is not None:
                taken.append(place)
    if settings.bars:
        for number, (face, box) in enumerate(zip(result.faces, boxes, strict=True)):
            place = _draw_numbers(
                canvas, face.prediction, box, frame, size, taken, always=number == 0
            )
            if place is not None:
                taken.append(place)


def name_of(face: LiveFace, *, numbered: bool) -> str:
    """What stands above a face, for example "2: happiness 93 %"."""
    said = UNCLEAR if face.label is None else f"{face.label} {100 * face.shown_probability:.0f} %"
    return f"{face.id}: {said}" if numbered else said


def _draw_name(
    canvas: Image,
    face: LiveFace,
    box: Box,
    frame: Box,
    size: int,
    taken: list[Box],
    *,
    numbered: bool,
) -> Box | None:
    """The place taken, or None where the frame is too small for any text."""
    text = name_of(face, numbered=numbered)
    while text_width(text, size) + size > frame.width and size > _TINY_TEXT:
        size -= 1
    width, height = text_width(text, size) + size, line_height(size) + size // 2
    if width > frame.width or height > frame.height:
        return None
    others = [other for other in taken if other is not box]
    place, _ = above(box, width, height, frame, others)
    colour = colour_of(face.label)
    canvas[place.top : place.bottom, place.left : place.right] = colour
    write_text(canvas, text, place.left + size // 2, place.top + size // 4, size, ink_for(colour))
    return place


def _draw_numbers(
    canvas: Image,
    prediction: Prediction,
    box: Box,
    frame: Box,
    size: int,
    taken: list[Box],
    *,
    always: bool,
) -> Box | None:
    """The place taken, or None where there is no room."""
    row, pad = line_height(size) + size // 4, size // 2
    names = max(text_width(label, size) for label in prediction.labels)
    numbers = text_width("100 %", size)
    bar = 4 * size
    width = names + bar + numbers + 4 * pad
    height = row * len(prediction.labels) + pad
    if width > frame.width or width * height > _PANEL_SHARE * frame.area or height > frame.height:
        return None
    place, covered = beside(box, width, height, frame, taken)
    if covered > _COVERED * width * height and not always:
        return None
    area = canvas[place.top : place.bottom, place.left : place.right]
    area[:] = (area * (1 - _PLATE)).astype(np.uint8)
    for number, (label, share) in enumerate(
        zip(prediction.labels, prediction.probabilities, strict=True)
    ):
        top = place.top + pad // 2 + number * row
        left = place.left + pad
        write_text(canvas, label, left, top + size // 8, size, WHITE)
        left += names + pad
        filled = round(float(share) * bar)
        cv2.rectangle(canvas, (left, top + 2), (left + bar, top + row - 3), (90, 90, 90), 1)
        if filled:
            canvas[top + 3 : top + row - 3, left + 1 : left + filled] = colour_of(label)
        text = f"{100 * float(share):.0f} %"
        left += bar + pad + numbers - text_width(text, size)
        write_text(canvas, text, left, top + size // 8, size, WHITE)
    return place
