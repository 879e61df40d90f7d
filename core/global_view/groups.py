"""Faces of one label, answered rightly or wrongly, taken together."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faces import REGIONS
from core.global_view.evidence import FaceEvidence

RESAMPLES = 2000
LEVEL = 0.95
SEED = 20240229
FEWEST = 2  # faces an interval needs
DIGITS = 4  # after the point, in the file


@dataclass(slots=True, eq=False)
class Group:
    """Sums over faces that arrive one by one; memory does not grow with their maps.

    Attributes:
        side: Cells a side of the mean map.
        faces: What was said of each face's regions.
        total: float64 (side, side), sum of the warped maps.
        maps: How many maps it sums.
    """

    side: int
    faces: list[FaceEvidence] = field(default_factory=list)
    maps: int = 0
    total: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.total = np.zeros((self.side, self.side))

    def add(self, face: FaceEvidence, warped: NDArray[np.float64] | None) -> None:
        """Take a face in; `warped` is its map on the mean face, None where it is blank."""
        if warped is not None:
            self.total += warped
            self.maps += 1
        self.faces.append(FaceEvidence(face.answer, None, face.shares, face.areas, face.drops))


def group_json(group: Group) -> dict[str, Any]:
    """A group as plain values.

    Returns:
        `n` faces, `blank` of them without any evidence, `map`: rows of the mean map, 1 being an
        even map's value, None without maps, and `regions`: name -> {area, share, lift, drop}, the
        last three [mean, low, high] with 95 % bootstrap intervals over faces, or None.
    """
    shown = [face for face in group.faces if face.shares is not None]
    shares = np.array([face.shares for face in shown]).reshape(len(shown), len(REGIONS))
    areas = np.array([face.areas for face in shown]).reshape(len(shown), len(REGIONS))
    drops = np.array([face.drops for face in group.faces]).reshape(-1, len(REGIONS))
    found: dict[str, dict[str, Any]] = {}
    measures = {
        "share": mean_and_ends(shares),
        "lift": mean_and_ends(shares, areas),
        "drop": mean_and_ends(drops),
    }
    for number, name in enumerate(REGIONS):
        area = float(areas[:, number].mean()) if len(areas) else None
        found[name] = {"area": None if area is None else round(area, DIGITS)}
        for measure, values in measures.items():
            found[name][measure] = None if values is None else values[number]
    mean = (group.total / group.maps).round(DIGITS).tolist() if group.maps else None
    return {
        "n": len(group.faces),
        "blank": len(group.faces) - group.maps,
        "map": mean,
        "regions": found,
    }


def mean_and_ends(
    values: NDArray[np.float64], over: NDArray[np.float64] | None = None
) -> list[list[float] | None] | None:
    """Mean of each column with the ends of its percentile bootstrap interval (Efron 1979).

    Args:
        values: float64 (n, R), a row a face.
        over: float64 (n, R); where given, the ratio of the means of `values` and of these.

    Returns:
        [mean, low, high] a column, None for one whose mean of `over` is 0; None for fewer than two
        faces.
    """
    if len(values) < FEWEST:
        return None
    drawn = np.random.default_rng(SEED).multinomial(
        len(values), np.full(len(values), 1 / len(values)), RESAMPLES
    )
    weights = np.concatenate([np.ones((1, len(values))), drawn]) / len(values)
    figures = weights @ values  # the first row is the mean itself, the others are resamples
    if over is not None:
        below = weights @ over
        figures = np.divide(figures, below, out=np.full_like(figures, np.nan), where=below > 0)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(figures[1:], [tail, 1 - tail], axis=0)
    rows = np.stack([figures[0], low, high], axis=1).round(DIGITS)
    return [None if np.isnan(row).any() else row.tolist() for row in rows]
