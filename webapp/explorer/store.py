"""Prepared data sets and what is computed from them, shared by all visitors."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.data import audit, conflicts, exclude_path, leak_pairs, load_dataset, read_exclude
from core.paths import data_root

if TYPE_CHECKING:
    from core.data import Dataset

FLAGS = ("has copies", "leaks", "contradicting labels", "excluded")


def prepared() -> dict[str, Path]:
    """Prepared data sets below the data root, by name."""
    root = data_root()
    if not root.is_dir():
        return {}
    folders = sorted(file.parent for file in root.glob("*/dataset.json"))
    return {folder.name: folder for folder in folders}


def dataset(folder: Path) -> "Dataset":
    """The data set in a folder; opened again when it was prepared anew.

    Raises:
        DataError: It cannot be read.
    """
    return _dataset(str(folder), _changed(folder))


def findings(folder: Path) -> dict[str, Any]:
    """The audit of a data set, read from its file or made now.

    Raises:
        DataError: The data set cannot be read.
    """
    return _findings(str(folder), _changed(folder))


def pictures(folder: Path) -> pd.DataFrame:
    """One row a picture: the manifest with parts, reasons and flags.

    Columns besides the manifest's: clean, reason, copies (pictures in its group), leaks,
    contradicting, excluded.

    Raises:
        DataError: The data set cannot be read.
    """
    table = _pictures(str(folder), _changed(folder))
    hashes = set(read_exclude(exclude_path(folder))["pixel_hash"])
    return table.assign(excluded=table["pixel_hash"].isin(hashes))


def leaks(folder: Path) -> pd.DataFrame:
    """Pictures of one published part with a copy in another, with that copy."""
    return _leaks(str(folder), _changed(folder))


def _changed(folder: Path) -> float:
    return (folder / "dataset.json").stat().st_mtime


@st.cache_resource(max_entries=4, show_spinner="Opening the data set …")
def _dataset(folder: str, changed: float) -> "Dataset":
    return load_dataset(folder)


@st.cache_data(max_entries=4, show_spinner="Auditing the data set …")
def _findings(folder: str, changed: float) -> dict[str, Any]:
    import json

    path = Path(folder) / "audit.json"
    if path.is_file() and path.stat().st_mtime >= changed - 1:
        values: dict[str, Any] = json.loads(path.read_text())
        return values
    return audit(_dataset(folder, changed))


@st.cache_data(max_entries=4, show_spinner="Reading the tables …")
def _pictures(folder: str, changed: float) -> pd.DataFrame:
    data = _dataset(folder, changed)
    table = data.manifest.copy()
    clean = data.split("clean")
    table["clean"], table["reason"] = clean["part"].to_numpy(), clean["reason"].to_numpy()
    grouped = table["group"] >= 0
    sizes = table.loc[grouped, "group"].map(table.loc[grouped, "group"].value_counts())
    table["copies"] = sizes.reindex(table.index, fill_value=1).astype(np.int64)
    table["leaks"] = table["id"].isin(set(_leaks(folder, changed)["id_b"]))
    table["contradicting"] = table["id"].isin(set(conflicts(table, exact=False)["id"]))
    return table


@st.cache_data(max_entries=4, show_spinner=False)
def _leaks(folder: str, changed: float) -> pd.DataFrame:
    return leak_pairs(_dataset(folder, changed), "published")
