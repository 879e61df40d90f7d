"""How far each run carries: every image set on its own, and the portrait shortcut."""

import pandas as pd
import streamlit as st

from core.evaluation import Run, by_source
from webapp import checkpoints
from webapp.checkpoints import source_names
from webapp.errors import shown_errors
from webapp.results import pickers, store

PART_NAMES = {"test": "test", "valid": "clean validation"}


FIGURES = {"Accuracy": "accuracy", "Macro-F1": "macro_f1"}


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
        height="content",
        key="sources",
    )
    st.caption(
        "In %, with the 95 % interval; on the published test of each image set, or on clean "
        "validation where it has none. A set the run was not trained on is marked with *."
    )
    _shortcuts(runs)


def _row(run: Run, figure: str) -> dict[str, object]:
    row: dict[str, object] = {"Run": checkpoints.title(run.folder)}
    with shown_errors():
        for one in by_source(store.report(run.folder)):
            low, high = getattr(one, f"{figure}_interval")
            mark = "" if one.seen else " *"
            text = f"{100 * getattr(one, figure):.1f} [{100 * low:.1f}, {100 * high:.1f}]{mark}"
            row[f"{source_names([one.source])}, {PART_NAMES[one.part]}"] = text
    return row


def _shortcuts(runs: list[Run]) -> None:
    st.subheader("The portrait shortcut")
    st.caption(
        "Nearly all happiness images of AffectNet are FFHQ portraits, so a network can learn the "
        "kind of picture instead of the expression. Then it finds happiness in portraits better "
        "than elsewhere, and calls other portraits happy."
    )
    found = [row for run in runs for row in _shortcut_rows(run)]
    if not found:
        st.info("No run was evaluated on AffectNet yet, so there is nothing to compare.")
        return
    st.dataframe(
        pd.DataFrame(found),
        hide_index=True,
        height="content",
        key="shortcut",
        column_config={
            name: st.column_config.NumberColumn(format="%.1f")
            for name in found[0]
            if name.endswith("%")
        },
    )


def _shortcut_rows(run: Run) -> list[dict[str, object]]:
    with shown_errors():
        found = store.portrait_shortcut(run.folder)
        if found is not None:
            false = found.false_portraits
            return [
                {
                    "Run": checkpoints.title(run.folder),
                    "Portraits %": 100 * found.portraits,
                    "Elsewhere %": 100 * found.others,
                    "Difference, 95 %": f"{100 * found.low:.1f} to {100 * found.high:.1f}",
                    "Other portraits called happy %": None if false is None else 100 * false,
                    "Happy portraits": found.n_portraits,
                    "Happy others": found.n_others,
                }
            ]
    return []
