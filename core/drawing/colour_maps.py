"""From evidence to colour: one fixed scale, perceptual colour maps, and no stretching."""

from functools import cache
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import ExplainError
from core.types import BLANK, Image

ColourMap = Literal["inferno", "viridis", "cividis", "jet", "diverging"]
COLOUR_MAPS: tuple[str, ...] = get_args(ColourMap)

# The first three rise evenly in lightness (Smith and van der Walt 2015; Nunez et al. 2018); JET is
# the paper's, kept for comparison: its yellow and cyan rings are edges that no evidence has.
_TABLES = {
    "inferno": cv2.COLORMAP_INFERNO,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "jet": cv2.COLORMAP_JET,
}
# Ends of the signed map, hex RGB of Okabe and Ito (2008): told apart with any colour blindness.
AGAINST, FOR = (0, 114, 178), (213, 94, 0)
NO_EVIDENCE = "no positive evidence"

_BAR_MARGIN = 6  # px around the strip and its numbers
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.42
_INK = (40, 40, 40)


def default_colours(*, signed: bool) -> ColourMap:
    """The colour map for maps with or without negative values."""
    return "diverging" if signed else "inferno"


def strength(
    evidence: NDArray[np.float32], scale: float, colours: ColourMap
) -> NDArray[np.float32]:
    """Evidence on the fixed scale.

    Args:
        evidence: float32 (h, w), as the method gives it.
        scale: The value that gets the strongest colour; one for a whole picture.
        colours: Signed for "diverging"; otherwise negative values count as none.

    Returns:
        float32 (h, w), -1 to 1 for "diverging", else 0 to 1; all zero for a blank map.

    Raises:
        ExplainError: The map or the scale is not finite.
    """
    if not (np.isfinite(evidence).all() and np.isfinite(scale)):
        raise ExplainError("The map holds values that are not finite, so it cannot be drawn.")
    if scale <= BLANK:
        return np.zeros(evidence.shape, dtype=np.float32)
    least = -1.0 if colours == "diverging" else 0.0
    return np.asarray(np.clip(evidence / scale, least, 1.0), dtype=np.float32)


def paint(values: NDArray[np.float32], colours: ColourMap) -> Image:
    """The colours of values from `strength`, RGB uint8 (h, w, 3)."""
    table = colour_table(colours)
    least = -1.0 if colours == "diverging" else 0.0
    index = np.rint((values - least) / (1.0 - least) * (len(table) - 1)).astype(np.intp)
    painted: Image = table[index]
    return painted


@cache
def colour_table(colours: ColourMap) -> Image:
    """All colours from the lowest to the highest value, RGB uint8 (n, 3).

    Raises:
        ExplainError: There is no such colour map.
    """
    if colours == "diverging":
        return _diverging_table()
    if colours not in _TABLES:
        known = ", ".join(COLOUR_MAPS)
        raise ExplainError(f"There are no colours {colours!r}. Choose one of: {known}.")
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    painted = cv2.applyColorMap(ramp, _TABLES[colours])
    table = np.ascontiguousarray(painted[:, 0, ::-1], dtype=np.uint8)
    table.setflags(write=False)
    return table


def _diverging_table(half: int = 255) -> Image:
    """Blue over white to vermilion, straight lines in CIELAB, white at the exact middle."""
    ends = np.array([[AGAINST, (255, 255, 255), FOR]], dtype=np.float32) / 255
    low, white, high = cv2.cvtColor(ends, cv2.COLOR_RGB2LAB)[0]
    rise = np.linspace(0, 1, half + 1, dtype=np.float32)[:, None]
    lab = np.concatenate([low + rise * (white - low), (white + rise * (high - white))[1:]])
    rgb = cv2.cvtColor(lab[None].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
    table = np.asarray(np.rint(np.clip(rgb, 0, 1) * 255), dtype=np.uint8)
    table.setflags(write=False)
    return table


def colour_bar(
    scale: float, colours: ColourMap = "inferno", *, width: int = 256, height: int = 44
) -> Image:
    """The legend of a picture's maps: a strip with the values of its ends.

    Args:
        scale: The value of the strongest colour, in logits; a blank picture has 0.
        colours: As the maps were painted.
        width: In pixels, at least 120.
        height: In pixels, at least 32.

    Returns:
        RGB uint8 (height, width, 3) on white.
    """
    bar = np.full((height, width, 3), 255, dtype=np.uint8)
    if scale <= BLANK:
        return _write(bar, NO_EVIDENCE, _BAR_MARGIN, height // 2 + 5)
    inner = width - 2 * _BAR_MARGIN
    table = colour_table(colours)
    columns = np.rint(np.linspace(0, len(table) - 1, inner)).astype(np.intp)
    bottom = height - 20
    bar[_BAR_MARGIN:bottom, _BAR_MARGIN : width - _BAR_MARGIN] = table[columns]
    high = f"{scale:+.3g}" if colours == "diverging" else f"{scale:.3g}"
    low = f"{-scale:+.3g}" if colours == "diverging" else "0"
    (text_width, _), _ = cv2.getTextSize(high, _FONT, _FONT_SCALE, 1)
    bar = _write(bar, low, _BAR_MARGIN, height - 6)
    bar = _write(bar, high, width - _BAR_MARGIN - text_width, height - 6)
    return _write(bar, "0", width // 2 - 4, height - 6) if colours == "diverging" else bar


def _write(picture: Image, text: str, left: int, baseline: int) -> Image:
    canvas = picture.copy()
    cv2.putText(canvas, text, (left, baseline), _FONT, _FONT_SCALE, _INK, 1, cv2.LINE_AA)
    return canvas
