"""Several runs over each other, and what differs in their settings."""

from typing import Any

import pandas as pd
import streamlit as st

from core.training import RunFolder, values_of
from webapp.charts import training as charts
from webapp.training import store

MOST = len(charts.RUN_COLOURS)
CHOSEN = "runs"


def show() -> None:
    """Draw the view."""
    runs = {
        name: folder
        for name, folder in store.runs().items()
        if store.history(folder) and store.config(folder)
    }
    if len(runs) < 2:
        st.info("Two runs with at least one epoch each are needed to compare.")
        return
    chosen = _picked(list(runs))
    figure = st.selectbox(
        "Figure", charts.TITLES, format_func=charts.TITLES.__getitem__, key="figure"
    )
    if not chosen:
        st.info("Choose runs above.")
        return
    picked = {name: runs[name] for name in chosen}
    st.plotly_chart(
        charts.overlay({name: store.history(folder) for name, folder in picked.items()}, figure),
        key="overlay",
        config={"displayModeBar": False},
    )
    st.dataframe(_best(picked), hide_index=True, key="bests", column_config=_formats())
    st.subheader("Where their settings differ")
    table = differences(picked)
    if table.empty:
        st.info("Their settings are the same.")
    else:
        st.dataframe(table, hide_index=True, key="differences")


def _picked(names: list[str]) -> list[str]:
    """Runs to compare, which stand in the address."""
    if CHOSEN not in st.session_state:
        asked = [name for name in st.query_params.get_all(CHOSEN) if name in names]
        st.session_state[CHOSEN] = asked or names[:2]
    st.session_state[CHOSEN] = [name for name in st.session_state[CHOSEN] if name in names]
    chosen: list[str] = st.multiselect("Runs", names, key=CHOSEN, max_selections=MOST)
    st.query_params[CHOSEN] = chosen
    return chosen


def _best(runs: dict[str, RunFolder]) -> pd.DataFrame:
    rows = []
    for name, folder in runs.items():
        lines = store.history(folder)
        best = folder.kept()
        rows.append(
            {
                "Run": name,
                "Epochs": len(lines),
                "Best epoch": best["epoch"],
                "Validation accuracy": best["valid_accuracy"],
                "Validation macro-F1": best["valid_macro_f1"],
                "Validation loss": best.get("valid_loss"),
                "Minutes": sum(line["seconds"] for line in lines) / 60,
            }
        )
    return pd.DataFrame(rows)


def _formats() -> dict[str, Any]:
    percent = st.column_config.NumberColumn(format="percent")
    return {
        "Validation accuracy": percent,
        "Validation macro-F1": percent,
        "Validation loss": st.column_config.NumberColumn(format="%.4f"),
        "Minutes": st.column_config.NumberColumn(format="%.1f"),
    }


def differences(runs: dict[str, RunFolder]) -> pd.DataFrame:
    """A row a setting in which the runs differ, a column a run; texts throughout."""
    values = {name: values_of(folder.config()) for name, folder in runs.items()}
    names = list(dict.fromkeys(setting for one in values.values() for setting in one))
    rows = []
    for setting in names:
        texts = {run: _text(one.get(setting)) for run, one in values.items()}
        if len(set(texts.values())) > 1:
            rows.append({"Setting": setting, **texts})
    return pd.DataFrame(rows)


def _text(value: object) -> str:
    if value is None:
        return "as the network's row has it"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "all"
    return str(value)
