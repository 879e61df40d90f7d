"""Predictions, reports and pictures of runs, kept while their files stay the same."""

from pathlib import Path
from typing import Any

import streamlit as st

from core.checkpoints import evaluations_of
from core.evaluation import (
    SIX,
    Album,
    Predictions,
    Run,
    Shortcut,
    all_runs,
    load_report,
    predictions_changed,
    shortcut,
    with_intervals,
)
from core.files import changed
from core.paths import data_root


def evaluated() -> list[Run]:
    """The runs that have predictions of their present weights, by name."""
    return [run for run in all_runs() if run.evaluated]


def places(run: Run) -> dict[str, Path]:
    """Folders with a report and predictions of a run: "" for its own, others by their data."""
    own = {"": run.folder} if run.evaluated else {}
    return own | {
        name: place
        for name, place in evaluations_of(run.folder, "report.json").items()
        if predictions_changed(place)
    }


def predictions(folder: Path) -> Predictions:
    """The predictions of a run, not to be written into.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    return _predictions(str(folder), predictions_changed(folder))


def report(folder: Path) -> dict[str, Any]:
    """The report of a run, not to be written into.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    return _report(str(folder), changed(folder / "report.json"))


def answers(
    folder: Path, split: str, sources: tuple[str, ...], classes: tuple[str, ...]
) -> Predictions:
    """The predictions of a run on a split of these sources; possibly none.

    Args:
        folder: With the predictions.
        split: One of SPLITS.
        sources: Image sets.
        classes: Of the run; only the answers between these count, to faces of these.

    Raises:
        CoreError: The file is missing or damaged, or there is no such split or class.
    """
    return predictions(folder).of_split(split, sources).among(classes)


def figures(
    folder: Path, split: str, sources: tuple[str, ...], classes: tuple[str, ...]
) -> dict[str, Any]:
    """All figures of a run on a split of these sources; computed where the report has none.

    Arguments are those of `answers`.

    Raises:
        CoreError: A file is missing or damaged, or the run was not evaluated on these images.
    """
    kept = report(folder)
    parts = [part for part in (kept, kept.get(SIX)) if part and tuple(part["labels"]) == classes]
    found = parts[0]["splits"].get(split, {}) if parts else {}
    one: dict[str, Any]
    if sorted(found.get("sources", ())) == sorted(sources):
        return found
    if len(sources) == 1 and sources[0] in found.get("per_source", {}):
        one = found["per_source"][sources[0]]
        return one
    time = predictions_changed(folder)
    return _figures(str(folder), time, split, sources, classes)


def portrait_shortcut(folder: Path) -> Shortcut | None:
    """How much better happiness is found in portraits; None where that was not measured.

    Raises:
        CheckpointError: The predictions are missing or damaged.
    """
    return _shortcut(str(folder), predictions_changed(folder))


def album(sources: tuple[str, ...]) -> Album:
    """The pictures of these sources in all prepared folders."""
    folders = sorted(data_root().glob("*/dataset.json"))
    return _album(sources, tuple((str(path), changed(path)) for path in folders))


@st.cache_resource(max_entries=6, show_spinner=False)
def _predictions(folder: str, time: float) -> Predictions:
    return Predictions.load(Path(folder))


@st.cache_resource(max_entries=200, show_spinner=False)
def _shortcut(folder: str, time: float) -> Shortcut | None:
    return shortcut(Predictions.load(Path(folder)))


@st.cache_resource(max_entries=50, show_spinner=False)
def _report(folder: str, time: float) -> dict[str, Any]:
    return load_report(Path(folder), whole=True)


@st.cache_resource(max_entries=50, show_spinner="Computing …")
def _figures(
    folder: str, time: float, split: str, sources: tuple[str, ...], classes: tuple[str, ...]
) -> dict[str, Any]:
    return with_intervals(_predictions(folder, time).of_split(split, sources).among(classes))


@st.cache_resource(max_entries=2, show_spinner="Looking for the pictures …")
def _album(sources: tuple[str, ...], folders: tuple[tuple[str, float], ...]) -> Album:
    return Album(sources)
