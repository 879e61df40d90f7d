"""Prepared data sets and what is computed from them, shared by all visitors, not to be changed.

What looks for leaks and shortcuts loads scipy, which takes longer than the first view may: it is
imported where it is used.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.checkpoints import WEIGHTS
from core.data import exclude_path, load_dataset, read_exclude, read_means, title_of
from core.errors import DataError
from core.files import read_object
from core.models import Card
from core.paths import data_root
from core.types import Image

if TYPE_CHECKING:
    from core.data import Dataset
    from core.evaluation import LabelErrors

MOST_MADE = 8  # maps and rankings kept in memory
UNLABELLED = "unlabelled"  # shown and chosen in place of the empty label


def prepared() -> dict[str, Path]:
    """Prepared data sets below the data root, the largest first, by name."""
    root = data_root()
    folders = [file.parent for file in root.glob("*/dataset.json")] if root.is_dir() else []
    sizes: dict[Path, int] = {}
    for folder in folders:
        with suppress(DataError):  # one that is being prepared anew is missing for a moment
            sizes[folder] = _size(str(folder), _changed(folder))
    ordered = sorted(sizes, key=lambda folder: (-sizes[folder], folder.name))
    return {folder.name: folder for folder in ordered}


def dataset(folder: Path) -> "Dataset":
    """The data set in a folder; opened again when it was prepared anew.

    Raises:
        DataError: It cannot be read.
    """
    return _dataset(str(folder), _changed(folder))


def findings(folder: Path) -> dict[str, Any]:
    """The audit that was written when the data set was prepared.

    Raises:
        DataError: The data set cannot be read, or its audit belongs to other pictures.
    """
    return _findings(str(folder), _changed(folder))


def pictures(folder: Path) -> pd.DataFrame:
    """One row a picture: the manifest with parts, reasons, findings and statistics.

    Columns besides the manifest's: clean, reason, origin, copies (pictures in its group), leaks,
    contradicting, excluded, brightness, contrast, sharpness. The label of an unlabelled picture
    is UNLABELLED.

    Raises:
        DataError: The data set cannot be read.
    """
    table = _pictures(str(folder), _changed(folder))
    hashes = set(read_exclude(exclude_path(folder))["pixel_hash"])
    return table.assign(excluded=table["pixel_hash"].isin(hashes))


def leaks(folder: Path) -> pd.DataFrame:
    """Pictures of one published part with a copy in another, with that copy.

    Column `mirrored` says whether it is a mirrored one.

    Raises:
        DataError: The data set cannot be read.
    """
    return _leaks(str(folder), _changed(folder))


def means(folder: Path) -> dict[str, Image]:
    """Mean faces by "source/label" and "all/label", uint8 (64, 64).

    Raises:
        DataError: The data set cannot be read.
    """
    return _means(str(folder), _changed(folder))


def feature_map(
    folder: Path,
    checkpoint: Path,
    part: str,
    amount: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Pictures of a part of the clean split, laid out as a checkpoint sees them.

    Args:
        folder: Of the data set.
        checkpoint: Folder of the network.
        part: "train", "valid" or "test".
        amount: Pictures at most, drawn at random, always the same ones.
        on_progress: Called with pictures done and in all, unless the map is there already.

    Returns:
        Columns x, y, predicted, id, label, source (its title), answer ("right", "wrong" or
        UNLABELLED).

    Raises:
        DataError: The data set cannot be read, or the part is empty.
        CheckpointError: The checkpoint cannot be used.
    """
    weights = (checkpoint / WEIGHTS).stat().st_mtime
    key = (str(folder), _changed(folder), str(checkpoint), weights, part, amount)
    found: pd.DataFrame = _kept(
        ("map", *key), lambda: _feature_map(folder, checkpoint, part, amount, on_progress)
    )
    return found


def kept_label_errors(folder: Path, checkpoint: Path, part: str) -> "LabelErrors | None":
    """The ranking of a whole part that the command `mislabelled` left; None where there is none.

    Raises:
        DataError: The data set cannot be read.
    """
    from core.evaluation import kept_path

    try:
        written = kept_path(folder, checkpoint.name, part).stat().st_mtime
    except OSError:
        return None
    weights = (checkpoint / WEIGHTS).stat().st_mtime
    return _kept_label_errors(
        str(folder), written, _changed(folder), str(checkpoint), weights, part
    )


def label_errors(
    folder: Path,
    checkpoint: Path,
    part: str,
    amount: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> "LabelErrors":
    """Pictures of a part of the clean split, those with the most doubtful labels first.

    Args:
        folder: Of the data set.
        checkpoint: Folder of the network.
        part: "train", "valid" or "test".
        amount: Pictures at most, drawn at random, always the same ones.
        on_progress: Called with pictures done and in all, unless the ranking is there already.

    Raises:
        DataError: The data set cannot be read, or the part is too small.
        CheckpointError: The checkpoint cannot be used.
    """
    from core.evaluation import label_errors as ranked

    weights = (checkpoint / WEIGHTS).stat().st_mtime
    key = ("ranking", str(folder), _changed(folder), str(checkpoint), weights, part, amount)
    found: LabelErrors = _kept(
        key,
        lambda: ranked(checkpoint, dataset(folder), part, most=amount, on_progress=on_progress),
    )
    return found


def votes(folder: Path) -> pd.DataFrame | None:
    """Votes of FER+ for pictures of FER2013 by id, where a file with them is.

    Raises:
        DataError: The data set or that file cannot be read.
    """
    return _votes(str(folder), _changed(folder))


@st.cache_resource(max_entries=1, show_spinner=False)
def shipped() -> tuple[dict[str, Any], dict[str, Image]]:
    """Audit and mean faces of the real sets, as this software brings them along."""
    from core.data import shipped_audit, shipped_means

    return shipped_audit(), shipped_means()


def _changed(folder: Path) -> float:
    """When the data set was last prepared, seconds since the epoch."""
    try:
        return (folder / "dataset.json").stat().st_mtime
    except OSError as error:
        raise DataError(
            f"{folder.name} is being prepared anew, or was taken away. Try again in a while."
        ) from error


@st.cache_resource(max_entries=100, show_spinner=False)
def _size(folder: str, changed: float) -> int:
    """Pictures in the data set; 0 where it cannot be read, which its views then say."""
    try:
        return int(json.loads((Path(folder) / "dataset.json").read_text("utf-8"))["images"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0


@st.cache_resource(max_entries=4, show_spinner="Opening the data set …")
def _dataset(folder: str, changed: float) -> "Dataset":
    return load_dataset(folder)


@st.cache_resource(max_entries=4, show_spinner="Reading the audit …")
def _findings(folder: str, changed: float) -> dict[str, Any]:
    data = _dataset(folder, changed)
    values = read_object(data.folder / "audit.json")
    if values.get("data_hash") != data.data_hash or not (data.folder / "statistics.csv").is_file():
        raise DataError(
            f"{data.folder.name} has no audit of its own: an earlier version of this software "
            "prepared it, or its preparation was cut short. Prepare it again."
        )
    return values


@st.cache_resource(max_entries=4, show_spinner="Reading the tables …")
def _pictures(folder: str, changed: float) -> pd.DataFrame:
    from core.data import conflicts, origins

    _findings(folder, changed)  # refuses what was not prepared to the end
    data = _dataset(folder, changed)
    table = data.manifest
    clean = data.split("clean")
    grouped = table["group"] >= 0
    sizes = table.loc[grouped, "group"].map(table.loc[grouped, "group"].value_counts())
    leaking = set(_leaks(folder, changed)["id_b"])
    contradicting = set(conflicts(table, exact=False)["id"])
    return table.assign(
        label=table["label"].where(table["label"] != "", UNLABELLED),
        clean=clean["part"].to_numpy(),
        reason=clean["reason"].to_numpy(),
        origin=origins(table),
        copies=sizes.reindex(table.index, fill_value=1).astype(np.int64),
        leaks=table["id"].isin(leaking),
        contradicting=table["id"].isin(contradicting),
        **{name: data.statistics[name] for name in ("brightness", "contrast", "sharpness")},
    )


@st.cache_resource(max_entries=4, show_spinner="Looking for leaks …")
def _leaks(folder: str, changed: float) -> pd.DataFrame:
    from core.data import leak_pairs, mirrored_leaks

    data = _dataset(folder, changed)
    plain, turned = leak_pairs(data, "published"), mirrored_leaks(data, "published")
    tables = [plain.assign(mirrored=False)]
    tables += [turned.assign(mirrored=True)] if len(turned) else []
    return pd.concat(tables, ignore_index=True)


@st.cache_resource(max_entries=4, show_spinner=False)
def _means(folder: str, changed: float) -> dict[str, Image]:
    path = Path(folder) / "class_means.npz"
    return read_means(path) if path.is_file() else {}


@st.cache_resource(show_spinner=False)
def _made() -> dict[tuple[object, ...], Any]:
    """What was made last; not a cache of Streamlit's, in which no bar can move."""
    return {}


def _kept(key: tuple[object, ...], make: Callable[[], Any]) -> Any:  # noqa: ANN401 - of any kind
    """What was made for this key, made now where it is not there."""
    made = _made()
    if key not in made:
        made[key] = make()
        for former in list(made)[:-MOST_MADE]:
            made.pop(former, None)
    return made[key]


def _feature_map(
    folder: Path,
    checkpoint: Path,
    part: str,
    amount: int,
    on_progress: Callable[[int, int], None],
) -> pd.DataFrame:
    from core.evaluation import feature_points  # loads torch, which the other views do without

    data = dataset(folder)
    ids = data.ids("clean", part)
    if not len(ids):
        raise DataError(f"The part {part} of {data.folder.name} is empty. Choose another one.")
    chosen = np.sort(np.random.default_rng(0).choice(ids, min(amount, len(ids)), replace=False))
    rows = pictures(folder).iloc[chosen]
    points = feature_points(checkpoint, np.asarray(data.images[chosen]), on_progress=on_progress)
    label = rows["label"].to_numpy()
    answer = np.where(points["predicted"] == label, "right", "wrong")
    known = Card.load(checkpoint / "card.json").labels
    return points.assign(
        id=chosen,
        label=label,
        source=rows["source"].map(title_of).to_numpy(),
        answer=np.where(np.isin(label, known), answer, UNLABELLED),
    )


@st.cache_resource(max_entries=4, show_spinner="Reading the ranking …")
def _kept_label_errors(
    folder: str, written: float, changed: float, checkpoint: str, weights: float, part: str
) -> "LabelErrors | None":
    from core.evaluation import kept_label_errors

    return kept_label_errors(_dataset(folder, changed), Path(checkpoint), part)


@st.cache_resource(max_entries=4, ttl=60.0, show_spinner=False)
def _votes(folder: str, changed: float) -> pd.DataFrame | None:
    from core.data import rater_votes

    return rater_votes(_dataset(folder, changed))
