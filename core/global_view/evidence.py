"""What one face contributes to a global view."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.faces import REGIONS, regions
from core.preprocess import Preprocess
from core.types import BLANK, Image

if TYPE_CHECKING:
    from torch import nn


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

    from core.explain import class_maps, fit_masks, hide_regions

    batch = torch.from_numpy(preprocess.normalise(squares))
    with torch.inference_mode():
        answers = model(batch).argmax(dim=1).clone()
    maps = class_maps(model, batch, answers, method, layer).double().numpy()
    side = preprocess.size
    found = []
    for row, answer in enumerate(answers.tolist()):
        points = (landmarks[row] * side - 0.5).astype(np.float32)
        masks = fit_masks(regions(points, side), preprocess)
        hidden = hide_regions(model, batch[row : row + 1], masks, temperature)
        shares, areas = region_shares(maps[row], masks)
        mean = np.abs(maps[row]).mean()
        heat = maps[row] / mean if mean > BLANK else None
        found.append(FaceEvidence(answer, heat, shares, areas, hidden.drop(answer)))
    return found


def region_shares(
    heat: NDArray[np.float64], masks: dict[str, NDArray[np.bool_]]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
    """Part of the positive evidence in each region, and part of the picture.

    Args:
        heat: float64 (h, w).
        masks: bool (S, S) a region of `REGIONS`.
    """
    from core.explain import cell_shares

    cells = np.stack([cell_shares(masks[name], *heat.shape) for name in REGIONS])
    areas: NDArray[np.float64] = cells.mean(axis=(1, 2))
    positive = np.maximum(heat, 0)
    total = float(positive.sum())
    if total <= BLANK:
        return None, areas
    return (cells * positive).sum(axis=(1, 2)) / total, areas
