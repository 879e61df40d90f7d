"""Thin lines around the strongest places of a map, seen on light and on dark skin."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.drawing.text import BLACK, WHITE
from core.types import Image

GRID = 64  # cells of the square in which places are looked for, whatever the picture's size
_FINER = 2  # times, for the edges
LEAST_SIDE = 48  # pixels of a face; a smaller one would vanish under its line
_BLUR = 1 / 24  # of the side: speckles count by what they add up to around them
_SHARE = 0.9  # quantile above which evidence is strong
_OF_PEAK = 0.2  # of the strongest; weaker places are not strong, however empty the rest is
LEAST_SEEN = 0.2  # of the strongest colour; a map as weak as that has no strong place
_RIVAL = 0.25  # of the other sign's strongest
_ALIKE = 0.7  # of the strongest; a region that reaches it is shown beside it
_HALF = 0.5  # of the face; a larger region is no place
_SMOOTH = 7  # points of a line that are averaged
_LINE = 200  # of these widths of a line make the face's side
_DASH = 0.4  # of the way from one dash to the next; round ends and rims reach into the gap
_SUBPIXEL = 4  # bits


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A strong place of a map.

    Attributes:
        points: float32 (N, 2), x and y of its closed edge, 0 to 1 over the face's square.
        against: Whether the evidence there is against the class.
    """

    points: NDArray[np.float32]
    against: bool


def strongest_places(values: NDArray[np.float32]) -> tuple[Place, ...]:
    """The places of the strongest evidence for, then against.

    They are the connected regions, among the tenth of the face with the strongest evidence of that
    sign, that hold the strongest of all or nearly as much: of two corners of a mouth that count
    alike, neither is left out.  Neighbouring values of a sign are averaged first, so that one hot
    pixel is no place and the crowd of many is one.

    Args:
        values: float32 (GRID, GRID), from `strength`, laid out over the whole face.

    Returns:
        None of a sign whose evidence is even, or weak beside the scale or the other sign's.
    """
    crowds = [_averaged(values), _averaged(-values)]
    peaks = [float(crowd.max()) for crowd in crowds]
    strongest = (float(values.max()), float(-values.min()))
    found: list[Place] = []
    for crowd, peak, most, against in zip(crowds, peaks, strongest, (False, True), strict=True):
        if most >= LEAST_SEEN and peak >= _RIVAL * max(peaks):
            found += (Place(edge, against) for edge in _edges(crowd, peak))
    return tuple(found)


def _averaged(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is positive, averaged with its neighbours."""
    positive = np.maximum(values, 0)
    if not positive.any():
        return positive
    near = cv2.GaussianBlur(positive, (0, 0), GRID * _BLUR, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(near, dtype=np.float32)


def _edges(near: NDArray[np.float32], peak: float) -> list[NDArray[np.float32]]:
    """The edges of the regions about the peak and about what is like it, the strongest first.

    None where one of them takes most of the face.
    """
    rank = int(_SHARE * (near.size - 1))
    least = max(float(np.partition(near.ravel(), rank)[rank]), _OF_PEAK * peak)
    fine = np.asarray(cv2.resize(near, None, fx=_FINER, fy=_FINER), dtype=np.float32)
    _, regions = cv2.connectedComponents((fine >= least).astype(np.uint8))
    alike = np.unique(regions[fine >= _ALIKE * fine.max()])
    found: list[tuple[float, NDArray[np.float32]]] = []
    for number in alike[alike > 0].tolist():
        region = regions == number
        edges, _ = cv2.findContours(
            region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        if cv2.contourArea(edges[0]) > _HALF * fine.size:
            return []
        found.append((float(fine[region].max()), _smoothed(edges[0], len(fine))))
    return [edge for _, edge in sorted(found, key=lambda one: -one[0])]


def _smoothed(edge: NDArray[np.int32], side: int) -> NDArray[np.float32]:
    """A closed line without its steps, 0 to 1 over a square of so many pixels."""
    points = edge[:, 0].astype(np.float32)
    around = points[np.arange(-_SMOOTH, len(points)) % len(points)]
    total = np.cumsum(around, axis=0, dtype=np.float64)
    mean = (total[_SMOOTH:] - total[:-_SMOOTH]) / _SMOOTH
    return ((mean + 0.5) / side).astype(np.float32)


def draw_places(
    canvas: Image, places: tuple[Place, ...], matrix: NDArray[np.float64], side: float
) -> None:
    """Draw the edges: whole and white for evidence, broken and black against, each with a rim.

    Args:
        canvas: RGB uint8 (H, W, 3), changed.
        places: Of `strongest_places`; nothing is drawn of a face below `LEAST_SIDE`.
        matrix: float64 (2, 3), from the face's square, 0 to 1, to pixels of the canvas.
        side: Of the face on the canvas, in pixels.
    """
    if side < LEAST_SIDE:
        return
    width = max(round(side / _LINE), 1)
    rim = 2 if side >= _LINE else 1
    for place in places:
        points = place.points @ matrix[:, :2].T + matrix[:, 2]
        lines = _dashes(points, max(12.0, side / 20)) if place.against else [points]
        drawn = [np.rint(line * 2**_SUBPIXEL).astype(np.int32) for line in lines]
        inks = (WHITE, BLACK) if place.against else (BLACK, WHITE)
        for ink, extra in zip(inks, (rim, 0), strict=True):
            cv2.polylines(
                canvas, drawn, not place.against, ink, width + extra, cv2.LINE_AA, _SUBPIXEL
            )


def _dashes(points: NDArray[np.float64], apart: float) -> list[NDArray[np.float64]]:
    """Pieces of a closed line, one in about `apart` pixels."""
    closed = np.concatenate([points, points[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    count = max(round(float(along[-1]) / apart), 2)
    step = along[-1] / count
    starts = np.arange(count)[:, None] * step + np.linspace(0, _DASH * step, 4)
    x, y = (np.interp(starts, along, closed[:, axis]) for axis in range(2))
    return list(np.stack([x, y], axis=2))
