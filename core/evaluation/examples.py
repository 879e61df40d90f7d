"""The pictures behind a figure."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data import load_dataset
from core.errors import DataError
from core.evaluation.predictions import Predictions
from core.evaluation.prepared import prepared_folders, sources_of
from core.types import Image


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


class Album:
    """Looks up pictures by source and pixel hash in all prepared folders below the data root.

    Args:
        sources: Only folders with one of these sources are opened.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self._places: dict[tuple[str, str], tuple[Path, int]] = {}
        self._images: dict[Path, Image] = {}
        for folder, info in prepared_folders().items():
            wanted = set(sources) & set(sources_of(info))
            if not wanted:
                continue
            try:
                dataset = load_dataset(folder)
                rows = dataset.manifest[dataset.manifest["source"].isin(wanted)]
                self._images[folder] = dataset.images
            except (DataError, OSError, ValueError, KeyError):
                continue  # another folder may hold the same pictures
            keys = zip(rows["source"], rows["pixel_hash"], strict=True)
            for key, row in zip(keys, rows["id"], strict=True):
                self._places.setdefault(key, (folder, int(row)))

    def __len__(self) -> int:
        return len(self._places)

    def pictures(self, table: pd.DataFrame) -> list[Image | None]:
        """Grey squares, uint8 (64, 64), of a predictions table's rows; None where absent."""
        found: list[Image | None] = []
        for key in zip(table["source"], table["pixel_hash"], strict=True):
            place = self._places.get(key)
            if place is None:
                found.append(None)
            else:
                folder, row = place
                found.append(np.array(self._images[folder][row]))
        return found
