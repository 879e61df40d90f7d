"""From evidence to colour: one fixed scale, colours of their own, and no stretching."""

from functools import cache
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import ExplainError
from core.types import BLANK, Image

ColourMap = Literal["violet", "inferno", "viridis", "cividis", "jet", "diverging"]
COLOUR_MAPS: tuple[str, ...] = get_args(ColourMap)

# The first three rise evenly in lightness (Smith and van der Walt 2015; Nunez et al. 2018); JET is
# the paper's, kept for comparison: its yellow and cyan rings are edges that no evidence has.
_TABLES = {
    "inferno": cv2.COLORMAP_INFERNO,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "jet": cv2.COLORMAP_JET,
}
# Evidence for and against a class, and none.  No expression has a colour like these, seen with or
# without a colour blindness; the one is darker and the other lighter than most skin and than the
# grey between them, so that lightness alone tells the sign.
FOR, NEITHER, AGAINST = (82, 0, 168), (168, 168, 168), (212, 255, 42)
_STEPS = 255  # from one colour of a straight table to the next
_INKS = np.array([FOR, *[AGAINST] * 255], np.uint8)[:, None]
NO_EVIDENCE = "no positive evidence"
ONLY_AGAINST = "only evidence against"
COLOURS_IN_WORDS = "Violet speaks for the expression named, yellow-green against it"


def default_colours(*, signed: bool) -> ColourMap:
    """The colour map for maps with or without negative values."""
    return "diverging" if signed else "violet"


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


def cover(values: NDArray[np.float32], colours: ColourMap) -> Image:
    """What values from `strength` are mixed with a photo as, in their shares of each pixel.

    Our own colours are one a sign, whose share tells the amount; others change with the value.

    Args:
        values: float32 (h, w).
        colours: Name of a colour map.

    Returns:
        RGB uint8 (h, w, 3).
    """
    if colours not in ("violet", "diverging"):
        return paint(values, colours)
    return np.asarray(cv2.applyColorMap((values < 0).astype(np.uint8), _INKS), np.uint8)


@cache
def colour_table(colours: ColourMap) -> Image:
    """All colours from the lowest to the highest value, RGB uint8 (n, 3).

    Raises:
        ExplainError: There is no such colour map.
    """
    if colours == "violet":
        return _straight_table(NEITHER, FOR)
    if colours == "diverging":
        return _straight_table(AGAINST, NEITHER, FOR)
    if colours not in _TABLES:
        known = ", ".join(COLOUR_MAPS)
        raise ExplainError(f"There are no colours {colours!r}. Choose one of: {known}.")
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    painted = cv2.applyColorMap(ramp, _TABLES[colours])
    table = np.ascontiguousarray(painted[:, 0, ::-1], dtype=np.uint8)
    table.setflags(write=False)
    return table


def _straight_table(*stops: tuple[int, int, int]) -> Image:
    """Straight lines in CIELAB from one colour to the next, each stop met exactly."""
    corners = np.array([stops], dtype=np.float32) / 255
    lab = cv2.cvtColor(corners, cv2.COLOR_RGB2LAB)[0]
    places = np.linspace(0, len(stops) - 1, _STEPS * (len(stops) - 1) + 1)
    line = [np.interp(places, np.arange(len(stops)), lab[:, channel]) for channel in range(3)]
    rgb = cv2.cvtColor(np.stack(line, axis=1)[None].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
    table = np.asarray(np.rint(np.clip(rgb, 0, 1) * 255), dtype=np.uint8)
    table[::_STEPS] = stops
    table.setflags(write=False)
    return table
