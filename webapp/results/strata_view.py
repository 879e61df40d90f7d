"""How a network's figures change with a condition: head turn, sharpness, a list of faces."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.checkpoints import title_of
from core.data import source_names
from core.errors import CoreError
from core.evaluation import (
    FEW,
    SPLITS,
    measure_strata,
    stored_strata,
    strata_rows,
)
from core.paths import read_only
from core.tabular import table_text
from webapp import navigation
from webapp.chart_frame import draw_chart, table_height
from webapp.charts.results import strata_chart
from webapp.errors import shown_errors
from webapp.results import pickers, store
from webapp.results.paper_tables import export_buttons
from webapp.text import counted, literal, percent
from webapp.waiting import Show

STRATA_FIGURES = {
    "Right": ("accuracy", "share of right answers"),
    "Less the rest": ("difference", "share right, less that of all other faces of the image set"),
    "Answered": ("coverage", "share of faces whose answer is not unclear"),
    "Macro-F1": ("macro_f1", "macro-F1"),
    "Faithfulness": ("gap", "insertion minus deletion of the recommended map"),
}
SIGNED = ("difference", "gap")
CONDITIONS = {
    "stratum": "What the data's own table says",
    "head_turn": "Head turn",
    "sharpness": "Sharpness",
}
LARGEST_LIST = 20  # MB
NEW = "new grouping"  # in the session: what the form measured last, to be shown


def strata_view() -> None:
    """A checkpoint's figures by condition, and the form that measures further ones."""
    st.subheader("How does accuracy change with head turn and sharpness?")
    st.caption(
        "The test faces are parted by such a condition, and each part (stratum) has its own "
        "figures: of faces turned little or far, blurred or sharp. These two are measured in the "
        "pictures; other conditions, such as covered faces, take a list of yours that says which "
        "faces are which. Image sets stand apart, since they differ more than these parts do."
    )
    run = pickers.explained_run_picker()
    if run is None:
        return
    kept = {
        _grouping_title(found, one): (found, one)
        for found in stored_strata(run)
        for one in reversed(found["groupings"])
    }
    if kept:
        if (new := st.session_state.pop(NEW, None)) in kept:
            st.session_state["grouping"] = new
        name = st.selectbox("Parted by", list(kept), key="grouping")
        found, grouping = kept[name]
        _strata_figures(run, found, grouping)
    else:
        _offer(run)
    if not read_only():
        with st.expander(f"Part by {'another condition' if kept else 'a list or condition'}"):
            _strata_form(run)


def _offer(run: Path) -> None:
    """Say what is to come, and measure what needs no list at a click."""
    by = [one for one in CONDITIONS if one != "stratum"]

    def measure(show: Show) -> None:
        def told(done: int, total: int) -> None:
            show(done / total, f"Landmarks of {done:,} of {total:,} faces,")

        measure_strata(run, by=by, on_progress=told)

    words = (
        f"“{literal(title_of(run))}” was not measured by condition yet. Then a chart "
        "stands here for each image set: how often the network is right for faces turned little or "
        "far, and for blurred and sharp ones, with 95 % intervals."
    )
    title = "Measure by head turn and sharpness"
    lacking = "" if read_only() else _lacking(run)
    if lacking:
        st.info(words)
        st.caption(lacking)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(title, key="measure strata", type="primary", disabled=True, help=lacking)
            navigation.link(
                navigation.EXPLORER, "Prepare a data set", **{navigation.OPEN: "Prepare"}
            )
        return
    verb = ("strata", run.name, *(part for one in by for part in ("--by", one)))
    pickers.measuring(words, verb, title, measure)


def _lacking(run: Path) -> str:
    """Why nothing can be measured in the test pictures; "" where it can be, or is not known."""
    try:
        sources = store.report(run)["splits"]["test"]["sources"]
    except (CoreError, KeyError):
        return ""
    if len(store.album(tuple(sorted(sources)))):
        return ""
    return (
        "It cannot be measured yet: head turn and sharpness are measured in the test pictures, and "
        f"those of {literal(source_names(sources))} are not prepared here."
    )


def _grouping_title(found: dict[str, Any], grouping: dict[str, Any]) -> str:
    split = pickers.SPLIT_TITLES[grouping["split"]].lower()
    return f"{_condition(grouping['name'])}, {split} of {found['data']}"


def _condition(name: str) -> str:
    return CONDITIONS.get(name, name)


def _strata_figures(run: Path, found: dict[str, Any], grouping: dict[str, Any]) -> None:
    rows = strata_rows(grouping)
    titles = [
        title
        for title, (name, _) in STRATA_FIGURES.items()
        if any(row.get(name) is not None for row in rows)
    ]
    title = st.segmented_control(
        "Figure", titles, default=titles[0], required=True, key="figure of strata"
    )
    name, axis = STRATA_FIGURES[title]
    for source in dict.fromkeys(row["images"] for row in rows):
        st.subheader(literal(source_names([source])))
        if said := ends_in_words([row for row in rows if row["images"] == source]):
            st.markdown(said)
        draw_chart(
            strata_chart(
                [row for row in rows if row["images"] == source],
                name,
                axis,
                expected=name == "accuracy",
                is_share=name not in SIGNED,
            ),
            key=f"strata {source}",
            alt=f"{title} by stratum of {source_names([source])}",
        )
    for note in grouping["notes"]:
        st.caption(literal(note))
    st.caption(literal(_how(found, grouping, rows)))
    st.dataframe(
        pd.DataFrame([_strata_cells(row) for row in rows]),
        hide_index=True,
        height=table_height(len(rows)),
        placeholder="-",
        key="strata",
        column_config={
            "Image set": st.column_config.TextColumn(pinned=True, width=90),
            "Stratum": st.column_config.TextColumn(pinned=True, width=110),
            "Faces": st.column_config.NumberColumn(format="localized"),
        },
    )
    export_buttons(lambda form: table_text(rows, form), f"strata-{run.name}", "strata")


def ends_in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Where the network is right most and least often; "" without two parts of enough faces.

    Args:
        rows: Of `core.evaluation.strata_rows`, of one image set.
    """
    known = [row for row in rows if row["stratum"] and row["faces"] >= FEW]
    if len(known) < 2:
        return ""
    ordered = sorted(known, key=lambda row: row["accuracy"])
    least, most = (
        f"“{literal(row['stratum'])}”: {percent(row['accuracy'])} of "
        f"{counted(row['faces'], 'face')}"
        for row in (ordered[0], ordered[-1])
    )
    return f"Right most often in {most}; least often in {least}."


def _how(found: dict[str, Any], grouping: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """What the figures are, in sentences."""
    few = sum(row["faces"] < FEW for row in rows)
    text = (
        f"Parted by {grouping['about']}. In %, with 95 % intervals (Wilson's for shares, "
        f"Newcombe's for differences, else bootstrap). Below a confidence of "
        f"{percent(found['threshold'])} the app says “unclear”. Expected is what would be "
        "right if every expression were recognised as often as among all other faces: a stratum "
        "with fewer happy faces has fewer right answers by that alone. Macro-F1 is given where "
        "every expression has enough faces."
    )
    if few:
        text += f" {few} of {len(rows)} strata have fewer than {FEW} faces, which say little."
    if "method" in grouping:
        text += (
            f" Faithfulness is that of {grouping['method']} on at most {grouping['faces']} faces a "
            "stratum that were answered as they are labelled."
        )
    return text


def _strata_cells(row: dict[str, Any]) -> dict[str, Any]:
    def with_ends(name: str, form: str, unit: int = 100) -> str | None:
        value, low, high = (row.get(f"{name}{end}") for end in ("", "_low", "_high"))
        if value is None:
            return None
        ends = (
            "" if low is None or high is None else f" ({unit * low:{form}} to {unit * high:{form}})"
        )
        return f"{unit * value:{form}}{ends}"

    def alone(name: str) -> str | None:
        return None if row[name] is None else f"{100 * row[name]:.1f}"

    cells = {
        "Image set": source_names([row["images"]]),
        "Stratum": row["stratum"] or "in none",
        "Faces": row["faces"],
        "Right %": with_ends("accuracy", ".1f"),
        "Less the rest": with_ends("difference", "+.1f"),
        "Expected %": alone("expected"),
        "Macro-F1 %": with_ends("macro_f1", ".1f"),
        "Answered %": with_ends("coverage", ".1f"),
        "Of them right %": alone("accuracy_answered"),
    }
    if "gap" in row:
        cells["Gap"] = with_ends("gap", "+.3f", 1)
        cells["Ahead of controls"] = with_ends("lead", "+.3f", 1)
    return cells


def _strata_form(run: Path) -> None:
    """Part the results of a run by a list, or by conditions that need none."""
    with st.form("strata form", border=False):
        listed = st.file_uploader(
            "A list: CSV with a column of picture names and one that says which part each is in, "
            "such as “glasses”",
            type=["csv", "tsv", "txt"],
            max_upload_size=LARGEST_LIST,
            key="strata list",
        )
        column = st.text_input("The column of parts, where there are several", key="strata column")
        by = st.multiselect(
            "Or without a list", list(CONDITIONS), format_func=_condition, key="strata by"
        )
        split = st.selectbox(
            "Images", list(SPLITS), format_func=pickers.SPLIT_TITLES.__getitem__, key="strata split"
        )
        st.caption(
            "Head turn and sharpness are estimated from the pictures, which must be prepared here; "
            "finding the landmarks of thousands of faces takes minutes the first time."
        )
        if st.form_submit_button(
            "Measure",
            key="measure list",
            help=f"`python -m core strata {run.name} LIST.csv` does the same; with `--faces 100` "
            "it also measures how true explanations are of each part.",
        ):
            with shown_errors():
                _measure_strata(run, listed, column.strip() or None, by, split)


def _measure_strata(
    run: Path, listed: UploadedFile | None, column: str | None, by: list[str], split: str
) -> None:
    if listed is None and not by:
        st.warning("Give a list, or choose a condition that needs none.")
        return
    with TemporaryDirectory() as folder:
        path = None
        if listed is not None:
            path = Path(folder) / Path(listed.name).name
            path.write_bytes(listed.getvalue())
        bar = st.progress(0.0, "Reading …")

        def show(done: int, total: int) -> None:
            bar.progress(done / total, f"Landmarks of {done:,} of {total:,} faces")

        found = measure_strata(
            run,
            path,
            column=column,
            by=by,
            split=split,
            on_progress=show,
        )
        bar.empty()
    st.session_state[NEW] = _grouping_title(found, found["groupings"][0])
    st.rerun()
