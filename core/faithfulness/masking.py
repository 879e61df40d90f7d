"""Tests that keep or take pixels by a map: average drop, increase in confidence, ROAD."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.explain import enlarged, filled
from core.faithfulness.insertion_deletion import chosen
from core.faithfulness.scorer import Score

ROAD_SHARES = (0.2, 0.4, 0.6, 0.8)  # of the pixels taken out


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """What is left of the answer when the map dims the face.

    Attributes:
        drop: float64 (N,), lost share of the probability, 0 to 1; lower is better.
        rises: bool (N,), whether the probability grew; more is better.
    """

    drop: NDArray[np.float64]
    rises: NDArray[np.bool_]


def masked(
    score: Score, batch: Tensor, targets: Tensor, maps: Tensor, whole: NDArray[np.float64]
) -> Masked:
    """Average drop and increase in confidence (Chattopadhay et al. 2018, section 4.1).

    The face is multiplied by its map, scaled to 0..1 by the map's own maximum; what the map leaves
    out becomes mid grey (zero after normalising).  A blank map leaves nothing.

    Args:
        score: Probabilities of pictures.
        batch: float32 (N, C, S, S).
        targets: int64 (N,).
        maps: float32 (N, h, w); negative values count as none.
        whole: float64 (N,), probabilities of the faces as they are.
    """
    positive = enlarged(maps, batch.shape[-1]).clamp(min=0)
    highest = positive.amax(dim=(1, 2), keepdim=True)
    share = torch.where(highest > 0, positive / highest.clamp(min=1e-30), 0.0)
    found = chosen(score(batch * share[:, None]), targets)
    drop = np.maximum(whole - found, 0) / np.maximum(whole, 1e-12)
    return Masked(drop, found > whole)


def road(
    score: Score,
    batch: Tensor,
    targets: Tensor,
    ranks: Tensor,
    shares: Sequence[float] = ROAD_SHARES,
) -> NDArray[np.float64]:
    """ROAD (Rong et al. 2022, arXiv 2202.00449): least important first minus most important first.

    Pixels are taken by rank, not by a percentile of the values, and the holes are filled from their
    surroundings by a pyramid in one batch; the paper's small noise on the filling is left out, so
    that the figure is repeatable.

    Args:
        score: Probabilities of pictures.
        batch: float32 (N, C, S, S).
        targets: int64 (N,).
        ranks: float32 (N, S, S) from `pixel_ranks`.
        shares: Of the pixels taken out.

    Returns:
        float64 (N,): mean over the shares of the class's probability with the least important
        pixels gone minus that with the most important gone, -1 to 1; higher is better.
    """
    differences = []
    for share in shares:
        least_gone = filled(batch, ranks < 1 - share)
        most_gone = filled(batch, ranks >= share)
        found = chosen(score(torch.cat([least_gone, most_gone])), targets.repeat(2))
        differences.append(found[: len(batch)] - found[len(batch) :])
    return np.asarray(np.mean(differences, axis=0))
