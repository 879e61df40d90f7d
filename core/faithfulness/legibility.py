"""Can a reader take a map in?  Its likeness to itself without detail, and its strongest places."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.explain import enlarged, smoothed
from core.types import BLANK

STRONGEST = 0.1  # share of the pixels that are called the strongest
LEAST_PLACE = 1 / 1024  # of the pixels: 4 of 64x64, below which an eye sees no place


@dataclass(frozen=True, slots=True, eq=False)
class Legibility:
    """What was measured of maps at the size of the face.

    Attributes:
        likeness: float64 (N,), Pearson's correlation of a map with itself blurred by a sixteenth of
            the side, -1 to 1; NaN for a constant map.
        places: int64 (N,), connected places (8 neighbours) that the strongest tenth forms; 0 for a
            constant map.
    """

    likeness: NDArray[np.float64]
    places: NDArray[np.int64]


def legibility(maps: Tensor, side: int) -> Legibility:
    """Measure maps as they are shown.

    Args:
        maps: float32 (N, h, w).
        side: Of the face, in pixels.
    """
    shown = enlarged(maps, side).double()
    soft = smoothed(shown[:, None])[:, 0]
    flat, blurred = (
        one.flatten(1) - one.flatten(1).mean(dim=1, keepdim=True) for one in (shown, soft)
    )
    norms = flat.norm(dim=1) * blurred.norm(dim=1)
    constant = shown.amax(dim=(1, 2)) - shown.amin(dim=(1, 2)) <= BLANK
    likeness = torch.where(constant, torch.nan, (flat * blurred).sum(dim=1) / norms)
    places = [
        0 if blank else _places(one)
        for one, blank in zip(shown.numpy(), constant.tolist(), strict=True)
    ]
    return Legibility(likeness.numpy(), np.array(places, dtype=np.int64))


def _places(values: NDArray[np.float64]) -> int:
    strongest = values > np.quantile(values, 1 - STRONGEST)
    _, _, facts, _ = cv2.connectedComponentsWithStats(strongest.astype(np.uint8), connectivity=8)
    sizes = facts[1:, cv2.CC_STAT_AREA]  # the first is what lies outside
    return int((sizes >= LEAST_PLACE * values.size).sum())
