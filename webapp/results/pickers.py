"""Choices the views share: a run, a split, a source."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.checkpoints import list_checkpoints
from core.evaluation import SPLITS, Run, all_runs
from webapp import checkpoints
from webapp.checkpoints import source_names
from webapp.results import store

OWN = ""  # in place of a source: all the run was trained on
SPLIT_TITLES = {
    "test": "Published test",
    "test_clean": "Test without twins",
    "valid": "Clean validation",
    "published_valid": "Published validation",
    "train": "Training images",
}


def run_picker(title: str, key: str, *, other_than: Run | None = None) -> Run | None:
    """One of the evaluated runs; None, and a hint on the page, where there is none.

    Args:
        title: Of the input.
        key: Of the input, and its name in the page's address.
        other_than: A run that is offered as "none" instead of itself.
    """
    if other_than is None:
        runs = [run for run in all_runs() if store.places(run)]
    else:
        runs = [run for run in store.evaluated() if run.name != other_than.name]
    if not runs and other_than is None:
        show_how_to_begin()
        return None
    names: list[str] = [run.name for run in runs]
    by_name = {run.name: run for run in runs}
    if other_than is not None:
        names = ["", *names]
    name = st.selectbox(
        title,
        names,
        format_func=lambda name: checkpoints.title(by_name[name].folder) if name else "none",
        key=key,
        bind="query-params",
    )
    return by_name.get(name)


def place_picker(places: dict[str, Path], key: str) -> Path:
    """The folder of figures to show: those on the run's own data, or on other data.

    Args:
        places: At least one; "" for the run's own.
        key: Of the input, which is drawn only where there is a choice.
    """
    if len(places) == 1 and "" in places:
        return places[""]
    chosen = st.selectbox(
        "Measured on",
        list(places),
        format_func=lambda name: name or "its own data",
        key=key,
        help="Figures on data that were named with --data lie apart from a run's own.",
    )
    return places[chosen]


def explained_run_picker(key: str) -> Path | None:
    """One of the checkpoints here, whether measured or not; None, and a hint, without any."""
    folders = {folder.name: folder for folder in list_checkpoints()}
    if not folders:
        st.info("There is no checkpoint here yet. Train one on the training page.")
        return None
    name = st.selectbox(
        "Run", list(folders), format_func=lambda name: checkpoints.title(folders[name]), key=key
    )
    return folders.get(name)


def split_picker(report: dict[str, Any], key: str = "split") -> str:
    """One of the splits a run was evaluated on."""
    splits = [name for name in SPLITS if name in report["splits"]]
    chosen = st.selectbox(
        "Images",
        splits,
        format_func=lambda name: SPLIT_TITLES[name],
        key=key,
        bind="query-params",
    )
    st.caption(f"{SPLITS[chosen].capitalize()}.")
    return chosen


def source_picker(names: Sequence[str], key: str = "source") -> str:
    """One of a split's sources, or OWN."""
    return st.selectbox(
        "Image set",
        [OWN, *names],
        format_func=lambda name: source_names([name]) if name else "the ones it was trained on",
        key=key,
    )


def show_how_to_begin() -> None:
    """What a view shows where no run was evaluated."""
    st.info(
        "No run here has predictions yet. Evaluate one, for example with "
        "`python -m core evaluate default`; its test images must have been prepared before."
    )
