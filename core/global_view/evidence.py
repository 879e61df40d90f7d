"""Evidence of many faces, summed by expression."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation import mean_intervals
from core.faces import REGIONS, regions
from core.preprocess import Preprocess
from core.types import BLANK, Image

if TYPE_CHECKING:
    from torch import nn

SEED = 20240229  # of the resamples; the stored figures were made with it
FEWEST = 2  # faces an interval needs
DIGITS = 4  # after the point, in the file


@dataclass(frozen=True, slots=True, eq=False)
class FaceEvidence:
    """The answer to one face and what speaks for it.

    Attributes:
        answer: Index of the class answered.
        heat: float64 (h, w), the map of that class divided by the mean of its absolute values; None
            where the map is blank.
        shares: float64 (R,), part of the positive evidence in each of `REGIONS`, sum 1; None where
            there is none.
        areas: float64 (R,), part of the picture in each region, sum 1.
        drops: float64 (R,), by how much hiding each region lowers the answer's probability.
    """

    answer: int
    heat: NDArray[np.float64] | None
    shares: NDArray[np.float64] | None
    areas: NDArray[np.float64]
    drops: NDArray[np.float64]


def chunk_evidence(
    model: "nn.Module",
    preprocess: Preprocess,
    temperature: float,
    squares: Image,
    landmarks: NDArray[np.float64],
    method: str,
    layer: str,
) -> list[FaceEvidence]:
    """Explain some faces, each for the answer the network gives.

    Args:
        model: In eval mode.
        preprocess: Of its card.
        temperature: Of its card.
        squares: Grey uint8 (N, S, S) at the size `preprocess` asks for.
        landmarks: float64 (N, 68, 2) in shares of the side.
        method: Registry name.
        layer: The layer explained.

    Raises:
        ExplainError: The method does not apply.
    """
    import torch

    from core.explain import (
        cell_shares,
        class_maps,
        evidence_shares,
        fit_masks,
        occlude_regions,
    )

    batch = torch.from_numpy(preprocess.normalise(squares))
    with torch.inference_mode():
        answers = model(batch).argmax(dim=1).clone()
    maps = class_maps(model, batch, answers, method, layer).double().numpy()
    side = preprocess.size
    found = []
    for row, answer in enumerate(answers.tolist()):
        points = (landmarks[row] * side - 0.5).astype(np.float32)
        masks = fit_masks(regions(points, side), preprocess)
        hidden = occlude_regions(model, batch[row : row + 1], masks, temperature)
        cells = cell_shares(masks, *maps[row].shape)
        shares, areas = evidence_shares(maps[row], cells), cells.mean(axis=(1, 2))
        mean = np.abs(maps[row]).mean()
        heat = maps[row] / mean if mean > BLANK else None
        found.append(FaceEvidence(answer, heat, shares, areas, hidden.drop(answer)))
    return found


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
    """Mean of each column with its bootstrap interval, as they are kept in the file.

    Args:
        values: float64 (n, R), a row a face.
        over: float64 (n, R); where given, the ratio of the means of `values` and of these.

    Returns:
        [mean, low, high] a column, None for one whose mean of `over` is 0; None for fewer than two
        faces.
    """
    if len(values) < FEWEST:
        return None
    rows = mean_intervals(values, over, SEED).round(DIGITS)
    return [None if np.isnan(row).any() else row.tolist() for row in rows]
