"""Letters on pixels, fast enough for every frame, and where they fit."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from core.types import Box, Image

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
_GAP = 4  # pixels between a face and what belongs to it
_LABEL_PART = 4  # of a panel's height makes room for a label between it and the face
_FACE_WEIGHT = 4  # a covered face is so many times worse than a covered label


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=2048)
def _coverage(text: str, size: int) -> NDArray[np.float32]:
    """How much of each pixel the letters cover, float32 (h, w), 0 to 1; same h for all texts."""
    font = _font(size)
    width = max(int(np.ceil(font.getlength(text))), 1)
    mask = font.getmask(text, mode="L", anchor="la") if text.strip() else None
    area = np.zeros((line_height(size), width), np.float32)
    if mask is not None and mask.size[0] and mask.size[1]:
        left, top, _, _ = font.getbbox(text, anchor="la")
        ink = np.asarray(mask, np.uint8).reshape(mask.size[1], mask.size[0])
        x, y = max(int(left), 0), max(int(top), 0)
        rows, columns = min(ink.shape[0], area.shape[0] - y), min(ink.shape[1], width - x)
        area[y : y + rows, x : x + columns] = ink[:rows, :columns] / np.float32(255)
    area.setflags(write=False)
    return area


def line_height(size: int) -> int:
    """Pixels from the top of the tallest to the foot of the lowest letter."""
    return round(1.2 * size)


def text_width(text: str, size: int) -> int:
    """Pixels a text takes from left to right."""
    return int(_coverage(text, size).shape[1])


def ink_box(text: str, size: int) -> Box:
    """Where the letters themselves lie, seen from the corner at which `write_text` begins."""
    left, top, right, bottom = _font(size).getbbox(text, anchor="la")
    return Box(int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom)))


def write_text(canvas: Image, text: str, left: int, top: int, size: int, colour: Colour) -> None:
    """Write into `canvas` itself; what would lie outside is left out.

    Args:
        canvas: RGB uint8 (H, W, 3), changed.
        text: One line.
        left: Pixel of the text's left edge.
        top: Pixel of the top of its tallest letter.
        size: Font size in pixels.
        colour: RGB.
    """
    ink = _coverage(text, size)
    height, width = canvas.shape[:2]
    x, y = max(left, 0), max(top, 0)
    right, bottom = min(left + ink.shape[1], width), min(top + ink.shape[0], height)
    if x >= right or y >= bottom:
        return
    part = (slice(y - top, bottom - top), slice(x - left, right - left))
    area = canvas[y:bottom, x:right]
    area[:] = cv2.blendLinear(area, _filled(colour, *ink.shape)[part], 1 - ink[part], ink[part])


@lru_cache(maxsize=2048)
def _filled(colour: Colour, height: int, width: int) -> Image:
    """RGB uint8 (height, width, 3) of one colour."""
    area = np.full((height, width, 3), colour, np.uint8)
    area.setflags(write=False)
    return area


@lru_cache(maxsize=256)
def ink_for(background: Colour) -> Colour:
    """Black or white, whichever stands out more (WCAG 2 contrast)."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (part / 255 for part in background)
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return BLACK if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else WHITE


def beside(
    face: Box, width: int, height: int, frame: Box, faces: Sequence[Box], taken: Sequence[Box]
) -> tuple[Box, int]:
    """The best place for a panel: right, left, below or above its face.

    Args:
        face: The face it belongs to.
        width: Of the panel, at most the frame's.
        height: Of the panel, at most the frame's.
        frame: The whole picture.
        faces: All faces.
        taken: What was placed before.

    Returns:
        The place, wholly inside the frame, and how many pixels it covers, of faces fourfold.
    """
    right, left = face.right + _GAP, face.left - _GAP - width
    middle = round(face.centre[0] - width / 2)
    corners = [(right, face.top), (left, face.top)]
    corners += [(right, face.bottom - height), (left, face.bottom - height)]
    for away in (_GAP, _GAP + height // _LABEL_PART):
        below, above_it = face.bottom + away, face.top - away - height
        corners += [
            (across, down) for down in (below, above_it) for across in (middle, right, left)
        ]
    return _freest(corners, width, height, frame, faces, taken)


def above(
    face: Box, width: int, height: int, frame: Box, faces: Sequence[Box], taken: Sequence[Box]
) -> tuple[Box, int]:
    """The best place for a label: above its face, else below, else inside; see `beside`."""
    corners = [
        (face.left, face.top - height),
        (face.left, face.bottom),
        (face.left, face.top),
        (face.left, face.bottom - height),
    ]
    return _freest(corners, width, height, frame, faces, taken)


def _freest(
    corners: Iterable[tuple[int, int]],
    width: int,
    height: int,
    frame: Box,
    faces: Sequence[Box],
    taken: Sequence[Box],
) -> tuple[Box, int]:
    """Of the places, moved into the frame, the first that covers least."""
    best: tuple[Box, int] | None = None
    for left, top in corners:
        box = inside(left, top, width, height, frame)
        covered = sum(_shared(box, other) for other in taken)
        covered += _FACE_WEIGHT * sum(_shared(box, other) for other in faces)
        if not covered:
            return box, 0
        if best is None or covered < best[1]:
            best = (box, covered)
    if best is None:
        raise ValueError("there must be at least one corner")
    return best


def inside(left: int, top: int, width: int, height: int, frame: Box) -> Box:
    """A place moved into the frame; one larger than the frame begins at its left or top edge."""
    left = max(min(left, frame.right - width), frame.left)
    top = max(min(top, frame.bottom - height), frame.top)
    return Box(left, top, left + width, top + height)


def _shared(one: Box, other: Box) -> int:
    if one.left >= other.right or other.left >= one.right:
        return 0
    if one.top >= other.bottom or other.top >= one.bottom:
        return 0
    width = min(one.right, other.right) - max(one.left, other.left)
    return width * (min(one.bottom, other.bottom) - max(one.top, other.top))
