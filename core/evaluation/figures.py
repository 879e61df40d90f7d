"""The figures of a set of predictions, from scikit-learn.

It is imported where it computes: a page that only shows figures need not wait for it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from core.evaluation.calibration import expected_calibration_error
from core.evaluation.predictions import Predictions


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
