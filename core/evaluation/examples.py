"""The images behind a figure: those of a cell, the surest mistakes, the least certain answers."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation.predictions import Predictions


def cell(predictions: Predictions, true: str, predicted: str) -> Predictions:
    """The images of one cell of the confusion matrix, surest first."""
    labels = predictions.labels
    chosen = predictions.where(
        (predictions.true == labels.index(true))
        & (predictions.predicted == labels.index(predicted))
    )
    return _ordered(chosen, -chosen.confidence)


def confident_mistakes(predictions: Predictions, count: int) -> Predictions:
    """The `count` wrong answers given with the highest confidence, surest first."""
    wrong = predictions.where(~predictions.correct)
    return _ordered(wrong, -wrong.confidence, count)


def most_uncertain(predictions: Predictions, count: int) -> Predictions:
    """The `count` answers whose two highest probabilities lie closest, closest first."""
    highest = np.sort(predictions.probabilities, axis=1)
    return _ordered(predictions, highest[:, -1] - highest[:, -2], count)


def _ordered(
    predictions: Predictions, key: NDArray[np.float64], count: int | None = None
) -> Predictions:
    order = np.argsort(key, kind="stable")[:count]
    table: pd.DataFrame = predictions.table.iloc[order].reset_index(drop=True)
    return Predictions(predictions.labels, table)
