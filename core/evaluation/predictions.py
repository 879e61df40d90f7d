"""What a model answered, one row an image: the file from which every figure is computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import CheckpointError, DataError
from core.files import replacing

SplitName = Literal["test", "test_clean", "valid", "published_valid", "train"]
SPLITS: dict[str, str] = {
    "test": "published test",
    "test_clean": "published test without the images that have a copy in the published train",
    "valid": "clean validation, taken from train and disjoint from it and from test",
    "published_valid": "published validation: re-encoded RAF-DB test images, not independent",
    "train": "the images the model was trained on",
}
PARTS = ("test", "valid", "published_valid", "train")
FACTS = ("path_hash", "pixel_hash", "source", "origin", "part", "twin", "true")
BRIEF = ("source", "part", "twin", "true")


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

    def of_split(self, name: str, sources: Sequence[str] | None = None) -> "Predictions":
        """The rows of one of SPLITS, of these sources only; possibly none.

        Raises:
            DataError: There is no such split.
        """
        if name not in SPLITS:
            raise DataError(f"There is no split {name!r}. Choose one of: {', '.join(SPLITS)}.")
        chosen = self.table["part"] == ("test" if name == "test_clean" else name)
        if name == "test_clean":
            chosen &= self.table["twin"] == ""
        # The published validation set is a source of its own, whatever a model was trained on.
        if sources is not None and name != "published_valid":
            chosen &= self.table["source"].isin(list(sources))
        return self.where(chosen.to_numpy(bool))

    def save(self, path: Path) -> None:
        """Replace the file at once; probabilities keep every digit."""
        with replacing(path) as temporary:
            self.table.to_csv(temporary, index=False, lineterminator="\n")

    @classmethod
    def load(cls, path: Path, *, brief: bool = False) -> "Predictions":
        """Read what `save` wrote.

        Args:
            path: The file.
            brief: Leave out the columns that name single images, which halves the time.

        Raises:
            CheckpointError: The file is missing or has other columns or values.
        """
        wanted = BRIEF if brief else FACTS
        types = dict.fromkeys(wanted, "category" if brief else "str")
        try:
            with path.open(encoding="utf-8") as file:
                header = file.readline().rstrip("\n").split(",")
            labels = tuple(header[len(FACTS) :])
            if tuple(header[: len(FACTS)]) != FACTS or len(labels) < 2:
                raise CheckpointError(_damaged(path, f"columns {', '.join(header)}"))
            table = pd.read_csv(
                path, dtype=types, keep_default_na=False, usecols=[*wanted, *labels]
            )
        except FileNotFoundError:
            run = path.parent.name
            raise CheckpointError(
                f"{run} has no {path.name}. Run: python -m core evaluate {run}"
            ) from None
        except (ValueError, UnicodeDecodeError) as error:
            raise CheckpointError(_damaged(path, str(error))) from error
        loaded = cls(labels, table)
        loaded._check(path)
        return loaded

    def _check(self, path: Path) -> None:
        if not isinstance(self.table.index, pd.RangeIndex):
            raise CheckpointError(_damaged(path, "rows longer than the header"))
        for column, known in (("true", self.labels), ("part", PARTS)):
            unknown = sorted(set(self.table[column].unique()) - set(known))
            if unknown:
                raise CheckpointError(_damaged(path, f"{column} {unknown[0]!r}"))
        for label in self.labels:
            if self.table[label].dtype.kind not in "fiu" and len(self):
                raise CheckpointError(_damaged(path, f"a {label} that is no number"))
        if not np.allclose(self.probabilities.sum(axis=1), 1.0, atol=1e-6):
            raise CheckpointError(_damaged(path, "probabilities that do not sum to 1"))

    def _numbers(self, names: pd.Series) -> NDArray[np.int64]:
        return pd.Categorical(names, categories=list(self.labels)).codes.astype(np.int64)


def _damaged(path: Path, found: str) -> str:
    run = path.parent.name
    return (
        f"{path.name} of {run} is damaged: found {found}. Write it again with: "
        f"python -m core evaluate {run}"
    )
