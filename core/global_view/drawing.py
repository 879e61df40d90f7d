"""Mean maps as pictures: colours, and the mean landmarks as lines; no face of the data."""

from typing import Any

import cv2
import numpy as np

from core.drawing import ColourMap, default_colours, heat_image
from core.types import Image

SIDE = 256  # pixels
# Lines through the 68 landmarks (iBUG 300-W order): numbers, and whether the line closes.
_LINES = (
    (range(17), False),
    (range(17, 22), False),
    (range(22, 27), False),
    (range(27, 31), False),
    (range(31, 36), False),
    (range(36, 42), True),
    (range(42, 48), True),
    (range(48, 60), True),
    (range(60, 68), True),
)
_SHIFT = 4  # bits behind the point of cv2's coordinates
_DARK, _LIGHT = (20, 20, 20), (245, 245, 245)


def group_of(view: dict[str, Any], label: str, *, right: bool) -> dict[str, Any]:
    """The group of a label's right or wrong answers."""
    answered = "right" if right else "wrong"
    found: dict[str, Any] = next(
        one for one in view["groups"] if one["label"] == label and one["answered"] == answered
    )
    return found


def view_scale(view: dict[str, Any]) -> float:
    """The value of the strongest colour: the largest of all right answers' mean maps, else of all.

    Few wrong answers make a rough mean, whose peaks would pale everything else.
    """
    maps = [
        group["map"] for group in view["groups"] if group["map"] and group["answered"] == "right"
    ]
    maps = maps or [group["map"] for group in view["groups"] if group["map"]]
    return max((float(np.abs(one).max()) for one in maps), default=0.0)


def mean_map_picture(view: dict[str, Any], group: dict[str, Any], scale: float) -> Image:
    """The mean map of a group under the mean landmarks, RGB uint8 (256, 256, 3).

    A group without maps shows the landmarks alone, on the colour of no evidence.

    Args:
        view: Of `stored_global_view`.
        group: One of its groups.
        scale: Of `view_scale`.
    """
    colours: ColourMap = default_colours(signed=view["signed"])
    rows = group["map"] if group["map"] else [[0.0]]
    picture = heat_image(np.array(rows, dtype=np.float32), scale, SIDE, colours).copy()
    points = np.rint((np.array(view["shape"]) * SIDE - 0.5) * 2**_SHIFT).astype(np.int32)
    for ink, width in ((_DARK, 3), (_LIGHT, 1)):  # seen on every colour of the map
        for numbers, closed in _LINES:
            line = [points[list(numbers)]]
            cv2.polylines(picture, line, closed, ink, width, cv2.LINE_AA, _SHIFT)
    return picture
