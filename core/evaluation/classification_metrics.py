"""Figures of predictions, each with its interval."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from core.evaluation.bootstrap import FEW, RESAMPLES, SEED, interval, resamples_fail, wilson
from core.evaluation.calibration import BINS, bin_numbers, expected_calibration_error
from core.evaluation.predictions import Predictions

CHUNK = 4_000_000  # random numbers held at once
OVERALL = ("accuracy", "macro_f1", "balanced_accuracy", "nll", "ece")
PER_CLASS = ("precision", "recall", "f1")


def confusion(predictions: Predictions) -> NDArray[np.int64]:
    """Counts int64 (K, K): rows are true labels, columns predicted ones."""
    from sklearn.metrics import confusion_matrix

    counts: NDArray[np.int64] = confusion_matrix(
        predictions.true, predictions.predicted, labels=range(len(predictions.labels))
    )
    return counts


def metrics(predictions: Predictions) -> dict[str, Any]:
    """All figures as fractions, 0 to 1, in a form fit for JSON.

    Macro-F1 and balanced accuracy are means over the classes that occur among the true labels. A
    class that is never predicted has precision 0; one that never occurs has recall and F1 0.

    Returns:
        n, accuracy, macro_f1, balanced_accuracy, nll (nats an image), ece (15 bins), per_class
        (precision, recall, f1, support by label), confusion (rows are true labels).

    Raises:
        DataError: There is no row.
    """
    from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support

    if not len(predictions):
        raise DataError("There are no predictions of this split. Evaluate on data that has it.")
    true, predicted = predictions.true, predictions.predicted
    classes = range(len(predictions.labels))
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=classes, zero_division=0.0
    )
    present = support > 0
    return {
        "n": len(true),
        "accuracy": float(accuracy_score(true, predicted)),
        "macro_f1": float(f1[present].mean()),
        "balanced_accuracy": float(recall[present].mean()),
        "nll": float(log_loss(true, predictions.probabilities, labels=classes)),
        "ece": expected_calibration_error(predictions.confidence, predictions.correct),
        "per_class": {
            label: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
            }
            for i, label in enumerate(predictions.labels)
        },
        "confusion": confusion(predictions).tolist(),
    }


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
        without images has none. Shares of few images, or of none or all, have Wilson's interval.
    """
    generator = np.random.default_rng(seed)
    replicates = confusion_replicates(confusion(predictions), resamples, generator)
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
    return found | _of_few(confusion(predictions), predictions.labels, found)


def _of_few(
    counts: NDArray[np.int64], labels: Sequence[str], found: dict[str, Any]
) -> dict[str, Any]:
    """What replaces bootstrap intervals where these would be too short.

    F1 = 2 j / (1 + j) grows with j = TP / (TP + FP + FN), a share, so that Wilson's ends of j give
    those of F1. Ends of means over classes are the means of the classes' ends, which is cautious.
    """
    n, right = int(counts.sum()), int(np.trace(counts))
    every: dict[str, dict[str, list[float]]] = {}
    new: dict[str, Any] = {"per_class": {}}
    for i, label in enumerate(labels):
        hits, support, answers = (
            int(v) for v in (counts[i, i], counts[i].sum(), counts[:, i].sum())
        )
        if not support:
            continue
        either = support + answers - hits
        every[label] = {
            "precision": list(wilson(hits, answers)),
            "recall": list(wilson(hits, support)),
            "f1": [2 * end / (1 + end) for end in wilson(hits, either)],
        }
        few = {
            name: resamples_fail(hits, trials)
            for name, trials in (("precision", answers), ("recall", support), ("f1", support))
        }
        new["per_class"][label] = {
            name: every[label][name] if few[name] else found["per_class"][label][name]
            for name in PER_CLASS
        }
    if resamples_fail(right, n):
        new["accuracy"] = list(wilson(right, n))
    if n < FEW:
        for name, part in (("macro_f1", "f1"), ("balanced_accuracy", "recall")):
            ends = [ranges[part] for ranges in every.values()]
            new[name] = [float(end) for end in np.mean(ends, axis=0)]
    return new


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replicates in which the class occurs."""
    return values[~np.isnan(values)]


def confusion_replicates(
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
