"""The ten raters' votes of FER+ (Barsoum et al., 2016) for pictures of FER2013, where a file is.

Two forms are read. `fer2013new.csv`, as published: a row for every row of `fer2013.csv`, so that it
fits data prepared from that table. `ferplus-votes.csv`, a table with the columns `folder` (as in
`train/angry`) and `name` of each picture, for data prepared from class folders, where names alone
repeat. Both have a column for each choice the raters had.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.pictures import split_reference
from core.errors import DataError

if TYPE_CHECKING:
    from core.data.dataset import Dataset

SOURCE = "fer2013"
CHOICES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
           "unknown", "NF")  # fmt: skip
PUBLISHED, KEYED = "fer2013new.csv", "ferplus-votes.csv"
_MOST_VOTES = 1_000_000
_SPLITS = {"Training": "train", "PublicTest": "test", "PrivateTest": "test"}


def rater_votes(dataset: "Dataset") -> pd.DataFrame | None:
    """Votes for the pictures of FER2013, from a file in the data's folder, beside it or its source.

    Args:
        dataset: Prepared data.

    Returns:
        Index id; int64 columns CHOICES. Pictures without votes are missing. None where there is no
        file, or no FER2013.

    Raises:
        DataError: The file lacks columns, holds what is no number of votes, or is about other
            pictures.
    """
    manifest = dataset.manifest
    own = manifest[manifest["source"] == SOURCE]
    path = next((path for path in _places(dataset) if path.is_file()), None)
    if own.empty or path is None:
        return None
    table = _read(path)
    keys = _rows_of_table(own) if path.name == PUBLISHED else _folders_and_names(own)
    found = table.reindex(keys[keys.isin(table.index)]).set_axis(keys.index[keys.isin(table.index)])
    if found.empty:
        raise DataError(
            f"{path.name} names none of the {len(own):,} FER2013 pictures. {PUBLISHED} fits data "
            f"prepared from fer2013.csv; for class folders, {KEYED} needs the columns folder and "
            "name."
        )
    fits = found["usage"].map(_SPLITS) == own.loc[found.index, "split"]
    if not fits.all():
        raise DataError(
            f"{path.name} puts {int((~fits).sum()):,} of {len(found):,} FER2013 pictures into "
            "another part than these data do, so its rows are about other pictures. Take it away, "
            "or prepare the data from the files it belongs to."
        )
    voted = found[list(CHOICES)].astype("int64")
    return voted[voted.sum(axis=1) > 0]


def vote_shares(
    dataset: "Dataset", ids: NDArray[np.int64], labels: Sequence[str]
) -> NDArray[np.float32]:
    """How the raters' votes for some classes are divided, for pictures that may be trained on.

    Votes for other choices (contempt, unknown, no face) are left out.

    Args:
        dataset: Prepared data.
        ids: int64 (n,), pictures; those of a test part get no votes.
        labels: K class names.

    Returns:
        float32 (n, K), each row of sum 1; not a number for a picture without such votes.

    Raises:
        DataError: There are no votes beside the data, or they do not fit.
    """
    votes = rater_votes(dataset)
    if votes is None:
        raise DataError(
            f"rater_share needs the votes of FER+, and {dataset.folder.name} has none: put "
            f"{PUBLISHED} or {KEYED} beside the prepared folder, or set rater_share=0."
        )
    trained = dataset.manifest.loc[votes.index, "split"] == "train"
    counts = votes.loc[trained, list(labels)].reindex(ids).to_numpy(np.float32)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.full(counts.shape, np.nan, np.float32)
    np.divide(counts, total, out=shares, where=total > 0)
    return shares


def contradicted(votes: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """How far raters disagree with labels.

    Args:
        votes: As `rater_votes` gives them.
        labels: Of the same index; names in CHOICES.

    Returns:
        Booleans of the same index: `fewer`, some other choice has more votes than the label;
        `majority`, more than half of the votes went to one other choice.
    """
    counts = votes[list(CHOICES)].to_numpy()
    is_label = labels.to_numpy()[:, None] == pd.Index(CHOICES).to_numpy()[None, :]
    own = (counts * is_label).sum(axis=1)
    other = (counts * ~is_label).max(axis=1)
    columns = {"fewer": other > own, "majority": 2 * other > counts.sum(axis=1)}
    return pd.DataFrame(columns, index=votes.index)


def _places(dataset: "Dataset") -> list[Path]:
    folders = [dataset.folder, dataset.folder.resolve().parent]
    for one in dataset.info.get("sources", ()):
        if one.get("name") == SOURCE:
            folders += [Path(one["root"]).parent, Path(one["root"])]
    return [folder / name for folder in folders for name in (KEYED, PUBLISHED)]


def _read(path: Path) -> pd.DataFrame:
    """The table by the key that its form has, with `usage`."""
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(CHOICES, str))
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read as a CSV ({error}).") from error
    table = table.rename(columns={"Usage": "usage"})
    keys = [] if path.name == PUBLISHED else ["folder", "name"]
    missing = [name for name in (*keys, "usage", *CHOICES) if name not in table.columns]
    if missing:
        raise DataError(
            f"{path.name} lacks the columns {', '.join(missing)}; expected the votes of FER+."
        )
    table = table.assign(**{name: _counts(path.name, table[name]) for name in CHOICES})
    if keys:
        table.index = pd.Index(table["folder"].astype(str) + "/" + table["name"].astype(str))
        table = table[~table.index.duplicated()]
    return table


def _counts(file: str, cells: pd.Series) -> pd.Series:
    """The votes for one choice; refuses cells that are no whole numbers, as they would be cut."""
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    unfit = ~(numbers.between(0, _MOST_VOTES) & (numbers % 1 == 0)).to_numpy()
    if unfit.any():
        row = int(unfit.argmax())
        cell = cells.iloc[row]
        found = "nothing" if pd.isna(cell) else repr(str(cell)[:20])
        raise DataError(
            f"{file} holds {found} under {cells.name} in row {row + 1} below the names of its "
            "columns; expected a whole number of votes, 0 or more. Correct the cell."
        )
    return numbers


def _rows_of_table(own: pd.DataFrame) -> pd.Series:
    """Row of `fer2013.csv`, -1 for a picture from elsewhere, by id."""
    numbers = [split_reference(path)[1] for path in own["path"]]
    return pd.Series([-1 if number is None else number for number in numbers], index=own["id"])


def _folders_and_names(own: pd.DataFrame) -> pd.Series:
    """The last three parts of the path, as in `train/angry/Training_1.jpg`, by id."""
    tails = ["/".join(path.partition("!")[2].split("/")[-3:]) for path in own["path"]]
    return pd.Series(tails, index=own["id"])
