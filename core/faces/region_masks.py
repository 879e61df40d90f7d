"""Regions of a face in words, drawn from its 68 landmarks (iBUG 300-W order)."""

import cv2
import numpy as np
from numpy.typing import NDArray

REGIONS: tuple[str, ...] = (
    "brows",
    "eyes",
    "nose",
    "mouth",
    "cheeks",
    "chin",
    "forehead",
    "background",
)

# Corners of filled areas, and lines drawn thick around them, by landmark number. Where regions
# meet, the one drawn later has the pixel.
_AREAS: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (
    (
        "cheeks",
        (
            (1, 2, 3, 4, 5, 48, 31, 39, 40, 41, 36),
            (15, 14, 13, 12, 11, 54, 35, 42, 47, 46, 45),
        ),
    ),
    ("chin", ((5, 6, 7, 8, 9, 10, 11, 54, 55, 56, 57, 58, 59, 48),)),
    ("nose", ((27, 31, 32, 33, 34, 35),)),
    ("mouth", (tuple(range(48, 60)),)),
    ("brows", (tuple(range(17, 27)),)),
    ("eyes", (tuple(range(36, 42)), tuple(range(42, 48)))),
)
# Width of the outline in eye distances: landmarks run through the middle of brows and along the
# edges of eyes and lips, whose folds belong to them.
_OUTLINE = {"nose": 0.12, "mouth": 0.10, "brows": 0.18, "eyes": 0.14}
_OPEN_LINES = {"brows"}

# The old rule of thirds: from the brows to the hairline is as far as from the brows to the nose's
# base. The hairline is narrower than the brows.
_FOREHEAD_HEIGHT, _FOREHEAD_WIDTH = 0.9, 0.85


def regions(landmarks: NDArray[np.float32], size: int) -> dict[str, NDArray[np.bool_]]:
    """Masks that cover a crop without overlap, by the names in REGIONS.

    Pixels of the face between the drawn areas go to the nearest one; what lies outside the face's
    outline (jaw, and a forehead a third of the face high) is background.

    Args:
        landmarks: float32 (68, 2) in crop pixels.
        size: Side of the crop in pixels.

    Returns:
        One bool (size, size) a region; a region beyond the crop's edge is empty.
    """
    points = landmarks.astype(np.float64)
    right, left = points[42:48].mean(axis=0), points[36:42].mean(axis=0)
    eye_distance = float(np.hypot(*(right - left)))
    drawn = np.zeros((size, size), dtype=np.uint8)  # 1 + index in REGIONS; 0 for none
    forehead = _forehead(points)
    cv2.fillPoly(drawn, [_whole(forehead)], _value("forehead"))
    for name, areas in _AREAS:
        for area in areas:
            _draw(drawn, points[list(area)], name, eye_distance)
    outline = np.zeros_like(drawn)
    hull = cv2.convexHull(_whole(np.concatenate([points, forehead])))
    cv2.fillConvexPoly(outline, hull, 1)
    drawn = _filled(drawn)
    drawn[(outline == 0) | (drawn == 0)] = _value("background")
    return {name: drawn == _value(name) for name in REGIONS}


def _value(name: str) -> int:
    return REGIONS.index(name) + 1


def _whole(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.rint(points).astype(np.int32)


def _forehead(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The brow line and, above it, the hairline: float64 (20, 2), in drawing order."""
    brows = points[17:27]
    middle = brows.mean(axis=0)
    up = (middle - points[33]) * _FOREHEAD_HEIGHT
    hairline = middle + (brows - middle) * _FOREHEAD_WIDTH + up
    return np.concatenate([brows, hairline[::-1]])


def _draw(
    drawn: NDArray[np.uint8], corners: NDArray[np.float64], name: str, eye_distance: float
) -> None:
    line = [_whole(corners)]
    is_closed = name not in _OPEN_LINES
    if is_closed:
        cv2.fillPoly(drawn, line, _value(name))
    if name in _OUTLINE:
        width = max(round(_OUTLINE[name] * eye_distance), 1)
        cv2.polylines(drawn, line, is_closed, _value(name), thickness=width)


def _filled(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give every pixel without a region the one of the nearest pixel that has one."""
    if not drawn.any():
        return drawn
    _, nearest = cv2.distanceTransformWithLabels(
        (drawn == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    # Labels number the pixels that have a region, row by row.
    values = np.zeros(int(nearest.max()) + 1, dtype=np.uint8)
    values[nearest[drawn > 0]] = drawn[drawn > 0]
    return values[nearest]
