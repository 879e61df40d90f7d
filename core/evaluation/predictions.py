"""What a model answered, one row an image: the table from which every figure is computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DataError
from core.evaluation.predictions_file import FACTS, StoredPredictions, in_split, scaled_to_one


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Answers of one model to labelled images.

    Attributes:
        labels: The model's classes.
        table: One row an image. Texts `path_hash`, `pixel_hash`, `source`, `origin` (a known
            collection inside a source, else ""), `part` (one of PARTS), `twin` ("exact" or "near"
            where a test image has a copy in the published train, else "") and `true` (a label);
            then one float64 column a class, the probabilities after temperature scaling.
    """

    labels: tuple[str, ...]
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """float64 (n, K), rows sum to 1."""
        values: NDArray[np.float64] = self.table[list(self.labels)].to_numpy(np.float64)
        return values

    @property
    def true(self) -> NDArray[np.int64]:
        """int64 (n,), index of the true label."""
        return self._numbers(self.table["true"])

    @property
    def predicted(self) -> NDArray[np.int64]:
        """int64 (n,), index of the most probable class; the first of equals."""
        numbers: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return numbers

    @property
    def confidence(self) -> NDArray[np.float64]:
        """float64 (n,), the highest probability of each row."""
        highest: NDArray[np.float64] = self.probabilities.max(axis=1)
        return highest

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Bool (n,)."""
        right: NDArray[np.bool_] = self.predicted == self.true
        return right

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources present, in order of appearance."""
        return tuple(str(name) for name in self.table["source"].unique())

    def where(self, chosen: NDArray[np.bool_]) -> "Predictions":
        """The rows where `chosen`, bool (n,), holds."""
        return Predictions(self.labels, self.table[chosen].reset_index(drop=True))

    def among(self, labels: Sequence[str]) -> "Predictions":
        """The answers between some of the classes alone, as `StoredPredictions.among`.

        Raises:
            DataError: One of them is none of the model's.
        """
        if tuple(labels) == self.labels:
            return self
        if unknown := [label for label in labels if label not in self.labels]:
            raise DataError(
                f"These predictions know no class {', '.join(unknown)}. Choose among: "
                f"{', '.join(self.labels)}."
            )
        kept = self.table[self.table["true"].isin(list(labels))].reset_index(drop=True)
        names = list(labels)
        scores = scaled_to_one(kept[names].to_numpy(np.float64))
        facts = kept.drop(columns=list(self.labels))
        shares = pd.DataFrame(scores, columns=names, index=kept.index)
        return Predictions(tuple(labels), pd.concat([facts, shares], axis=1))

    def of_split(self, name: str, sources: Sequence[str] | None = None) -> "Predictions":
        """The rows of one of SPLITS, of these sources only; possibly none.

        Raises:
            DataError: There is no such split.
        """
        facts = (self.table[column].to_numpy(object) for column in ("part", "twin", "source"))
        return self.where(in_split(name, sources, *facts))

    def save(self, folder: Path, *, shared: bool = True) -> None:
        """Replace the predictions of a run at once; `shared` as in `StoredPredictions.save`."""
        facts = {name: self.table[name].to_numpy(object) for name in FACTS}
        StoredPredictions(self.labels, facts, self.probabilities).save(folder, shared=shared)

    @classmethod
    def load(cls, folder: Path) -> "Predictions":
        """Read what `save` wrote, or the table that earlier versions left.

        Raises:
            CheckpointError: The predictions or their facts are missing or damaged.
        """
        stored = StoredPredictions.load(folder)
        facts = {name: pd.Series(values, dtype="str") for name, values in stored.facts.items()}
        scores = pd.DataFrame(stored.probabilities, columns=list(stored.labels))
        return cls(stored.labels, pd.concat([pd.DataFrame(facts), scores], axis=1))

    def _numbers(self, names: pd.Series) -> NDArray[np.int64]:
        return pd.Categorical(names, categories=list(self.labels)).codes.astype(np.int64)
