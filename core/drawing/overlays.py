"""Maps drawn as pictures, over the face and over the photo it came from."""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.drawing.colour_maps import ColourMap, paint, strength
from core.errors import ExplainError
from core.types import BLANK, Face, Image

Map = NDArray[np.float32]


def heat_image(
    evidence: Map, scale: float, size: int | tuple[int, int], colours: ColourMap = "inferno"
) -> Image:
    """A map as a picture of its own.

    Args:
        evidence: float32 (h, w), as `Explanation.maps` holds it.
        scale: The value of the strongest colour, one for the whole picture
            (`Explanation.scale`, or the largest of several faces').
        size: Side in pixels, or (height, width).
        colours: Name of a colour map; "diverging" for signed maps.

    Returns:
        RGB uint8 (height, width, 3); a blank map gives the even colour of zero.

    Raises:
        ExplainError: A value is not finite.
    """
    height, width = (size, size) if isinstance(size, int) else size
    return paint(_enlarged(strength(evidence, scale, colours), height, width), colours)


def overlay(
    crop: Image,
    evidence: Map,
    scale: float,
    opacity: float = 0.6,
    colours: ColourMap = "inferno",
    *,
    coverage: float = 1.0,
) -> Image:
    """The face with its map over it.

    The colour fades with the evidence, so that cold areas show the photo; only JET covers all of
    it evenly, as in the paper.

    Args:
        crop: RGB uint8 (H, W, 3), the face as the network's preprocessing got it.
        evidence: float32 (h, w).
        scale: See `heat_image`.
        opacity: 0 shows the face alone, 1 hides it under the strongest colour.
        colours: Name of a colour map.
        coverage: Share of the crop's side that the network saw, from the middle
            (`preprocess.crop / preprocess.size`).

    Returns:
        RGB uint8 (H, W, 3), a new array; for a blank map a copy of the crop.

    Raises:
        ExplainError: A value is not finite or out of range.
    """
    _check_opacity(opacity)
    height, width = crop.shape[:2]
    values = _placed(strength(evidence, scale, colours), height, width, coverage)
    seen = _placed(np.ones_like(evidence), height, width, coverage)
    return _blend(crop, values, seen, opacity, colours)


def paste_overlay(
    image: Image,
    face: Face,
    evidence: Map,
    scale: float,
    opacity: float = 0.6,
    colours: ColourMap = "inferno",
    *,
    coverage: float = 1.0,
) -> Image:
    """The whole photo with the map laid back onto the face, turned as the face is.

    Args:
        image: RGB uint8 (H, W, 3), the picture the face was found in.
        face: Its `matrix` leads from picture pixels to crop pixels; the map goes the way back.
        evidence: float32 (h, w).
        scale: See `heat_image`.
        opacity: 0 to 1.
        colours: Name of a colour map.
        coverage: See `overlay`.

    Returns:
        RGB uint8 (H, W, 3), a new array.

    Raises:
        ExplainError: A value is not finite or out of range.
    """
    _check_opacity(opacity)
    canvas = image.copy()
    left, top, right, bottom = _footprint(face, image)
    if left >= right or top >= bottom or not np.any(np.abs(evidence) > BLANK):
        return canvas
    height, width = face.crop.shape[:2]
    # The map is wanted at the picture's pixels (x + left, y + top), hence the shifted matrix.
    matrix = face.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([left, top], dtype=np.float64)
    layers = (
        _placed(strength(evidence, scale, colours), height, width, coverage),
        _placed(np.ones_like(evidence), height, width, coverage),
    )
    size = (right - left, bottom - top)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    values, seen = (
        np.asarray(cv2.warpAffine(layer, matrix, size, flags=flags), dtype=np.float32)
        for layer in layers
    )
    area = canvas[top:bottom, left:right]
    canvas[top:bottom, left:right] = _blend(area, values, seen, opacity, colours)
    return canvas


def _check_opacity(opacity: float) -> None:
    if not 0 <= opacity <= 1:
        raise ExplainError(f"Opacity is {opacity}; expected a number from 0 to 1.")


def _blend(picture: Image, values: Map, seen: Map, opacity: float, colours: ColourMap) -> Image:
    """Mix picture and colours; `seen` is 1 where the map has a value at all."""
    if not np.any(np.abs(values) > BLANK):
        return picture.copy()
    # The root keeps middling evidence visible; its amount is told by the colour, not the fading.
    fading = 1.0 if colours == "jet" else np.sqrt(np.abs(values))
    share = (opacity * fading * seen)[..., None]
    mixed = picture * (1 - share) + paint(values, colours) * share
    return np.rint(mixed).astype(np.uint8)


def _placed(values: Map, height: int, width: int, coverage: float) -> Map:
    """The map in the middle of a face of this size, zero around it."""
    inner_height = max(round(height * coverage), 1)
    inner_width = max(round(width * coverage), 1)
    inner = _enlarged(values, inner_height, inner_width)
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
