"""Choices the views share: a run, a split, a source."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.checkpoints import DEFAULT_CHECKPOINT, is_checkpoint, is_own, list_checkpoints
from core.data import source_names
from core.evaluation import SIX, SPLITS, Run, all_runs
from core.paths import read_only
from webapp import checkpoints, navigation, widgets
from webapp.errors import shown_errors
from webapp.results import store
from webapp.waiting import Show, Waiting

PAPERS = "The paper's six"
OWN = ""  # in place of a source: all the run was trained on
SPLIT_TITLES = {
    "test": "Published test",
    "test_clean": "Test without copies of training images (twins)",
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
    by_name = {run.name: run for run in runs}
    _warn_of_link(key, by_name)
    place = st.container()  # above the toggle, which decides what there is to choose
    titles = _titles([run.folder for run in runs], key)
    name = widgets.linked_choice(
        title,
        titles if other_than is None else {"": "none", **titles},
        key,
        "Your own runs come first.",
        place=place,
        initial=DEFAULT_CHECKPOINT if other_than is None else "",
    )
    return by_name.get(name)


def _warn_of_link(key: str, offered: Collection[str]) -> None:
    """Say so where the address names a run that is not here, not merely none of those offered."""
    if st.query_params.get(key) and st.query_params[key] not in offered:
        here = {run.name for run in all_runs()} | {one.name for one in list_checkpoints()}
        navigation.warn_of_link(key, here)


def _titles(folders: Sequence[Path], key: str) -> dict[str, str]:
    """Names and titles to choose from; runs shipped as figures only where they are asked for."""
    ordered = checkpoints.own_first(folders)
    records = [one for one in ordered if not is_own(one) and not is_checkpoint(one)]
    if records and len(records) < len(ordered):
        asked = st.query_params.get(key, "") in {one.name for one in records}
        with_records = st.toggle(
            f"{len(records)} more without weights",
            value=asked,
            key=f"{key} records",
            help="Earlier and smaller trainings that the app comes with as figures only.",
        )
        if not with_records:
            ordered = [one for one in ordered if one not in records]
    return checkpoints.titles(ordered)


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


def explained_run_picker() -> Path | None:
    """One of the checkpoints here, whether measured or not; None, and a hint, without any."""
    folders = {folder.name: folder for folder in list_checkpoints()}
    if not folders:
        st.info("There is no trained network here yet. Train one first.")
        navigation.link(navigation.TRAINING, "Train a network")
        return None
    _warn_of_link("run", folders)
    titles = checkpoints.titles(checkpoints.own_first(folders.values()))
    place = st.container()
    name = widgets.linked_choice("Run", titles, "run", place=place, initial=DEFAULT_CHECKPOINT)
    navigation.network_links(name, here=navigation.RESULTS)
    return folders.get(name)


def six_picker(report: dict[str, Any]) -> bool:
    """Whether only the answers between the paper's six classes count.

    Drawn for networks that know more alone; others have no such choice.
    """
    if SIX not in report:
        return False
    every = f"All {len(report['labels'])} classes"
    chosen = st.segmented_control(
        "Answers between",
        (every, PAPERS),
        default=every,
        required=True,
        key="answers",
        help="The paper's networks know no neutral: to stand beside them, a network that does is "
        "asked about faces of the six classes alone, and its answer is the likeliest of the six.",
    )
    return bool(chosen == PAPERS)


def split_picker(report: dict[str, Any]) -> str:
    """One of the splits a run was evaluated on; `report` may be its part about six classes."""
    splits = [name for name in SPLITS if name in report["splits"]]
    chosen = st.selectbox(
        "Images",
        splits,
        format_func=lambda name: SPLIT_TITLES[name],
        key="split",
        bind="query-params",
    )
    if (about := SPLITS[chosen].capitalize()) != SPLIT_TITLES[chosen]:
        st.caption(f"{about}.")
    return chosen


def source_picker(names: Sequence[str]) -> str:
    """One of a split's sources, or OWN."""
    return st.selectbox(
        "Image set",
        [OWN, *names],
        format_func=lambda name: source_names([name]) if name else "its own sets",
        key="source",
        bind="query-params",
    )


def measuring(words: str, verb: Sequence[str], label: str, measure: Callable[[Show], None]) -> None:
    """Say that something was not measured, and offer to do it; where nothing is written, how.

    Args:
        words: What is missing.
        verb: Of the command line, which does the same.
        label: Of the button.
        measure: Does it, and tells its bar how far it is.
    """
    st.info(words)
    command = " ".join(("python -m core", *verb))
    if read_only():
        st.caption("This server is read-only. On the command line:")
        st.code(command, language=None)
        return
    st.caption(
        "It takes minutes, and the pictures must be prepared here. Keep this page open "
        f"meanwhile, or use the command line: `{command}`."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        is_asked = st.button(label, key=f"measure {verb[0]}", type="primary")
        navigation.link(navigation.EXPLORER, "Prepare a data set", **{navigation.OPEN: "Prepare"})
    if is_asked:
        waiting = Waiting((*verb,), f"cancel {verb[0]}")
        waiting.forget()
        with shown_errors():
            measure(waiting.show)
            st.rerun()
        waiting.end()


def show_how_to_begin() -> None:
    """What a view shows where no run was evaluated."""
    st.info(
        "No run here has predictions yet. Evaluate one, for example with "
        "`python -m core evaluate default`; its test images must have been prepared before."
    )
    with st.container(horizontal=True, gap="medium"):
        navigation.link(navigation.EXPLORER, "Prepare a data set", **{navigation.OPEN: "Prepare"})
        navigation.link(navigation.TRAINING, "Train a network")
