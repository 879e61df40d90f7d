"""predictions.csv: its columns, its splits, and which of its answers are right.

Free of pandas, whose import takes longer than reading ten such files: a page that only shows
accuracies must not wait for it.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CheckpointError, DataError

SPLITS: dict[str, str] = {
    "test": "published test",
    "test_clean": "published test without the images that have a copy in the published train",
    "valid": "clean validation, taken from train and disjoint from it and from test",
    "published_valid": "published validation: re-encoded RAF-DB test images, not independent",
    "train": "the images the model was trained on",
}
PARTS = ("test", "valid", "published_valid", "train")
FACTS = ("path_hash", "pixel_hash", "source", "origin", "part", "twin", "true")

Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class RightAnswers:
    """Which answers are right, and the facts that place an image in a split.

    Attributes:
        correct: Bool (n,), whether the most probable class (the first of equals) is the label.
        part: Object (n,), one of PARTS each.
        twin: Object (n,), "" where a test image has no copy in the published train.
        source: Object (n,), name of the image's source.
    """

    correct: NDArray[np.bool_]
    part: Texts
    twin: Texts
    source: Texts

    def of_split(self, name: str, sources: Sequence[str] | None = None) -> NDArray[np.bool_]:
        """`correct` of one of SPLITS, of these sources only; possibly none.

        Raises:
            DataError: There is no such split.
        """
        return self.correct[in_split(name, sources, self.part, self.twin, self.source)]

    @classmethod
    def load(cls, path: Path) -> "RightAnswers":
        """Read what `Predictions.save` wrote.

        Raises:
            CheckpointError: The file is missing or has other columns or values.
        """
        labels = columns(path)
        types = [(name, object) for name in FACTS] + [("probabilities", float, (len(labels),))]
        try:
            with path.open(encoding="utf-8", newline="") as file:
                file.readline()
                rows = file.read()
            table = np.zeros(0, types)
            if rows:
                # Refuses rows that are longer or shorter than the header, and what is no number.
                table = np.loadtxt(
                    io.StringIO(rows), types, comments=None, delimiter=",", quotechar='"', ndmin=1
                )
        except ValueError as error:
            raise CheckpointError(damaged(path, str(error))) from error
        check(path, labels, table["true"], table["part"], table["probabilities"])
        number = {label: index for index, label in enumerate(labels)}
        true = np.array([number[label] for label in table["true"]], np.int64)
        correct = table["probabilities"].argmax(axis=1) == true
        return cls(correct, table["part"], table["twin"], table["source"])


def in_split(
    name: str, sources: Sequence[str] | None, part: Texts, twin: Texts, source: Texts
) -> NDArray[np.bool_]:
    """Which rows belong to one of SPLITS.

    Args:
        name: Of the split.
        sources: Only rows of these; None for all.
        part: Object (n,), column of that name; `twin` and `source` likewise.
        twin: See `part`.
        source: See `part`.

    Raises:
        DataError: There is no such split.
    """
    if name not in SPLITS:
        raise DataError(f"There is no split {name!r}. Choose one of: {', '.join(SPLITS)}.")
    chosen: NDArray[np.bool_] = part == ("test" if name == "test_clean" else name)
    if name == "test_clean":
        chosen &= twin == ""
    # The published validation set is a source of its own, whatever a model was trained on.
    if sources is not None and name != "published_valid":
        chosen &= np.isin(source, list(sources))
    return chosen


def columns(path: Path) -> tuple[str, ...]:
    """The classes a predictions file has a column for.

    Raises:
        CheckpointError: The file is missing, or its header is another.
    """
    try:
        with path.open(encoding="utf-8") as file:
            header = file.readline().rstrip("\n").split(",")
    except FileNotFoundError:
        run = path.parent.name
        raise CheckpointError(
            f"{run} has no {path.name}. Run: python -m core evaluate {run}"
        ) from None
    except ValueError as error:
        raise CheckpointError(damaged(path, str(error))) from error
    labels = tuple(header[len(FACTS) :])
    if tuple(header[: len(FACTS)]) != FACTS or len(labels) < 2:
        raise CheckpointError(damaged(path, f"columns {', '.join(header)}"))
    return labels


def check(
    path: Path,
    labels: Sequence[str],
    true: Sequence[Any] | Texts,
    part: Sequence[Any] | Texts,
    probabilities: NDArray[np.float64],
) -> None:
    """Refuse labels and parts that do not exist, and probabilities that are none.

    Raises:
        CheckpointError: Something is wrong with the file.
    """
    for column, values, known in (("true", true, labels), ("part", part, PARTS)):
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise CheckpointError(damaged(path, f"{column} {unknown[0]!r}"))
    if not np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-6):
        raise CheckpointError(damaged(path, "probabilities that do not sum to 1"))


def damaged(path: Path, found: str) -> str:
    """What to tell of a file with something in it that does not belong there."""
    run = path.parent.name
    return (
        f"{path.name} of {run} is damaged: found {found}. Write it again with: "
        f"python -m core evaluate {run}"
    )
