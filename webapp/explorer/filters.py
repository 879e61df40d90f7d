"""Which pictures are listed, and in which order: inputs in the sidebar, kept in the address."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.data import title_of
from core.labels import COLOURS
from webapp.explorer.address import FILTERS, first_page, linked_choices
from webapp.explorer.looks import origin_title
from webapp.explorer.store import UNLABELLED

FINDINGS: dict[str, tuple[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "copies": ("copies elsewhere", lambda table: table["copies"] > 1),
    "leaks": ("a leak between splits", lambda table: table["leaks"]),
    "contradicting": ("contradicting labels", lambda table: table["contradicting"]),
    "excluded": ("a place on the exclude list", lambda table: table["excluded"]),
}
# Title: column and whether its smallest values come first.
ORDERS = {
    "As listed": ("id", True),
    "Copies together": ("group", True),
    "Darkest first": ("brightness", True),
    "Brightest first": ("brightness", False),
    "Lowest contrast first": ("contrast", True),
    "Least sharp first": ("sharpness", True),
    "Sharpest first": ("sharpness", False),
}


def chosen_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Draw the inputs; the rows that pass, in the order asked for.

    Args:
        table: As `store.pictures` gives it.
    """
    sources = list(table["source"].unique())
    titles = {name: title_of(name) for name in sources}
    known = set(table["label"].unique())
    labels = [name for name in (*COLOURS, UNLABELLED) if name in known]
    finer = sorted(name for name in table["origin"].unique() if "/" in name)
    rows = _chosen(table, "source", linked_choices("Source", sources, "source", titles, "all"))
    if finer:
        kinds = linked_choices(
            "Kind of file name",
            finer,
            "origin",
            {name: origin_title(name) for name in finer},
            "all",
        )
        rows = _chosen(rows, "origin", kinds)
    for column, title in (("split", "Published split"), ("clean", "Clean split")):
        names = list(table[column].unique())
        rows = _chosen(rows, column, linked_choices(title, names, column, {}, "all"))
    rows = _chosen(rows, "label", linked_choices("Class", labels, "label", {}, "all"))
    for name in linked_choices(
        "Only pictures with", list(FINDINGS), "finding",
        {name: title for name, (title, _) in FINDINGS.items()}, "or without any finding",
    ):  # fmt: skip
        rows = rows[FINDINGS[name][1](rows)]
    order = st.sidebar.selectbox(
        "Order", list(ORDERS), key="order", bind="query-params", on_change=first_page
    )
    st.sidebar.button(
        "Clear all filters",
        on_click=_clear,
        width="stretch",
        disabled=not any(st.session_state.get(name) for name in FILTERS),
    )
    return _ordered(rows, order)


def _clear() -> None:
    for name in FILTERS:
        st.session_state[name] = []
    first_page()


def _chosen(rows: pd.DataFrame, column: str, names: list[str]) -> pd.DataFrame:
    return rows[rows[column].isin(names)] if names else rows


def _ordered(rows: pd.DataFrame, order: str) -> pd.DataFrame:
    column, ascending = ORDERS[order]
    if column == "id":
        return rows
    if column == "group":  # those without a group stand last
        return rows.assign(key=rows["group"].mask(rows["group"] < 0)).sort_values(
            "key", kind="stable", na_position="last"
        )
    return rows.sort_values(column, ascending=ascending, kind="stable")
