"""The pictures behind a figure, and where predicted faces lie in prepared data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.checkpoints import WEIGHTS
from core.data import Dataset, load_dataset
from core.errors import CheckpointError, DataError
from core.evaluation.collecting import Progress, wanted_rows
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import SPLITS
from core.evaluation.prepared import TestSet, own_sources, prepared_folders, sources_of
from core.evaluation.report_file import load_report
from core.files import fingerprint, replacing
from core.models import Card
from core.paths import cache_folder
from core.types import Image

CHUNK = 64  # faces between two steps of progress


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
        self._names: dict[Path, NDArray[np.object_]] = {}
        for folder, info in prepared_folders().items():
            wanted = set(sources) & set(sources_of(info))
            if not wanted:
                continue
            try:
                dataset = load_dataset(folder)
                rows = dataset.manifest[dataset.manifest["source"].isin(wanted)]
                self._images[folder] = dataset.images
                self._names[folder] = dataset.manifest["path"].to_numpy(object)
            except (DataError, OSError, ValueError, KeyError):
                continue  # another folder may hold the same pictures
            keys = zip(rows["source"], rows["pixel_hash"], strict=True)
            for key, row in zip(keys, rows["id"], strict=True):
                self._places.setdefault(key, (folder, int(row)))

    def __len__(self) -> int:
        return len(self._places)

    def names(self, table: pd.DataFrame) -> list[str]:
        """File names of a predictions table's rows, as in the sources; "" where absent."""
        places = map(self._places.get, zip(table["source"], table["pixel_hash"], strict=True))
        return ["" if place is None else str(self._names[place[0]][place[1]]) for place in places]

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


@dataclass(frozen=True, slots=True, eq=False)
class PlacedFaces:
    """The faces of a split that a checkpoint was asked about, and where they lie.

    Attributes:
        predictions: N rows.
        threshold: Confidence below which an answer is unclear.
        chosen: The prepared data.
        places: N rows, `data` (index into `chosen`, -1 where the picture is not in them), `id`.
    """

    predictions: Predictions
    threshold: float
    chosen: Sequence[TestSet]
    places: pd.DataFrame

    @property
    def sources(self) -> NDArray[np.object_]:
        """Object (N,), the image set of every face."""
        return self.predictions.table["source"].to_numpy(object)

    def told(self, column: str) -> NDArray[np.object_]:
        """A manifest's column, object (N,); "" where the picture or the column is not there."""
        found = np.full(len(self.places), "", dtype=object)
        for number, rows, ids in self.by_data():
            manifest = self.chosen[number].dataset.manifest
            if column in manifest:
                found[rows] = manifest[column].to_numpy(object)[ids]
        return found

    def by_data(self) -> list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """Of each data set: its index, rows int64 (n,) of its faces, their ids int64 (n,)."""
        data, ids = (self.places[name].to_numpy(np.int64) for name in ("data", "id"))
        rows = [(number, np.flatnonzero(data == number)) for number in range(len(self.chosen))]
        return [(number, some, ids[some]) for number, some in rows if len(some)]


def placed_faces(
    folder: Path, home: Path, card: Card, chosen: Sequence[TestSet], split: str
) -> PlacedFaces:
    """The predicted faces of a split, found again in the prepared data.

    Args:
        folder: Of the checkpoint, with its weights.
        home: Of the predictions and their report.
        card: Of the checkpoint.
        chosen: The prepared data.
        split: One of SPLITS.

    Raises:
        CheckpointError: There are no predictions of these weights.
        DataError: None of them is in the split, or in the data.
    """
    again = f"Run: python -m core evaluate {folder.name}"
    report = load_report(home)
    if report.get("weights_fingerprint") != fingerprint(folder / WEIGHTS):
        raise CheckpointError(
            f"The predictions of {folder.name} were made by other weights than those there. {again}"
        )
    predictions = Predictions.load(home).of_split(split)
    dataset = chosen[0].dataset
    train = own_sources(card, dataset.info) if split == "train" else ()
    tables = [wanted_rows(tested, predictions.labels, card, train) for tested in chosen]
    wanted = pd.concat([table.assign(data=number) for number, table in enumerate(tables)])
    places = pd.DataFrame({"data": -1, "id": -1}, index=predictions.table.index)
    # Paths first: equal pixels may stand under two names.
    for key in ("path_hash", "pixel_hash"):
        keys = ["source", "part", key]
        known = wanted.drop_duplicates(keys).set_index(keys)[["data", "id"]]
        found = known.reindex(pd.MultiIndex.from_frame(predictions.table[keys]))
        open_ = (places["data"] < 0).to_numpy() & found["data"].notna().to_numpy()
        places.loc[open_, ["data", "id"]] = found.to_numpy()[open_].astype(np.int64)
    if not len(predictions) or (places["data"] < 0).all():
        raise DataError(
            f"{folder.name} has no predictions of the {SPLITS[split].split(':')[0]} of "
            f"{dataset.folder.name}. {again} --data {dataset.folder.name} for other data, or "
            "choose another split."
        )
    return PlacedFaces(predictions, float(report["threshold"]), chosen, places)


def head_turns(
    dataset: Dataset, ids: NDArray[np.int64], on_progress: Progress
) -> NDArray[np.float64]:
    """How far the heads in these pictures are turned, kept in the cache once it is known.

    Args:
        dataset: Prepared data.
        ids: int64 (n,).
        on_progress: Called with pictures done and pictures in all; fitting landmarks takes a while.

    Returns:
        float64 (n,), degrees as `head_yaw` gives them; NaN where no face was found.

    Raises:
        FaceError: The landmark model cannot run here.
    """
    from core.faces import blazeface_available, fitted_landmarks, head_yaw

    kind = "head_yaw" if blazeface_available() else "head_yaw_unseen"  # where the fits begin
    path = cache_folder(kind) / f"{dataset.order_hash[:16]}.npz"
    known = np.full(len(dataset.manifest), np.inf)  # not looked at
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            known[kept["ids"]] = kept["degrees"]
    open_ = ids[np.isinf(known[ids])]
    for start in range(0, len(open_), CHUNK):
        some = open_[start : start + CHUNK]
        known[some] = head_yaw(fitted_landmarks(np.asarray(dataset.images[some])))
        on_progress(len(ids) - len(open_) + start + len(some), len(ids))
    if len(open_):
        looked = np.flatnonzero(~np.isinf(known))
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, ids=looked, degrees=known[looked])
    return known[ids]
