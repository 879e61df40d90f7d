"""Several runs over each other, and what differs in their settings."""

from collections.abc import Mapping
from math import sqrt

import streamlit as st

from core.shapes import CardFile
from core.stored import shaped_or_empty
from core.training import RunFolder, values_of
from webapp import checkpoints, navigation
from webapp.chart_frame import draw_chart, wrapping_table
from webapp.charts import training as charts
from webapp.text import counted
from webapp.training import actions, store

MOST = len(charts.RUN_COLOURS)
CHOSEN, FIGURES, ALONG = "runs", "figures", "along"
FEW = 100  # validation pictures; fewer cannot tell networks apart
BY_EPOCH, BY_TIME = "epochs", "time"
FIRST = ("valid_accuracy", "valid_loss")
# What decides which pictures a run is judged on.
DATA = ("data", "split", "sources", "class_set")


def turn_to(names: list[str]) -> None:
    """Turn to this view with these runs; for callbacks."""
    st.session_state[CHOSEN] = names[:MOST]
    st.session_state[navigation.VIEW] = actions.COMPARE


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
    titles = checkpoints.titles(run.path for run in runs.values())
    chosen = _picked(titles)
    left, right = st.columns([3, 1])
    figures = left.multiselect(
        "Figures", charts.TITLES, default=list(FIRST), format_func=charts.TITLES.__getitem__,
        key=FIGURES, persist_state="session",
    )  # fmt: skip
    along = right.segmented_control(
        "Over", (BY_EPOCH, BY_TIME), default=BY_EPOCH, required=True, key=ALONG,
        persist_state="session",
    )  # fmt: skip
    if not (chosen and figures):
        st.info("Choose runs and figures above.")
        return
    picked = {titles[name]: runs[name] for name in chosen}
    _warn(picked)
    _charts(picked, figures, by_time=along == BY_TIME)
    st.html(stacked_table("Run", _best(picked), named=True))
    st.subheader("Where their settings differ")
    if settings := differences(picked):
        st.html(stacked_table("Setting", settings))
    else:
        st.info("Their settings are the same.")


def _warn(runs: dict[str, RunFolder]) -> None:
    """Say so where the runs were not judged on the same pictures, or on few."""
    parted = [name for name in differences(runs) if name in DATA]
    if parted:
        st.warning(
            f"These runs differ in their data ({', '.join(parted)}): each is judged on validation "
            "pictures of its own, so the higher figure need not be the better network. The page "
            "**Results** compares networks on the same pictures."
        )
    numbers = [shaped_or_empty(run.path / "card.json", CardFile) for run in runs.values()]
    fewest = min(
        (one["data"].get("valid") or FEW for one in numbers if one.get("data")), default=FEW
    )
    if fewest < FEW:
        st.warning(
            f"Judged on {counted(fewest, 'validation picture')}: chance alone may set two networks "
            f"{chance_apart(fewest):.0f} points apart. **Results** gives the intervals."
        )


def chance_apart(pictures: int) -> float:
    """Points of accuracy by which chance sets two equal networks apart, in 19 of 20 times at most.

    The normal interval of a difference of two shares, where it is widest: both at one half.
    """
    return 196 * sqrt(0.5 / pictures)


def _charts(runs: dict[str, RunFolder], figures: list[str], *, by_time: bool) -> None:
    """The figures, two beside each other."""
    lines = {name: store.history(folder) for name, folder in runs.items()}
    for start in range(0, len(figures), 2):
        pair = figures[start : start + 2]
        for column, figure in zip(st.columns(len(pair)), pair, strict=True):
            draw_chart(
                charts.overlay(lines, figure, by_time=by_time),
                f"overlay {figure}",
                place=column,
                numbers=True,
            )


def _picked(titles: dict[str, str]) -> list[str]:
    """Names of runs to compare, which stand in the address."""
    names = list(titles)
    if CHOSEN not in st.session_state:
        asked = [name for name in st.query_params.get_all(CHOSEN) if name in names]
        st.session_state[CHOSEN] = asked or names[:2]
    st.session_state[CHOSEN] = [name for name in st.session_state[CHOSEN] if name in names]
    chosen: list[str] = st.multiselect(
        "Runs",
        names,
        key=CHOSEN,
        max_selections=MOST,
        format_func=titles.__getitem__,
    )
    st.query_params[CHOSEN] = chosen
    return chosen


def _best(runs: dict[str, RunFolder]) -> dict[str, dict[str, str]]:
    """The figures of each run's kept weights, those that decide first."""
    rows = {}
    for name, folder in runs.items():
        lines = store.history(folder)
        best = folder.kept()
        loss = best.get("valid_loss")
        rows[name] = {
            "Validation %": f"{100 * best['valid_accuracy']:.1f}",
            "Macro-F1 %": f"{100 * best['valid_macro_f1']:.1f}",
            "Loss": "-" if loss is None else f"{loss:.3f}",
            "Best epoch": f"{best['epoch']} of {len(lines)}",
            "Minutes": f"{sum(line['seconds'] for line in lines) / 60:,.1f}",
        }
    return rows


def stacked_table(head: str, rows: Mapping[str, Mapping[str, str]], *, named: bool = False) -> str:
    """Texts by name and column, as a table that wraps them.

    Args:
        head: Of the names.
        rows: Cells by column by the row's name; at least one, the same columns in each.
        named: Whether each cell has its column's name above it on a phone, instead of a head.
    """
    columns = list(next(iter(rows.values())))
    lines = [[name, *(cells[column] for column in columns)] for name, cells in rows.items()]
    return wrapping_table([head, *columns], lines, "named" if named else "texts")


def differences(runs: dict[str, RunFolder]) -> dict[str, dict[str, str]]:
    """The settings in which runs differ, each with its value in every run, as text."""
    values = {name: values_of(folder.config()) for name, folder in runs.items()}
    settings = dict.fromkeys(setting for one in values.values() for setting in one)
    texts = {
        setting: {run: _text(one.get(setting)) for run, one in values.items()}
        for setting in settings
    }
    return {setting: row for setting, row in texts.items() if len(set(row.values())) > 1}


def _text(value: object) -> str:
    if value is None:
        return "as the network's row has it"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "all"
    return str(value)
