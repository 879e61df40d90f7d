"""What a network answers to the pictures of a data set: as it was measured, else asked here."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.checkpoints import WEIGHTS, list_checkpoints
from core.files import changed
from webapp import cache, checkpoints, widgets
from webapp.dataset_explorer import store
from webapp.text import counted
from webapp.waiting import Waiting

if TYPE_CHECKING:
    from core.predict import Predictor

NETWORK = "network"  # key of the choice and parameter of the address
NOBODY = ""  # in place of a network's name
CHUNK = 128  # pictures asked between two moves of the bar
LEAST = 1e-7  # a probability of 0 has this loss's


class Answers:
    """A network's probabilities for the pictures of a data set, filled in as they are asked for.

    Args:
        labels: Of the network.
        count: Pictures in the data set.
    """

    def __init__(self, labels: tuple[str, ...], count: int) -> None:
        self.labels = labels
        self.measured = 0
        self._scores = np.full((count, len(labels)), np.nan, np.float32)

    def take(self, ids: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        """Keep probabilities float64 (N, K) of pictures."""
        self._scores[ids] = scores

    def missing(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the pictures that have not been asked."""
        found: NDArray[np.int64] = ids[np.isnan(self._scores[ids, 0])]
        return found

    def joined(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows of `store.pictures` with answer, confidence and loss, missing where not asked.

        Loss is the negative logarithm of the probability of the label; there is none for a label
        that the network does not have.
        """
        ids = rows["id"].to_numpy(np.int64)
        scores = self._scores[ids]
        asked = ~np.isnan(scores[:, 0])
        best = np.where(asked, np.nan_to_num(scores).argmax(axis=1), 0)
        place = pd.Index(self.labels).get_indexer(pd.Index(rows["label"]))
        own = np.where(place >= 0, scores[np.arange(len(ids)), place], np.nan)
        return rows.assign(
            answer=np.where(asked, np.array(self.labels, dtype=object)[best], ""),
            confidence=np.where(asked, scores[np.arange(len(ids)), best], np.nan),
            loss=-np.log(np.maximum(own, LEAST)),
        )


def chosen(folder: Path) -> tuple[Path, Answers] | None:
    """The network whose answers are wanted, chosen in the sidebar, and what is known of them."""
    folders = {one.name: one for one in checkpoints.own_first(list_checkpoints())}
    if not folders:
        return None
    titles = {NOBODY: "no network", **checkpoints.titles(folders.values())}
    name = widgets.linked_choice(
        "Answers of", titles, NETWORK,
        "Shows on each picture what this network answers and how sure it is, and sorts by it. "
        "Answers come from its measurement where there is one; the others are asked here.",
    )  # fmt: skip
    if name == NOBODY:
        return None
    checkpoint = folders[name]
    prepared = changed(folder / "dataset.json")
    key = (str(folder), prepared, str(checkpoint), changed(checkpoint / WEIGHTS))
    return checkpoint, _answers(*key)


@st.cache_resource(max_entries=6, show_spinner="Reading the answers …")
def _answers(folder: str, prepared: float, checkpoint: str, weights: float) -> Answers:
    """Filled by all visitors alike; begins with what was measured."""
    from core.evaluation import Predictions, all_runs

    table = store.pictures(Path(folder))
    found = Answers(checkpoints.labels(Path(checkpoint)), len(table))
    run = next((run for run in all_runs() if str(run.folder) == checkpoint), None)
    if run is None or not run.evaluated:
        return found
    predictions = Predictions.load(run.folder)
    if predictions.labels != found.labels:
        return found
    stored = predictions.table.drop_duplicates("pixel_hash").set_index("pixel_hash")
    rows = stored.index.get_indexer(pd.Index(table["pixel_hash"]))
    known = np.flatnonzero(rows >= 0)
    scores = stored[list(found.labels)].to_numpy(np.float64)[rows[known]]
    found.take(table["id"].to_numpy(np.int64)[known], scores)
    found.measured = len(known)
    return found


def ask(folder: Path, checkpoint: Path, answers: Answers, rows: pd.DataFrame, key: str) -> bool:
    """Have the network answer to those of the rows that it was not asked; whether all are there.

    A bar tells how far it is; what was answered before Cancel stays.
    """
    ids = answers.missing(rows["id"].to_numpy(np.int64))
    waiting = Waiting((key, str(folder), str(checkpoint), len(rows)), f"cancel {key}")
    if not len(ids):
        return True
    if waiting.was_cancelled:
        waiting.offer(f"{counted(len(ids), 'picture')} without an answer: they come last.")
        return False
    predictor = cache.predictor(checkpoint)
    images = store.dataset(folder).images
    for start in range(0, len(ids), CHUNK):
        waiting.show(start / len(ids), f"{start:,} of {counted(len(ids), 'picture')} answered,")
        some = ids[start : start + CHUNK]
        answers.take(some, _probabilities(predictor, np.asarray(images[some])))
    waiting.end()
    return True


def _probabilities(predictor: "Predictor", pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    logits = predictor.logits(predictor.card.preprocess.squares(pixels))
    rows = [predictor.prediction(row).probabilities for row in logits]
    return np.stack(rows)
