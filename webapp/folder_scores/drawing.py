"""Scores of a folder on the page: table, download, and accuracy where names carry labels."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.evaluation import with_intervals
from webapp.charts.results import confusion_heat
from webapp.folder_scores.scored import Scored
from webapp.text import counted, literal, percent

ALL, WRONG, UNCLEAR, FAILED = "All", "Answer differs from label", "Unclear", "Without an answer"
ROWS = 200  # a page of the table; every row carries a picture
THUMBNAIL_ROW = 52  # px, a thumbnail and its margin
LEAST_LABELLED = 0.5  # share of the files; below it, words in names are hardly labels


def show_scores(scored: Scored, skipped: Sequence[tuple[str, str]]) -> None:
    """Draw everything that is known of the files."""
    table = scored.table
    answered = int((table["answer"] != "").sum())
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.markdown(
        f"**{counted(answered, 'picture')} scored**, {counted(len(table) - answered, 'file')} "
        "without an answer."
    )
    right.download_button(
        "Scores (CSV)",
        scored.csv,
        "scores.csv",
        "text/csv",
        key="folder csv",
        on_click="ignore",
        width="stretch",
    )
    if skipped:
        with st.expander(f"{counted(len(skipped), 'file')} left out"):
            st.dataframe(pd.DataFrame(skipped, columns=["file", "reason"]), hide_index=True)
    labelled = len(scored.labelled)
    if labelled and labelled >= LEAST_LABELLED * max(1, answered):
        _figures(scored)
    _table(scored)


def _figures(scored: Scored) -> None:
    figures = with_intervals(scored.predictions())
    st.subheader("Against the labels in names and folders")
    columns = st.columns([1, 1, 3])
    for column, name, title in (
        (columns[0], "accuracy", "Accuracy"),
        (columns[1], "macro_f1", "Macro-F1"),
    ):
        low, high = figures["intervals"][name]
        column.metric(title, percent(figures[name]))
        column.caption(
            f"{counted(figures['n'], 'labelled picture')}; 95 %: {100 * low:.1f} to "
            f"{100 * high:.1f}"
        )
    with columns[2]:
        st.plotly_chart(
            confusion_heat(figures["confusion"], scored.labels, "counts", "Confusions"),
            key="folder confusion",
            config={"displayModeBar": False},
        )


def _table(scored: Scored) -> None:
    st.subheader("Files")
    wrong = scored.labelled
    wrong = wrong[wrong["label"] != wrong["answer"]]
    choices = {
        ALL: scored.table,
        WRONG: wrong,
        UNCLEAR: scored.table[scored.table["status"] == "unclear"],
        FAILED: scored.table[scored.table["answer"] == ""],
    }
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.segmented_control(
        "Show",
        [name for name, rows in choices.items() if len(rows) or name == ALL],
        format_func=lambda name: f"{name} ({len(choices[name]):,})",
        default=ALL,
        required=True,
        key="folder rows",
    )
    rows = choices[chosen]
    pages = max(1, -(-len(rows) // ROWS))
    page = right.number_input(f"Page, of {pages}", 1, pages, key="folder page") if pages > 1 else 1
    st.dataframe(
        rows.iloc[(page - 1) * ROWS : page * ROWS],
        hide_index=True,
        key="folder table",
        row_height=THUMBNAIL_ROW,
        column_config={
            "picture": st.column_config.ImageColumn(" "),
            "confidence": st.column_config.NumberColumn(format="percent"),
            **{
                label: st.column_config.ProgressColumn(
                    label, format="percent", min_value=0.0, max_value=1.0
                )
                for label in scored.labels
            },
        },
    )
    st.caption(literal("Click a column's head to sort. Names are relative to the folder chosen."))
