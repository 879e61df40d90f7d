"""Rank correlation of maps."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor


def spearman(first: Tensor, second: Tensor) -> NDArray[np.float64]:
    """Spearman's rank correlation of each pair of maps.

    Args:
        first: float32 (N, h, w).
        second: float32 (N, h, w).

    Returns:
        float64 (N,), -1 to 1; NaN where a map is constant, since it has no order.
    """
    ranks = [
        rankdata(maps.reshape(len(maps), -1).numpy(), axis=1).astype(np.float64)
        for maps in (first, second)
    ]
    left, right = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    spread = np.sqrt((left**2).sum(axis=1) * (right**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = np.where(
            spread > 0, (left * right).sum(axis=1) / spread, np.nan
        )
    return found


def mean_or_none(values: NDArray[np.float64]) -> float | None:
    """Mean of the numbers among the values; None where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
