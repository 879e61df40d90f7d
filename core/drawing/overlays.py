"""Maps drawn as pictures, over the face and over the photo it came from.

One rule for photo, frame, film and figure: opacity follows |evidence|, and a thin line goes around
the strongest place.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.drawing.colour_maps import ColourMap, cover, paint, strength
from core.drawing.outlines import GRID, Place, draw_places, strongest_places
from core.errors import ExplainError
from core.types import BLANK, Face, Image

Map = NDArray[np.float32]
OPACITY = 0.7  # of the strongest evidence: features of the face are still seen through it


def heat_image(
    evidence: Map,
    scale: float,
    size: int | tuple[int, int],
    colours: ColourMap = "diverging",
    *,
    coverage: float = 1.0,
) -> Image:
    """A map as a picture of its own.

    Args:
        evidence: float32 (h, w), as `Explanation.maps` holds it.
        scale: The value of the strongest colour, one for the whole picture
            (`Explanation.scale`, or the largest of several faces').
        size: Side in pixels, or (height, width).
        colours: Name of a colour map; "diverging" for signed maps.
        coverage: See `overlay`; around the map is the colour of zero.

    Returns:
        RGB uint8 (height, width, 3); a blank map gives the even colour of zero.

    Raises:
        ExplainError: A value is not finite.
    """
    height, width = (size, size) if isinstance(size, int) else size
    return paint(_placed(strength(evidence, scale, colours), height, width, coverage), colours)


def overlay(
    crop: Image,
    evidence: Map,
    scale: float,
    opacity: float = OPACITY,
    colours: ColourMap = "diverging",
    *,
    coverage: float = 1.0,
) -> Image:
    """The face with its map over it.

    Opacity is `opacity` times |evidence| / scale, so that the face is untouched where there is no
    evidence, and lines go around the strongest places: a whole one for, a broken one against. Only
    JET covers all of the face evenly and has no lines, as in the paper.

    Args:
        crop: RGB uint8 (H, W, 3), the face as the network's preprocessing got it.
        evidence: float32 (h, w).
        scale: See `heat_image`.
        opacity: Of the strongest evidence; 0 shows the face alone, 1 hides it there.
        colours: Name of a colour map; "diverging" draws all evidence, others leave out what
            speaks against.
        coverage: Share of the crop's side that the network saw, from the middle
            (`preprocess.crop / preprocess.size`).

    Returns:
        RGB uint8 (H, W, 3), a new array; for a blank map a copy of the crop.

    Raises:
        ExplainError: A value is not finite or out of range.
    """
    _check_opacity(opacity)
    height, width = crop.shape[:2]
    own = strength(evidence, scale, colours)
    if not np.any(np.abs(own) > BLANK):
        return crop.copy()
    values = _placed(own, height, width, coverage)
    seen = _placed(np.ones_like(evidence), height, width, coverage) if colours == "jet" else None
    canvas = _blend(crop, values, seen, opacity, colours)
    if opacity > 0 and colours != "jet":
        matrix = np.array([[width, 0.0, -0.5], [0.0, height, -0.5]])
        draw_places(canvas, _places(own, coverage), matrix, min(height, width))
    return canvas


def lay_over(
    canvas: Image,
    face: Face,
    evidence: Map,
    scale: float,
    opacity: float,
    colours: ColourMap,
    *,
    coverage: float,
) -> None:
    """Lay the map back onto the face in a photo, turned as the face is.

    Args:
        canvas: RGB uint8 (H, W, 3), the picture the face was found in; it is changed.
        face: Its `matrix` leads from picture pixels to crop pixels; the map goes the way back.
        evidence: float32 (h, w).
        scale: See `heat_image`.
        opacity: 0 to 1.
        colours: Name of a colour map.
        coverage: See `overlay`.

    Raises:
        ExplainError: A value is not finite or out of range.
    """
    _check_opacity(opacity)
    left, top, right, bottom = _footprint(face, canvas)
    own = strength(evidence, scale, colours)
    if left >= right or top >= bottom or opacity == 0 or not np.any(np.abs(own) > BLANK):
        return
    height, width = face.crop.shape[:2]
    # The map is wanted at the picture's pixels (x + left, y + top), hence the shifted matrix.
    matrix = face.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([left, top], dtype=np.float64)
    values = _warped(_placed(own, height, width, coverage), matrix, right - left, bottom - top)
    area = canvas[top:bottom, left:right]
    if colours == "jet":
        whole = _placed(np.ones_like(own), height, width, coverage)
        seen = _warped(whole, matrix, right - left, bottom - top)
        area[:] = _blend(area, values, seen, opacity, colours)
        return
    area[:] = _blend(area, values, None, opacity, colours)
    back = np.linalg.inv(matrix[:, :2])
    shape = np.array([width, height], dtype=np.float64)
    on_area = np.column_stack([back * shape, back @ (-0.5 - matrix[:, 2])])
    side = float(shape.min() * np.sqrt(abs(np.linalg.det(back))))
    draw_places(area, _places(own, coverage), on_area, side)


def _places(values: Map, coverage: float) -> tuple[Place, ...]:
    return strongest_places(_placed(values, GRID, GRID, coverage))


def _warped(layer: Map, matrix: NDArray[np.float64], width: int, height: int) -> Map:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(layer, matrix, (width, height), flags=flags), np.float32)


def _check_opacity(opacity: float) -> None:
    if not 0 <= opacity <= 1:
        raise ExplainError(f"Opacity is {opacity}; expected a number from 0 to 1.")


def _blend(
    picture: Image, values: Map, seen: Map | None, opacity: float, colours: ColourMap
) -> Image:
    """Mix picture and colours; `seen` is 1 where a map that covers evenly has a value at all."""
    share = np.float32(opacity) * (np.abs(values) if seen is None else seen)
    mixed = cv2.blendLinear(picture, cover(values, colours), 1 - share, share)  # rounds
    return np.asarray(mixed, dtype=np.uint8)


def _placed(values: Map, height: int, width: int, coverage: float) -> Map:
    """The map in the middle of a face of this size, zero around it."""
    inner_height = max(round(height * coverage), 1)
    inner_width = max(round(width * coverage), 1)
    inner = _enlarged(values, inner_height, inner_width)
    if inner.shape == (height, width):
        return inner
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    placed = np.zeros((height, width), dtype=np.float32)
    placed[top : top + inner_height, left : left + inner_width] = inner
    return placed


def _enlarged(values: Map, height: int, width: int) -> Map:
    """Bilinear, which never exceeds the map's own range."""
    shrinks = height < values.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (width, height), interpolation=method), dtype=np.float32)


def _footprint(face: Face, image: Image) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the crop's place in the picture, inside it."""
    height, width = face.crop.shape[:2]
    corners = np.array([[-0.5, -0.5], [width, -0.5], [-0.5, height], [width, height]])
    linear, shift = face.matrix[:, :2], face.matrix[:, 2]
    places = (corners - shift) @ np.linalg.inv(linear).T
    left, top = np.floor(places.min(axis=0)).astype(int)
    right, bottom = np.ceil(places.max(axis=0)).astype(int) + 1
    return (
        max(int(left), 0),
        max(int(top), 0),
        min(int(right), image.shape[1]),
        min(int(bottom), image.shape[0]),
    )
