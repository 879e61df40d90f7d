"""Means with bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
SEED = 20240229


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over faces with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int


def estimate(values: NDArray[np.float64]) -> Estimate:
    """Mean and percentile bootstrap interval (Efron 1979), repeatable.

    Args:
        values: float64 (N,), one figure a face; of two paired figures, their difference.
    """
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(0, len(values), (RESAMPLES, len(values)))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values[drawn].mean(axis=1), [tail, 1 - tail])
    return Estimate(float(values.mean()), float(low), float(high), len(values))
