"""95 % intervals of all figures by bootstrap, vectorised and repeatable."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import RESAMPLES, SEED, interval
from core.evaluation.calibration import BINS, bin_numbers
from core.evaluation.figures import confusion
from core.evaluation.predictions import Predictions

CHUNK = 4_000_000  # random numbers held at once
OVERALL = ("accuracy", "macro_f1", "balanced_accuracy", "nll", "ece")
PER_CLASS = ("precision", "recall", "f1")


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
