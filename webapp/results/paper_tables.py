"""The paper's tables with ours beside them, drawn without pandas, and a table's downloads."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import streamlit as st
from pyarrow.json import ParseOptions, read_json

from core.checkpoints import find_checkpoint, title_of
from core.data import source_names
from core.errors import CoreError
from core.evaluation import (
    Accuracy,
    all_runs,
    epochs_in_words,
    exported,
    figure1,
    load_report,
    measure,
    peer_scores,
    predictions_changed,
    published,
    row_label,
    table2,
)
from core.files import changed
from core.labels import EMOTIONS
from core.tabular import TableFormat
from webapp import navigation
from webapp.chart_frame import table_height
from webapp.charts.accuracy_dots import accuracy_dots
from webapp.checkpoints import parameters
from webapp.text import counted, literal

Rows = list[dict[str, Any]]
FILES: dict[TableFormat, str] = {"md": "Markdown", "csv": "CSV", "latex": "LaTeX", "json": "JSON"}
HELP = {
    "Here: test %": "On the test images, measured by this software.",
    "Paper test %": "On the test images, as published.",
    "Here: valid %": "On the published validation set: RAF-DB test images.",
    "Without copies %": "Test images that have no copy (twin) in the published train.",
}
# On a phone tick, model and both figures are to be seen: 33 and these are its 358 px.
SHORT_HEADS = {"Here: test %": ("Here %", 58), "Paper test %": ("Paper %", 64)}
MODEL = 203  # px, of the longest label
MORE = "More columns to the right: scroll the table sideways."
SHORT = (
    "Here %, Paper %: accuracy on the test images, measured by this software and published. "
    "Without copies %: measured here on the test images that have no copy in the published "
    "training part. The number is that of layers; + is with and - without: BN, batch "
    "normalisation; SE, squeeze-and-excitation, weights for the channels; RB, residual blocks; "
    "DO, dropout, which the row with the star adds."
)
SUMS = "Epochs as a sum or in several runs: the run went on from earlier runs on the same pictures."
PEER_HEADS = (
    "F1: macro-F1, its mean over the classes. No copies: FER2013 test without pictures that have a "
    "copy in the training part."
)
TRAINED_ON = (
    "the default network of this app, trained on the training parts of both image sets; only its "
    "answers between the six expressions count."
)
ENDINGS: dict[TableFormat, str] = {"md": "md", "csv": "csv", "latex": "tex", "json": "json"}


def tables() -> tuple[Rows, Rows]:
    """Table 2 with measurements, and the preliminary report's table; files are read once."""
    runs = all_runs()
    table, preliminary = (
        table2(part=part, runs=runs, measured_by=_measured) for part in ("table_2", "preliminary")
    )
    return table, preliminary


def _measured(folder: Path) -> dict[str, Accuracy]:
    times = predictions_changed(folder), changed(folder / "report.json")
    return _measurement(str(folder), times)


@st.cache_resource(max_entries=200, show_spinner=False)
def _measurement(folder: str, times: tuple[float, float]) -> dict[str, Accuracy]:
    return measure(Path(folder))


def light_table(rows: Sequence[Mapping[str, Any]], **options: Any) -> None:  # noqa: ANN401
    """Draw rows as `st.dataframe` draws a pandas table, without row numbers and at full height.

    Args:
        rows: At least one; plain values by column, the same columns in each, None for an empty
            cell.
        options: Further arguments of `st.dataframe`.
    """
    height = table_height(len(rows))
    # Without `lazy=False` Streamlit imports pandas to find out that this is no pandas table.
    st.dataframe(
        arrow_table(rows), hide_index=True, height=height, lazy=False, placeholder="-", **options
    )


def arrow_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The rows as an Arrow table; a column of texts stays one even where they look like dates."""
    texts = [name for name in rows[0] if any(isinstance(row[name], str) for row in rows)]
    schema = pa.schema([(name, pa.string()) for name in texts])
    lines = "\n".join(json.dumps(dict(row)) for row in rows)
    # Arrow's JSON reader needs no pandas, unlike `Table.from_pylist`. It puts the columns of the
    # schema first, hence the choice of columns in the end.
    options = ParseOptions(explicit_schema=schema)
    table = read_json(io.BytesIO(lines.encode()), parse_options=options)
    return table.select(list(rows[0]))


def table_view() -> None:
    """Table 2, its downloads, and Figure 1."""
    rows, preliminary = tables()
    measured = sum(row["measured"] is not None for row in rows)
    tried = published("table_3")["rows"]["epochs"]
    st.caption(
        f"{measured} of {len(rows)} rows are measured here; each figure is computed from the "
        "predictions file of the run named, with its 95 % bootstrap interval. Epochs are passes "
        "over the training pictures: here as many as the column says, in the paper up to "
        f"{max(tried)}. Compare only rows with the same number; a figure after few says little "
        "beside the paper's."
    )
    _draw(rows, "table 2")
    st.caption(SHORT)
    if before := begun_elsewhere(rows):
        st.caption(literal(f"{SUMS} {' '.join(before)}"))
    export_buttons(lambda form: exported(rows, form), "table2", "export")
    _to_do(rows)
    st.subheader("Figure 1: RAF-DB test")
    rater = published("human_agreement")
    alt = "Published and measured accuracies on RAF-DB test"
    st.html(accuracy_dots(figure1(rows), few=min(tried), most=max(tried), alt=alt))
    agreement = f"{rater['percent']:.1f} %"
    st.caption(literal(f"Human raters: {agreement}. {rater['about']} {rater['source']}."))
    st.subheader("The preliminary report's table")
    _draw(preliminary, "preliminary")


def begun_elsewhere(rows: Rows) -> list[str]:
    """What the epochs of a table leave out: a sentence for each start on other pictures."""
    said = []
    for row in rows:
        for one in (row["measured"] or {}).get("earlier", []):
            name = f"{row_label(row)} on {row['dataset']}"
            if one["epochs"] is None:
                said.append(f"{name} began with weights of {one['run']}, which is not here.")
            elif not one["same_data"]:
                epochs = counted(one["epochs"], "epoch")
                sources = source_names(one["sources"])
                said.append(f"{name} began with weights that had {epochs} on {sources} before.")
    return said


def _draw(rows: Rows, key: str) -> None:
    """A table a data set, since on a phone there is no room for its name beside the figures."""
    st.caption(f"Tick a measured row to see its confusions, and the pictures behind them. {MORE}")
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        some = [row for row in rows if row["dataset"] == dataset]
        st.markdown(f"**{dataset}**")
        _part(some, f"{key} {dataset}")


def _part(rows: Rows, key: str) -> None:
    cells = [_cells(row) for row in rows]
    light_table(
        cells,
        key=key,
        on_select=partial(_follow, rows, key),
        selection_mode="single-row",
        column_config={
            # On a phone, where it would take more than half, Streamlit lets it scroll, too.
            "Model": st.column_config.TextColumn(pinned=True, width=MODEL),
            "95 % interval": st.column_config.TextColumn(width=92),
            "Epochs here": st.column_config.TextColumn("Epochs", width=105),
            "Parameters": st.column_config.NumberColumn(width=83, format="localized"),
            "Faces/s answered": st.column_config.NumberColumn(format="%,d"),
            **{
                name: st.column_config.NumberColumn(
                    SHORT_HEADS.get(name, (None, None))[0],
                    width=SHORT_HEADS.get(name, (None, None))[1],
                    format="%.1f",
                    help=HELP.get(name),
                )
                for name in cells[0]
                if name.endswith("%")
            },
        },
    )


def _follow(rows: list[dict[str, Any]], key: str) -> None:
    """Turn to the confusions of the row that was ticked."""
    for number in st.session_state[key]["selection"]["rows"]:
        if (measured := rows[number]["measured"]) is not None:
            st.query_params["run"] = measured["run"]
            st.session_state[navigation.VIEW] = "Confusions"


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    measured = row["measured"] or {}
    ends = measured.get("intervals", {}).get("test")
    return {
        "Model": row_label(row),
        "Here: test %": measured.get("test"),
        "Paper test %": row["published"]["test"],
        "95 % interval": f"{ends[0]:.1f} to {ends[1]:.1f}" if ends else None,
        "Epochs here": epochs_in_words(measured) or None,
        "Without copies %": measured.get("test_clean"),
        "Status": row["status"],
        "Paper valid %": row["published"]["valid"],
        "Here: valid %": measured.get("valid"),
        "Parameters": row["parameters"],
        "Paper train %": row["published"]["train"],
        "Here: train %": measured.get("train"),
        "Run": measured.get("run"),
        "Faces/s answered": measured.get("faces_per_second"),
        "Date": str(measured.get("date") or "")[:10] or None,
    }


def _to_do(rows: list[dict[str, Any]]) -> None:
    commands = [row["command"] for row in rows if row["status"] != "measured" and row["command"]]
    if commands:
        with st.expander("Commands that fill the other rows"):
            st.code("\n".join(commands), language=None)


def literature_view() -> None:
    """Tables 1 and 3, other programs on the same images, and others' published figures."""
    first = published("table_1")
    st.subheader("Table 1: images a class")
    light_table(
        [
            {
                "Data": row["dataset"],
                "Split": row["split"],
                **dict(zip(EMOTIONS, row["counts"] or [None] * 6, strict=True)),
                "Total": row["total"],
            }
            for row in first["rows"]
        ],
        column_config={
            "Data": st.column_config.TextColumn(pinned=True, width=104),
            "Split": st.column_config.TextColumn(pinned=True, width=60),
            **{
                name: st.column_config.NumberColumn(format="localized")
                for name in (*EMOTIONS, "Total")
            },
        },
    )
    st.caption(literal(f"{first['source']}. Where the files say otherwise:"))
    for correction in first["corrections"]:
        st.caption(literal(f"• {correction}"))
    third = published("table_3")
    st.subheader("Table 3: explored hyperparameters")
    light_table(
        [
            {"Hyperparameter": name, "Values": ", ".join(map(str, values))}
            for name, values in third["rows"].items()
        ]
    )
    peers = published("peers")
    st.subheader("Other programs on the same images")
    own = _own_peer()
    programs = [_peer(row) for row in (*([own] if own else []), *peers["rows"])]
    light_table(
        programs,
        column_config={
            "Program": st.column_config.TextColumn(pinned=True, width=224),
            "Parameters": st.column_config.NumberColumn(format="localized"),
            **{
                # On the left they are to be seen where only half of their column is.
                name: st.column_config.NumberColumn(format="%.1f", alignment="left")
                for name in programs[0]
                if name.endswith("%")
            },
        },
    )
    st.caption(literal(f"{peers['source']}. {PEER_HEADS} {peers['statement']}"))
    if own:
        st.caption(literal(f"{own['name']}: {TRAINED_ON}"))
    others = published("elsewhere")
    st.subheader("Published elsewhere")
    titles = {"name": "Model", "dataset": "Data", "test": "Accuracy %"}
    address = "https://arxiv.org/abs/"
    light_table(
        [
            {titles[key]: row[key] for key in titles} | {"Paper": address + row["arxiv"]}
            for row in others["rows"]
        ],
        column_config={
            "Accuracy %": st.column_config.NumberColumn(format="%.1f"),
            "Paper": st.column_config.LinkColumn(display_text=f"{address}(.*)"),
        },
    )
    st.caption(literal(f"{others['source']}. {others['statement']}"))


def _own_peer() -> dict[str, Any] | None:
    """The row of the default network among other programs; None where it has no figures here."""
    try:
        folder = find_checkpoint("default")
        scores = peer_scores(load_report(folder))
        values = parameters(folder)
    except CoreError:
        return None
    return {"name": f"{title_of(folder)} (here)", "parameters": values, "scores": scores}


def _peer(row: dict[str, Any]) -> dict[str, Any]:
    titles = {"raf_db": "RAF-DB", "fer2013": "FER2013", "fer2013_without_twins": "No copies"}
    scores = {head: row["scores"].get(key, {}) for key, head in titles.items()}
    return {
        "Program": row["name"],
        **{f"{head} %": one.get("accuracy") for head, one in scores.items()},
        **{f"{head} F1 %": one.get("macro_f1") for head, one in scores.items()},
        "Parameters": row["parameters"],
    }


def export_buttons(text_of: Callable[[TableFormat], str], name: str, key: str) -> None:
    """A row of download buttons, one a form.

    Args:
        text_of: The table in a form.
        name: Of the files, without ending.
        key: Begins the keys of the buttons.
    """
    with st.container(horizontal=True):
        for form, label in FILES.items():
            st.download_button(
                label,
                text_of(form),
                f"{name}.{ENDINGS[form]}",
                key=f"{key} {form}",
                on_click="ignore",
            )
