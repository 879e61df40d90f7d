"""The exclude list: pictures a person has judged unfit, kept beside the splits.

`splits/exclude.csv` has the columns `pixel_hash,source,path,reason`. Pictures are known by their
pixels, so the list survives a new preparation and may be handed to another data set of the same
sources. Excluded pictures are dropped from every split.
"""

from hashlib import sha256
from pathlib import Path

import pandas as pd

from core.data.dataset import write_csv
from core.errors import DataError

EXCLUDE_COLUMNS = ["pixel_hash", "source", "path", "reason"]


def exclude_path(folder: Path) -> Path:
    """Where a data set keeps its list."""
    return folder / "splits" / "exclude.csv"


def read_exclude(path: Path) -> pd.DataFrame:
    """The list, empty where there is none.

    Raises:
        DataError: The file has other columns.
    """
    if not path.is_file():
        return pd.DataFrame(columns=EXCLUDE_COLUMNS, dtype=str)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} cannot be read as a CSV ({error}).") from error
    if "pixel_hash" not in table.columns:
        raise DataError(
            f"{path.name} has the columns {', '.join(table.columns)}; "
            f"an exclude list needs at least pixel_hash (of {', '.join(EXCLUDE_COLUMNS)})."
        )
    table["pixel_hash"] = table["pixel_hash"].str.strip().str.lower()
    return table.reindex(columns=EXCLUDE_COLUMNS, fill_value="")


def write_exclude(folder: Path, table: pd.DataFrame) -> None:
    """Replace a data set's list; `prepare` with the same sources then renews its splits.

    Args:
        folder: Of the data set.
        table: Columns as at the top of this file; all but pixel_hash may be missing.
    """
    kept = table.reindex(columns=EXCLUDE_COLUMNS, fill_value="").fillna("")
    write_csv(exclude_path(folder), kept.drop_duplicates("pixel_hash"))


def read_handed(path: Path) -> pd.DataFrame:
    """A list that a user names, without rows that name no picture.

    Raises:
        DataError: It is absent or no exclude list.
    """
    if not path.is_file():
        raise DataError(f"The exclude list {path} does not exist.")
    table = read_exclude(path)
    return table[table["pixel_hash"] != ""]


def adopt(table: pd.DataFrame, folder: Path) -> None:
    """Add the rows of `read_handed` to a data set's list; a picture on both keeps its own row."""
    own = read_exclude(exclude_path(folder))
    if not table["pixel_hash"].isin(own["pixel_hash"]).all():
        write_exclude(folder, pd.concat([own, table], ignore_index=True))


def count_excluded(path: Path, manifest: pd.DataFrame) -> tuple[int, int]:
    """How many different pictures of the list at `path` are in a data set, and on the list.

    Raises:
        DataError: As `read_handed`.
    """
    hashes = set(read_handed(path)["pixel_hash"])
    return len(hashes & set(manifest["pixel_hash"])), len(hashes)


def digest(folder: Path) -> str:
    """sha256 of the hashes on the list, "" for an absent or empty list."""
    hashes = sorted(set(read_exclude(exclude_path(folder))["pixel_hash"]))
    return sha256("\n".join(hashes).encode()).hexdigest() if hashes else ""


def ids(folder: Path, manifest: pd.DataFrame) -> list[int]:
    """Ids of the pictures on the list; equal pictures share their fate."""
    hashes = set(read_exclude(exclude_path(folder))["pixel_hash"])
    return manifest.loc[manifest["pixel_hash"].isin(hashes), "id"].astype(int).tolist()
