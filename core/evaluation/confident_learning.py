"""Pictures in the order in which their labels are doubtful, by answers of a network.

Confident learning (Northcutt, Jiang and Chuang, 2021, https://arxiv.org/abs/1911.00068). Only
answers count that did not learn the picture's own label: those of the network itself where it was
not trained, else those of a linear probe, logistic regression on what the network's head gets,
fitted in folds to the other pictures. The features of such a network have seen the labels: what it
has learnt by heart, a probe does not find.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.checkpoints import WEIGHTS
from core.errors import DataError
from core.evaluation.calibration import scaled
from core.evaluation.prepared import learnt_pictures
from core.files import fingerprint, read_object, write_json, write_text
from core.models import Card
from core.tabular import frame_csv

if TYPE_CHECKING:
    from core.data import Dataset

FOLDS = 5
REGULARISATION = 0.01  # scikit-learn's C of the probe; features are standardised
FEWEST = 50  # pictures; with fewer, a probe has nothing to learn from
DECIMALS = 5  # of a probability
KEPT = "mislabelled"  # folder of kept tables in the prepared data's
PROBE, OWN = "linear probe", "network"
COLUMNS = ["id", "source", "path", "pixel_hash", "label", "answer", "confidence",
           "label_probability", "margin", "suspect"]  # fmt: skip
_TEXT = ("source", "path", "pixel_hash", "label", "answer")

Rows = NDArray[np.int64]
Scores = NDArray[np.float64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class LabelErrors:
    """A ranking.

    Attributes:
        table: A row a picture, most doubtful first: COLUMNS. `confidence` is the probability of the
            answer, `margin` as `normalised_margin` gives it, `suspect` as `confident_errors`.
        facts: checkpoint, weights_fingerprint, data_hash, order_hash, part, sources (None for all),
            answers (PROBE or OWN), left_out (pictures whose label the network does not have), drawn
            (how many were drawn at random; None for all).
    """

    table: pd.DataFrame
    facts: dict[str, Any]

    def save(self, folder: Path) -> Path:
        """Keep the ranking in a prepared data set's folder; gives the table's path."""
        path = kept_path(folder, str(self.facts["checkpoint"]), str(self.facts["part"]))
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)  # never facts about another table
        write_text(path, frame_csv(self.table))
        write_json(path.with_suffix(".json"), self.facts)
        return path


def kept_label_errors(dataset: "Dataset", checkpoint: Path, part: str) -> LabelErrors | None:
    """The ranking kept for a part; None where there is none of these data and weights."""
    path = kept_path(dataset.folder, checkpoint.name, part)
    facts = read_object(path.with_suffix(".json"))
    try:
        current = {"data_hash": dataset.data_hash, **_weights(checkpoint)}
        is_other_order = facts.get("order_hash", dataset.order_hash) != dataset.order_hash
        if is_other_order or any(facts.get(name) != value for name, value in current.items()):
            return None
        types: dict[str, Any] = dict.fromkeys(_TEXT, str)
        table = pd.read_csv(path, dtype=types, keep_default_na=False)
    except (OSError, ValueError):
        return None
    return LabelErrors(table, facts) if list(table.columns) == COLUMNS else None


def label_errors(
    checkpoint: Path,
    dataset: "Dataset",
    part: str = "train",
    sources: Sequence[str] | None = None,
    *,
    most: int | None = None,
    on_progress: Progress = lambda done, total: None,
) -> LabelErrors:
    """Rank the pictures of a part of the clean split by how doubtful their labels are.

    Args:
        checkpoint: Its folder.
        dataset: Prepared data.
        part: "train", "valid" or "test".
        sources: Only these; None for all.
        most: At most so many pictures, drawn at random, always the same; None for all.
        on_progress: Called with pictures done and in all, while the network looks at them.

    Raises:
        CheckpointError: The checkpoint cannot be used.
        DataError: There is no such part or source, or too few pictures with the network's labels.
    """
    from core.evaluation.features import pooled_features  # loads torch

    card = Card.load(checkpoint / "card.json")
    every = dataset.ids("clean", part, sources)
    manifest = dataset.manifest
    labelled = manifest["label"].isin(list(card.labels)).to_numpy()
    ids = every[labelled[every]]
    if len(ids) < FEWEST:
        raise DataError(
            f"Part {part} of {dataset.folder.name} has {len(ids)} pictures with a label that "
            f"{checkpoint.name} knows; a ranking needs {FEWEST}. Choose another part or more "
            "sources."
        )
    left_out, drawn = len(every) - len(ids), most is not None and most < len(ids)
    if drawn:
        ids = np.sort(np.random.default_rng(0).choice(ids, most, replace=False))
    rows = manifest.iloc[ids]
    labels = pd.Index(card.labels).get_indexer(pd.Index(rows["label"])).astype(np.int64)
    features, logits = pooled_features(checkpoint, np.asarray(dataset.images[ids]), on_progress)
    # Of an imported network it is not known: it may have learned these labels.
    learnt = "imported" in card.data or bool(learnt_pictures(card, dataset)[ids].any())
    if learnt:
        groups = np.where(rows["group"] >= 0, rows["group"], rows["id"])
        scores = cross_validated(features, labels, groups, len(card.labels))
    else:
        scores = scaled(logits, card.temperature)
    facts = {
        "checkpoint": checkpoint.name,
        "data_hash": dataset.data_hash,
        "order_hash": dataset.order_hash,
        **_weights(checkpoint),
        "part": part,
        "sources": None if sources is None else list(sources),
        "answers": PROBE if learnt else OWN,
        "left_out": left_out,
        "drawn": len(ids) if drawn else None,
    }
    return LabelErrors(_ranked(rows, scores, labels, card.labels), facts)


def cross_validated(
    features: NDArray[np.float32], labels: Rows, groups: Rows, classes: int
) -> Scores:
    """Probabilities of each row's classes from a probe that was fitted to other folds.

    Args:
        features: float32 (n, F).
        labels: int64 (n,), 0 to `classes` - 1.
        groups: int64 (n,); rows of one group, as copies of a photograph, share a fold.
        classes: K.

    Returns:
        float64 (n, K).

    Raises:
        DataError: Without one of the folds, a single class is left.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = fold_numbers(groups, FOLDS)
    scores = np.zeros((len(labels), classes))
    for fold in range(FOLDS):
        inside = numbers == fold
        if len(np.unique(labels[~inside])) < 2:
            raise DataError(
                "The pictures have one class only, or hardly another: nothing tells a wrong label "
                "from a right one. Choose another part or more sources."
            )
        probe = make_pipeline(
            StandardScaler(), LogisticRegression(C=REGULARISATION, tol=1e-3, max_iter=2000)
        )
        probe.fit(features[~inside].astype(np.float64), labels[~inside])
        if inside.any():
            known = probe[-1].classes_
            scores[np.ix_(inside, known)] = probe.predict_proba(features[inside].astype(np.float64))
    return scores


def fold_numbers(groups: Rows, folds: int) -> Rows:
    """The fold of every row, int64 (n,): whole groups, shuffled, as many in each fold."""
    names, members = np.unique(groups, return_inverse=True)
    shuffled = np.random.default_rng(0).permutation(len(names)) % folds
    return np.asarray(shuffled[members], dtype=np.int64)


def normalised_margin(probabilities: Scores, labels: Rows) -> Scores:
    """How far a label's probability stands above that of the best other class.

    Args:
        probabilities: float64 (n, K), K at least 2.
        labels: int64 (n,).

    Returns:
        float64 (n,) from 0, certainly another class, to 1; below 0.5 the answer is another class.
    """
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = -1.0
    return np.asarray((probabilities[rows, labels] - others.max(axis=1) + 1) / 2)


def confident_errors(probabilities: Scores, labels: Rows) -> NDArray[np.bool_]:
    """Whether a picture stands off the diagonal of the confident joint, bool (n,).

    A class is a candidate where its probability reaches the mean that pictures labelled so get;
    of several, the most probable counts. Then the label is doubted where it is another.

    Args:
        probabilities: float64 (n, K).
        labels: int64 (n,).
    """
    classes = probabilities.shape[1]
    means = np.full(classes, np.inf)  # a class without pictures is nobody's candidate
    for number in np.unique(labels):
        means[number] = probabilities[labels == number, number].mean()
    candidates = np.where(probabilities >= means - 1e-9, probabilities, -1.0)
    counted = candidates.max(axis=1) >= 0
    return np.asarray(counted & (candidates.argmax(axis=1) != labels))


def _ranked(rows: pd.DataFrame, scores: Scores, labels: Rows, names: Sequence[str]) -> pd.DataFrame:
    table = rows[["id", "source", "path", "pixel_hash", "label"]].assign(
        answer=np.asarray(names, dtype=object)[scores.argmax(axis=1)],
        confidence=scores.max(axis=1),
        label_probability=scores[np.arange(len(labels)), labels],
        margin=normalised_margin(scores, labels),
        suspect=confident_errors(scores, labels),
    )
    return table.sort_values(["margin", "id"])[COLUMNS].reset_index(drop=True).round(DECIMALS)


def _weights(checkpoint: Path) -> dict[str, str]:
    return {"weights_fingerprint": fingerprint(checkpoint / WEIGHTS)}


def kept_path(folder: Path, checkpoint: str, part: str) -> Path:
    """Where a prepared data set's folder keeps the ranking of a part; facts lie beside it."""
    return folder / KEPT / f"{checkpoint}-{part}.csv"
