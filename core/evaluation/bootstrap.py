"""95 % intervals by bootstrap, Wilson's where there are few images, and Newcombe's of differences.

Imports numpy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
SEED = 20240226
LEVEL = 0.95
FEW = (
    30  # images; with fewer, resamples repeat what little was seen and their interval is too short
)
_NORMAL = 1.959963984540054  # quantile of the normal distribution for LEVEL

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over faces with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int


def estimate(values: NDArray[np.float64], seed: int = SEED) -> Estimate:
    """Mean and percentile bootstrap interval (Efron 1979), repeatable.

    Args:
        values: float64 (N,), one figure a face; of two paired figures, their difference.
        seed: Of the resamples.
    """
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(values), (RESAMPLES, len(values)))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values[drawn].mean(axis=1), [tail, 1 - tail])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def mean_intervals(
    values: NDArray[np.float64], over: NDArray[np.float64] | None = None, seed: int = SEED
) -> NDArray[np.float64]:
    """Mean of each column with its percentile bootstrap interval (Efron 1979), repeatable.

    Rows are drawn whole, so that figures of one face stay together.

    Args:
        values: float64 (N, R), a row a face.
        over: float64 (N, R); where given, the ratio of the means of `values` and of these.
        seed: Of the resamples.

    Returns:
        float64 (R, 3), mean, low and high; NaN where the mean of `over` is 0, in the ends also
        where that of a resample is.
    """
    drawn = np.random.default_rng(seed).multinomial(
        len(values), np.full(len(values), 1 / len(values)), RESAMPLES
    )
    weights = np.concatenate([np.ones((1, len(values))), drawn]) / len(values)
    figures = weights @ values  # the first row is the mean itself, the others are resamples
    if over is not None:
        below = weights @ over
        figures = np.divide(figures, below, out=np.full_like(figures, np.nan), where=below > 0)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(figures[1:], [tail, 1 - tail], axis=0)
    return np.stack([figures[0], low, high], axis=1)


def interval(point: float, replicates: NDArray[np.float64], highest: float = 1.0) -> Interval:
    """Percentile interval, moved so that the median of the replicates falls on the point.

    Without the move the interval of a biased figure can miss its own point: resampled data always
    looks worse calibrated than the data. With it the point lies inside.

    Args:
        point: The figure of the data itself.
        replicates: float64 (B,), the figure of each resample.
        highest: Largest possible value; the smallest is 0.
    """
    tail = (1 - LEVEL) / 2
    low, middle, high = np.quantile(replicates, [tail, 0.5, 1 - tail])
    shift = point - middle
    return float(np.clip(low + shift, 0.0, highest)), float(np.clip(high + shift, 0.0, highest))


def wilson(right: float, trials: int) -> Interval:
    """Score interval of a share (Wilson 1927), wide also where none or all are right.

    Args:
        right: Number of successes, 0 to `trials`.
        trials: How many in all; 0 gives the whole range.
    """
    if not trials:
        return 0.0, 1.0
    share, more = right / trials, _NORMAL**2 / trials
    middle = (share + more / 2) / (1 + more)
    half = _NORMAL * np.sqrt(share * (1 - share) / trials + more / (4 * trials)) / (1 + more)
    # Rounding must not move an end past the share itself.
    return float(middle - half) if right else 0.0, float(middle + half) if right < trials else 1.0


def resamples_fail(right: float, trials: int) -> bool:
    """Whether a bootstrap interval of this share would be too short or have no length at all."""
    return trials < FEW or right in (0, trials)


def accuracy_interval(correct: Sequence[bool] | NDArray[np.bool_]) -> Interval:
    """The interval of an accuracy alone, for tables that need no other figure."""
    flags = np.asarray(correct, dtype=bool)
    if resamples_fail(int(flags.sum()), len(flags)):
        return wilson(int(flags.sum()), len(flags))
    generator = np.random.default_rng(SEED)
    right = generator.binomial(len(flags), flags.mean(), RESAMPLES) / len(flags)
    return interval(float(flags.mean()), right)


def share_difference(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, Interval]:
    """The first share less the second, of other faces, with Newcombe's interval (1998, method 10).

    Args:
        first: How many are right, and of how many; at least one.
        second: The same.
    """
    shares = [right / count for right, count in (first, second)]
    (low, high), (other_low, other_high) = wilson(*first), wilson(*second)
    difference = shares[0] - shares[1]
    down = np.hypot(shares[0] - low, other_high - shares[1])
    up = np.hypot(high - shares[0], shares[1] - other_low)
    return difference, (float(difference - down), float(difference + up))


def paired_difference(
    both: int, only_first: int, only_second: int, neither: int
) -> tuple[float, Interval]:
    """The first share less the second, of the same faces, with Newcombe's interval.

    Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10: Wilson's ends of both shares
    are squared and added, less what their correlation phi takes; its numerator is corrected for
    continuity, and it is 0 where a share is 0 or 1.

    Args:
        both: How many faces are right in both; at least one face in all four.
        only_first: How many in the first alone.
        only_second: How many in the second alone.
        neither: How many in neither.
    """
    count = both + only_first + only_second + neither
    first, second = both + only_first, both + only_second
    crossed: float = both * neither - only_first * only_second
    if crossed > 0:
        crossed = max(crossed - count / 2, 0.0)
    margins = first * (count - first) * second * (count - second)
    phi = crossed / np.sqrt(float(margins)) if margins else 0.0
    (low, high), (other_low, other_high) = wilson(first, count), wilson(second, count)
    down = _added(first / count - low, other_high - second / count, phi)
    up = _added(high - first / count, second / count - other_low, phi)
    difference = (only_first - only_second) / count
    return difference, (difference - down, difference + up)


def _added(one: float, other: float, phi: float) -> float:
    """The root of one^2 - 2 phi one other + other^2, of which rounding makes no negative."""
    return float(np.sqrt((one - other) ** 2 + 2 * (1 - phi) * one * other))
