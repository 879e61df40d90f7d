"""How far each run carries: image sets, the portrait shortcut, and strata of their faces."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core import CoreError
from core.evaluation import (
    FEW,
    SPLITS,
    Run,
    by_source,
    measure_strata,
    stored_strata,
    strata_rows,
)
from core.paths import read_only
from core.tabular import table_text
from webapp import checkpoints
from webapp.chart_frame import draw_chart, table_height
from webapp.charts.results import strata_chart
from webapp.checkpoints import source_names
from webapp.errors import shown_errors
from webapp.results import pickers, store
from webapp.results.paper_tables import export_buttons
from webapp.text import counted, literal, percent

PART_NAMES = {"test": "test", "valid": "clean validation"}
FIGURES = {"Accuracy": "accuracy", "Macro-F1": "macro_f1"}
STRATA_FIGURES = {
    "Right": ("accuracy", "share of right answers"),
    "Less the rest": ("difference", "share right, less that of all other faces of the image set"),
    "Answered": ("coverage", "share of faces whose answer is not unclear"),
    "Macro-F1": ("macro_f1", "macro-F1"),
    "Faithfulness": ("gap", "insertion minus deletion of the recommended map"),
}
SIGNED = ("difference", "gap")
CONDITIONS = {
    "stratum": "The data's own strata",
    "head_turn": "Head turn",
    "sharpness": "Sharpness",
}
LARGEST_LIST = 20  # MB
RUN = 290  # px of a run's title


def sources_view() -> None:
    """A row a run and a column an image set, then the shortcut of every run."""
    runs = store.evaluated()
    if not runs:
        pickers.show_how_to_begin()
        return
    figure = st.segmented_control(
        "Figure", list(FIGURES), default="Accuracy", required=True, key="figure of sources"
    )
    st.dataframe(
        pd.DataFrame([_row(run, FIGURES[figure]) for run in runs]),
        hide_index=True,
        height=table_height(len(runs)),
        key="sources",
        placeholder="-",
        column_config={"Run": st.column_config.TextColumn(pinned=True, width=RUN)},
    )
    st.caption(
        "In %, with the 95 % interval; on the published test of each image set, or on clean "
        "validation where it has none. A set is marked with * where neither the run nor the "
        "network it began with was trained on it. Of a network that knows neutral these are its "
        "answers between the six expressions, to faces of these: the same pictures for all."
    )
    _shortcuts(runs)


def _row(run: Run, figure: str) -> dict[str, object]:
    row: dict[str, object] = {"Run": checkpoints.title(run.folder)}
    with shown_errors():
        for one in by_source(store.report(run.folder), six=True):
            low, high = getattr(one, f"{figure}_interval")
            mark = "" if one.seen else " *"
            text = f"{100 * getattr(one, figure):.1f} ({100 * low:.1f} to {100 * high:.1f}){mark}"
            row[f"{source_names([one.source])}, {PART_NAMES[one.part]}"] = text
    return row


def _shortcuts(runs: list[Run]) -> None:
    st.subheader("The portrait shortcut")
    st.caption(
        "Nearly all happiness images of AffectNet are FFHQ portraits, so a network can learn the "
        "kind of picture instead of the expression. Then it finds happiness in portraits better "
        "than elsewhere, and calls other portraits happy."
    )
    found: list[dict[str, object]] = []
    left: list[str] = []
    for run in runs:
        try:
            found += _shortcut_rows(run)
        except CoreError as error:
            left.append(str(error))
    if left:
        with st.expander(f"{counted(len(left), 'run')} left out here, and why"):
            for reason in left:
                st.caption(literal(reason))
    if not (found or left):
        st.info("No run was evaluated on AffectNet yet, so there is nothing to compare.")
    if not found:
        return
    st.dataframe(
        pd.DataFrame(found),
        hide_index=True,
        height=table_height(len(found)),
        key="shortcut",
        column_config={
            "Run": st.column_config.TextColumn(pinned=True, width=RUN),
            "Difference (95 %)": st.column_config.TextColumn(width=170),
            **dict.fromkeys(
                ("Happy portraits", "Happy others"),
                st.column_config.NumberColumn(format="localized"),
            ),
            **{
                name: st.column_config.NumberColumn(format="%.1f")
                for name in found[0]
                if name.endswith("%")
            },
        },
    )


def _shortcut_rows(run: Run) -> list[dict[str, object]]:
    found = store.portrait_shortcut(run.folder)
    if found is None:
        return []
    false = found.false_portraits
    return [
        {
            "Run": checkpoints.title(run.folder),
            "Portraits %": 100 * found.portraits,
            "Elsewhere %": 100 * found.others,
            "Difference (95 %)": (
                f"{100 * (found.portraits - found.others):+.1f} "
                f"({100 * found.low:.1f} to {100 * found.high:.1f})"
            ),
            "Other portraits called happy %": None if false is None else 100 * false,
            "Happy portraits": found.n_portraits,
            "Happy others": found.n_others,
        }
    ]


def strata_view() -> None:
    """A checkpoint's figures by condition, and the form that measures further ones."""
    st.caption(
        "A stratum is a part of the test faces: those a list names, as occluded or turned, those "
        "whose head is turned so far, or those as sharp. Image sets are told apart, since they "
        "differ more than strata do."
    )
    run = pickers.explained_run_picker()
    if run is None:
        return
    _strata_form(run)
    kept = {
        f"{_condition(one['name'])}, {pickers.SPLIT_TITLES[one['split']].lower()} of "
        f"{found['data']}": (found, one)
        for found in stored_strata(run)
        for one in reversed(found["groupings"])
    }
    if not kept:
        title = literal(checkpoints.title(run))
        where = "With" if read_only() else "Do it above, or with"
        st.info(
            f"The results of {title} were not parted by stratum yet. {where} "
            f"`python -m core strata {run.name} LIST.csv`."
        )
        return
    name = st.selectbox("Parted by", list(kept), key="grouping")
    found, grouping = kept[name]
    _strata_figures(run, found, grouping)


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


def _how(found: dict[str, Any], grouping: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """What the figures are, in sentences."""
    few = sum(row["faces"] < FEW for row in rows)
    text = (
        f"Parted by {grouping['about']}. In %, with 95 % intervals (Wilson's for shares, "
        f"Newcombe's for differences, else bootstrap). Below a confidence of "
        f"{percent(found['threshold'])} the app says “unclear”. Expected is what the recalls of "
        "all other faces give for the stratum's mix of expressions: a stratum with fewer happy "
        "faces has fewer right answers by that alone. Macro-F1 is given where every expression "
        "has enough faces."
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
    """Part the results of a run by another condition; not where nothing may be written."""
    if read_only():
        return
    with st.expander("Part by another condition"), st.form("strata form", border=False):
        listed = st.file_uploader(
            "A list: CSV with a column of picture names and one of strata",
            type=["csv", "tsv", "txt"],
            max_upload_size=LARGEST_LIST,
            key="strata list",
        )
        column = st.text_input("Its column of strata, where it has several", key="strata column")
        by = st.multiselect(
            "Or without a list", list(CONDITIONS), format_func=_condition, key="strata by"
        )
        split = st.selectbox(
            "Images", list(SPLITS), format_func=pickers.SPLIT_TITLES.__getitem__, key="strata split"
        )
        st.caption(
            "Head turn and sharpness are estimated from the pictures; landmarks of thousands of "
            "faces take minutes the first time. The data must be prepared here. Faithfulness by "
            f"stratum is measured with `python -m core strata {run.name} LIST.csv --faces 100`."
        )
        if st.form_submit_button("Measure", key="measure strata"):
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

        measure_strata(
            run,
            path,
            column=column,
            by=by,
            split=split,
            on_progress=show,
        )
        bar.empty()
