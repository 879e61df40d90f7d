"""95 % intervals of all figures by bootstrap, vectorised and repeatable."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.calibration import BINS, bin_numbers
from core.evaluation.figures import confusion
from core.evaluation.predictions import Predictions

RESAMPLES = 2000
SEED = 20240226
LEVEL = 0.95
CHUNK = 4_000_000  # random numbers held at once
OVERALL = ("accuracy", "macro_f1", "balanced_accuracy", "nll", "ece")
PER_CLASS = ("precision", "recall", "f1")

Interval = tuple[float, float]


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


def intervals(
    predictions: Predictions,
    figures: dict[str, Any],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Any]:
    """Intervals [low, high] of the figures that `metrics` gave for the same predictions.

    Returns:
        One entry a name in OVERALL, and `per_class`: label -> {precision, recall, f1}; a class
        without images has none.
    """
    generator = np.random.default_rng(seed)
    replicates = _from_confusion(confusion(predictions), resamples, generator)
    replicates |= _from_rows(predictions, resamples, generator)
    found: dict[str, Any] = {}
    for name in OVERALL:
        highest = np.inf if name == "nll" else 1.0
        found[name] = list(interval(figures[name], replicates[name], highest))
    found["per_class"] = {
        label: {
            name: list(interval(figures["per_class"][label][name], _known(replicates[name][:, i])))
            for name in PER_CLASS
        }
        for i, label in enumerate(predictions.labels)
        if figures["per_class"][label]["support"]
    }
    return found


def accuracy_interval(correct: Sequence[bool] | NDArray[np.bool_]) -> Interval:
    """The interval of an accuracy alone, for tables that need no other figure."""
    flags = np.asarray(correct, dtype=bool)
    generator = np.random.default_rng(SEED)
    right = generator.binomial(len(flags), flags.mean(), RESAMPLES) / len(flags)
    return interval(float(flags.mean()), right)


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replicates in which the class occurs."""
    return values[~np.isnan(values)]


def _from_confusion(
    counts: NDArray[np.int64], resamples: int, generator: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Replicates of all figures that the confusion matrix decides.

    Drawing n images with replacement draws the cells of their matrix from a multinomial
    distribution, so the images themselves need not be touched.
    """
    n, size = int(counts.sum()), len(counts)
    drawn = generator.multinomial(n, counts.ravel() / n, resamples)
    cells = drawn.reshape(resamples, size, size).astype(np.float64)
    right = np.einsum("bkk->bk", cells)
    support, answers = cells.sum(axis=2), cells.sum(axis=1)
    absent = support == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = right / support
        precision = np.where(answers > 0, right / answers, 0.0)
        f1 = 2 * right / (support + answers)
    recall[absent] = precision[absent] = f1[absent] = np.nan
    return {
        "accuracy": right.sum(axis=1) / n,
        "macro_f1": np.nanmean(f1, axis=1),
        "balanced_accuracy": np.nanmean(recall, axis=1),
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }


def _from_rows(
    predictions: Predictions, resamples: int, generator: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Replicates of the log-likelihood and of the calibration error."""
    n = len(predictions)
    probabilities = predictions.probabilities
    likely = probabilities[np.arange(n), predictions.true]
    confidence = predictions.confidence
    columns = np.zeros((n, BINS + 1))
    columns[np.arange(n), bin_numbers(confidence)] = confidence - predictions.correct
    # The same floor as in scikit-learn's log_loss.
    columns[:, BINS] = -np.log(np.maximum(likely, np.finfo(np.float64).eps))
    sums = np.empty((resamples, BINS + 1))
    step = max(1, CHUNK // n)
    for start in range(0, resamples, step):
        many = min(step, resamples - start)
        drawn = generator.integers(0, n, (many, n))
        drawn += np.arange(many)[:, None] * n
        weights = np.bincount(drawn.ravel(), minlength=many * n).reshape(many, n).astype(float)
        sums[start : start + many] = weights @ columns
    return {"ece": np.abs(sums[:, :BINS]).sum(axis=1) / n, "nll": sums[:, BINS] / n}
