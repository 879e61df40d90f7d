"""The files of a run's predictions: what is in them, splits, and which answers are right.

The answers lie in the run's folder, predictions.npz. The facts about the pictures are the same for
all runs evaluated on the same data and lie once beside the runs, facts/<hash of content>.csv.

Free of pandas, whose import takes longer than reading ten such files: a page that only shows
accuracies must not wait for it.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoints import FACTS_FOLDER, SHIPPED
from core.errors import CheckpointError, DataError
from core.files import changed, replacing
from core.tabular import CsvWriter

SPLITS: dict[str, str] = {
    "test": "published test",
    "test_clean": "published test without the images that have a copy in the published train",
    "valid": "clean validation, taken from train and disjoint from it and from test",
    "published_valid": "published validation: re-encoded RAF-DB test images, not independent",
    "train": "the images the model was trained on",
}
PARTS = ("test", "valid", "published_valid", "train")
FACTS = ("path_hash", "pixel_hash", "source", "origin", "part", "twin", "true")
FILE = "predictions.npz"
OLD_FILE = "predictions.csv"  # facts and answers as one table: still read, never written
FORMAT = 1
UNITS = 10**9  # a probability is stored as a whole number of billionths
HASH_DIGITS = 16
# What numpy raises for a file that is no such archive, lacks a part, or is cut short.
UNREADABLE = (
    OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class StoredPredictions:
    """The content of a run's predictions, as it is on disk.

    Attributes:
        labels: The model's K classes.
        facts: Object (n,) texts, not to be written into, by the names in FACTS.
        probabilities: float64 (n, K), rows sum to 1.
    """

    labels: tuple[str, ...]
    facts: Mapping[str, Texts]
    probabilities: NDArray[np.float64]

    def save(self, folder: Path, *, shared: bool = True) -> None:
        """Replace the predictions of a run: the facts first, so that answers never lack theirs.

        The facts lie beside the folder, for all runs there; or inside it, where not `shared`.
        Probabilities keep every digit. A file of the old form goes once the new one is there.
        """
        name = _save_facts(self.facts, (folder.parent if shared else folder) / FACTS_FOLDER)
        with replacing(folder / FILE) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                format=np.array(FORMAT),
                labels=np.array(self.labels, np.str_),
                facts=np.array(name, np.str_),
                answers=_whole(self.probabilities),
            )
        (folder / OLD_FILE).unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> "StoredPredictions":
        """Read the predictions of a run, in the new form or the old.

        Raises:
            CheckpointError: They or their facts are missing or damaged.
        """
        path = folder / FILE
        if path.is_file():
            stored = _load_answers(path)
        elif (folder / OLD_FILE).is_file():
            path = folder / OLD_FILE
            stored = _load_table(path)
        else:
            run = folder.name
            raise CheckpointError(f"{run} has no {FILE}. Run: python -m core evaluate {run}")
        stored._check(path)
        return stored

    def among(self, labels: Sequence[str]) -> "StoredPredictions":
        """The answers between some of the classes alone, to the images that are of these.

        Args:
            labels: Some of the model's.

        Returns:
            Probabilities scaled to sum to 1: those of a softmax over these classes' logits.
        """
        if tuple(labels) == self.labels:
            return self
        chosen = np.isin(self.facts["true"], list(labels))
        columns = [self.labels.index(label) for label in labels]
        facts = {name: values[chosen] for name, values in self.facts.items()}
        return StoredPredictions(
            tuple(labels), facts, scaled_to_one(self.probabilities[chosen][:, columns])
        )

    def _check(self, path: Path) -> None:
        """Refuse labels and parts that do not exist, and probabilities that are none."""
        for column, known in (("true", self.labels), ("part", PARTS)):
            unknown = sorted(set(self.facts[column]) - set(known))
            if unknown:
                raise CheckpointError(_damaged(path, f"{column} {unknown[0]!r}"))
        if (self.probabilities < 0).any():
            raise CheckpointError(_damaged(path, "probabilities below 0"))
        if not np.allclose(self.probabilities.sum(axis=1), 1.0, atol=1e-6):
            raise CheckpointError(_damaged(path, "probabilities that do not sum to 1"))


def scaled_to_one(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of shares, float64 (n, K), divided by their sums; rows of zeros become even."""
    sums = shares.sum(axis=1, keepdims=True)
    even = np.full_like(shares, 1 / shares.shape[1])
    scaled: NDArray[np.float64] = np.divide(shares, sums, out=even, where=sums > 0)
    return scaled


def predictions_changed(folder: Path) -> float:
    """When the predictions of a run were last written, seconds since the epoch; 0 without any."""
    return changed(folder / FILE) or changed(folder / OLD_FILE)


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
    def load(cls, folder: Path, labels: Sequence[str] = ()) -> "RightAnswers":
        """Those of the predictions of a run.

        Args:
            folder: Of the run.
            labels: Count the answers between these classes alone; those of them that the model has
                not are passed over. Empty for all of the model's.

        Raises:
            CheckpointError: The predictions or their facts are missing or damaged.
        """
        stored = StoredPredictions.load(folder)
        if labels:
            stored = stored.among([label for label in stored.labels if label in labels])
        number = {label: index for index, label in enumerate(stored.labels)}
        true = np.array([number[label] for label in stored.facts["true"]], np.int64)
        correct = stored.probabilities.argmax(axis=1) == true
        return cls(correct, *(stored.facts[name] for name in ("part", "twin", "source")))


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


def _whole(probabilities: NDArray[np.float64]) -> NDArray[Any]:
    """Billionths int32 (n, K) where that loses no digit, else the float64 as they are.

    Column after column, and in the last one only what the row lacks of 1, which is next to nothing:
    so the archive is a seventh smaller.
    """
    counts = np.rint(probabilities * UNITS)
    if not ((counts / UNITS == probabilities) & (counts >= 0) & (counts <= UNITS)).all():
        return probabilities
    return np.asfortranarray(_last_and_rest(counts.astype(np.int32)))


def _last_and_rest(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Billionths, the last column replaced by what the row lacks of 1; twice gives them back."""
    rest = UNITS - counts.sum(axis=1, dtype=np.int64)
    return np.column_stack([counts[:, :-1], rest.astype(np.int32)])


def _save_facts(facts: Mapping[str, Texts], place: Path) -> str:
    """Store facts below `place` unless they are there already; gives their hash."""
    text = io.StringIO()
    writer = CsvWriter(text)
    writer.writerow(FACTS)
    writer.writerows(zip(*(facts[name] for name in FACTS), strict=True))
    content = text.getvalue().encode()
    name = _hash(content)
    path = place / f"{name}.csv"
    if not path.is_file() or path.read_bytes() != content:
        place.mkdir(exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return name


def _hash(content: bytes) -> str:
    """The name of facts; the same for a copy whose line ends another system has changed."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()[:HASH_DIGITS]


def _load_answers(path: Path) -> StoredPredictions:
    try:
        # Opened here: numpy leaves a file open that is no archive.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if (version := int(file["format"])) != FORMAT:
                raise CheckpointError(_damaged(path, f"format {version}, expected {FORMAT}"))
            labels = tuple(str(label) for label in file["labels"])
            name, answers = str(file["facts"]), file["answers"]
    except UNREADABLE as error:
        raise CheckpointError(_damaged(path, repr(error))) from error
    if answers.dtype not in (np.int32, np.float64) or answers.shape[1:] != (len(labels),):
        found = f"answers {answers.dtype} {answers.shape} to {len(labels)} classes"
        raise CheckpointError(_damaged(path, found))
    facts = _facts_of(path, name)
    if len(facts["true"]) != len(answers):
        found = f"{len(answers)} answers to {len(facts['true'])} pictures"
        raise CheckpointError(_damaged(path, found))
    probabilities = answers if answers.dtype == np.float64 else _last_and_rest(answers) / UNITS
    return StoredPredictions(labels, facts, probabilities)


def _facts_of(path: Path, name: str) -> Mapping[str, Texts]:
    """The facts of this hash: in the run whose file `path` is, beside it, or beside the shipped."""
    run = path.parent
    for root in (run, run.parent, SHIPPED):
        facts = root / FACTS_FOLDER / f"{name}.csv"
        if facts.is_file():
            try:
                return _load_facts(facts, changed(facts))
            except ValueError as error:
                found = f"{FACTS_FOLDER}/{facts.name} with {error}"
                raise CheckpointError(_damaged(path, found)) from error
    raise CheckpointError(
        f"{run.name} has {FILE}, but no facts about its pictures: expected "
        f"{FACTS_FOLDER}/{name}.csv beside the folder of the run. Copy it from where the run "
        f"comes from, or evaluate again: python -m core evaluate {run.name}"
    )


@lru_cache(maxsize=4)
def _load_facts(path: Path, time: float) -> Mapping[str, Texts]:
    """The facts in a file last changed at `time`.

    Raises:
        ValueError: The content is not what the name says.
    """
    content = path.read_bytes()
    if _hash(content) != path.stem:
        raise ValueError("other content than its name says")
    header, rows = _parted(content)
    if header != FACTS:
        raise ValueError(f"columns {', '.join(header)}")
    table = _rows(rows, [(name, object) for name in FACTS])
    table.flags.writeable = False  # shared by all runs; so are the columns taken from it
    return {name: table[name] for name in FACTS}


def _load_table(path: Path) -> StoredPredictions:
    """The old form: a column a fact, then one a class."""
    try:
        header, rows = _parted(path.read_bytes())
        labels = header[len(FACTS) :]
        if header[: len(FACTS)] != FACTS or len(labels) < 2:
            raise ValueError(f"columns {', '.join(header)}")
        types = [(name, object) for name in FACTS] + [("answers", float, (len(labels),))]
        table = _rows(rows, types)
    except ValueError as error:
        raise CheckpointError(_damaged(path, str(error))) from error
    return StoredPredictions(labels, {name: table[name] for name in FACTS}, table["answers"])


def _parted(content: bytes) -> tuple[tuple[str, ...], str]:
    """Header and rows of a CSV file."""
    header, _, rows = content.decode("utf-8").replace("\r\n", "\n").partition("\n")
    return tuple(header.split(",")), rows


def _rows(rows: str, types: list[Any]) -> NDArray[Any]:
    """Rows as a structured array (n,); refuses other lengths, and what is no number."""
    if not rows:
        return np.zeros(0, types)
    table: NDArray[Any] = np.loadtxt(
        io.StringIO(rows), types, comments=None, delimiter=",", quotechar='"', ndmin=1
    )
    return table


def _damaged(path: Path, found: str) -> str:
    """What to tell of a file with something in it that does not belong there."""
    run = path.parent.name
    return (
        f"{path.name} of {run} is damaged: found {found}. Write it again with: "
        f"python -m core evaluate {run}"
    )
