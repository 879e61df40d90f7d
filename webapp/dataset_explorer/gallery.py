"""Pictures in pages, and the filters that choose them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.data import title_of
from core.labels import COLOURS
from webapp.dataset_explorer import address, answers, saved_views, store, tiles
from webapp.dataset_explorer.address import FILTERS, first_page, linked_choices
from webapp.dataset_explorer.looks import origin_title
from webapp.dataset_explorer.store import UNLABELLED
from webapp.text import counted

if TYPE_CHECKING:
    from webapp.dataset_explorer.answers import Answers

FINDINGS: dict[str, tuple[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "copies": ("copies elsewhere", lambda table: table["copies"] > 1),
    "leaks": ("a leak between splits", lambda table: table["leaks"]),
    "contradicting": ("contradicting labels", lambda table: table["contradicting"]),
    "excluded": ("a place on the exclude list", lambda table: table["excluded"]),
}
WRONG = {
    "wrong": (
        "an answer other than its label",
        # Without a loss, it was not asked or has not this label.
        lambda table: table["answer"].ne(table["label"]) & table["loss"].notna(),
    )
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
BY_ANSWER = {
    "Highest loss first": ("loss", False),
    "Least certain first": ("confidence", True),
    "Most certain first": ("confidence", False),
}
LEFT_OUT = {"drop": "left out"}
PAGE_SIZES = (24, 48, 96, 192)  # rows of 2, 3, 4, 6, 8 and 12 are full
ANSWERED = (
    "✓ and ✗: the network's answer agrees with the label or not, and how sure it is. Loss is "
    "high where the network gives the label little probability: the label may be wrong, or the "
    "picture hard"
)


def chosen_rows(folder: Path, network: "tuple[Path, Answers] | None") -> pd.DataFrame:
    """Draw the inputs; the rows that pass, in the order asked for.

    Args:
        folder: Of the data set.
        network: Whose answers are shown, if any; the rows then have them.
    """
    rows = _filtered(store.pictures(folder))
    findings = FINDINGS | (WRONG if network else {})
    wanted = linked_choices(
        "Only pictures with", list(findings), "finding",
        {name: title for name, (title, _) in findings.items()}, "or without any finding",
    )  # fmt: skip
    for name in [name for name in wanted if name in FINDINGS]:
        rows = rows[FINDINGS[name][1](rows)]
    orders = ORDERS | (BY_ANSWER if network else {})
    if st.session_state.get("order") not in orders:
        st.session_state.pop("order", None)  # one by answers, whose network was put away
    order = st.sidebar.selectbox(
        "Order", list(orders), key="order", bind="query-params", on_change=first_page
    )
    st.sidebar.button(
        "Clear all filters",
        on_click=address.show_pictures,
        width="stretch",
        disabled=not any(st.session_state.get(name) for name in FILTERS),
    )
    if network is not None:
        if order in BY_ANSWER or WRONG.keys() & set(wanted):
            answers.ask(folder, *network, rows, "answers")
        rows = network[1].joined(rows)
        for name in WRONG.keys() & set(wanted):
            rows = rows[WRONG[name][1](rows)]
    return _ordered(rows, orders[order])


def _filtered(rows: pd.DataFrame) -> pd.DataFrame:
    """Draw the boxes for source, splits and class; the rows that pass."""
    sources = list(rows["source"].unique())
    titles = {name: title_of(name) for name in sources}
    known = set(rows["label"].unique())
    labels = [name for name in (*COLOURS, UNLABELLED) if name in known]
    finer = sorted(name for name in rows["origin"].unique() if "/" in name)
    reasons = sorted(set(rows.loc[rows["clean"] == "drop", "reason"]) - {""})
    splits = [(column, list(rows[column].unique())) for column in ("split", "clean")]
    rows = _chosen(rows, "source", linked_choices("Source", sources, "source", titles, "all"))
    if finer:
        kinds = linked_choices(
            "Kind of file name",
            finer,
            "origin",
            {name: origin_title(name) for name in finer},
            "all",
        )
        rows = _chosen(rows, "origin", kinds)
    for (column, names), title in zip(splits, ("Published split", "Clean split"), strict=True):
        rows = _chosen(rows, column, linked_choices(title, names, column, LEFT_OUT, "all"))
    if reasons:
        why = linked_choices("Why left out of the clean split", reasons, "reason", {}, "any reason")
        rows = _chosen(rows, "reason", why)
    return _chosen(rows, "label", linked_choices("Class", labels, "label", {}, "all"))


def _chosen(rows: pd.DataFrame, column: str, names: list[str]) -> pd.DataFrame:
    return rows[rows[column].isin(names)] if names else rows


def _ordered(rows: pd.DataFrame, order: tuple[str, bool]) -> pd.DataFrame:
    column, ascending = order
    if column == "id":
        return rows
    if column == "group":  # those without a group stand last
        return rows.assign(key=rows["group"].mask(rows["group"] < 0)).sort_values(
            "key", kind="stable", na_position="last"
        )
    return rows.sort_values(column, ascending=ascending, kind="stable")


def show(folder: Path) -> None:
    """Draw filters and grid."""
    saved_views.show(folder)
    network = answers.chosen(folder)
    selected = chosen_rows(folder, network)
    _toolbar(folder, selected)
    if selected.empty:
        st.info("No picture fits these filters. Take one of them away.")
        return
    size = st.session_state["size"]
    page, pages = st.session_state[address.PAGE], tiles.page_count(selected, size)
    rows = selected.iloc[(page - 1) * size : page * size]
    st.caption(legend(rows, answered=network is not None))
    if network is not None:
        answers.ask(folder, *network, rows, "answers of the page")
        rows = network[1].joined(rows)
    tiles.thumbnails(folder, rows, "grid")
    tiles.pager(page, pages)


def legend(rows: pd.DataFrame, *, answered: bool) -> str:
    """What the signs below these pictures mean, and how to open one.

    Args:
        rows: Of the page, as `store.pictures` gives them.
        answered: Whether a network's answers stand on them.
    """
    signs = [
        f"{mark} {meaning}"
        for name, (mark, meaning) in tiles.MARKS.items()
        if FINDINGS[name][1](rows).any()
    ]
    told = " · ".join([*signs, ANSWERED] if answered else signs)
    return "Click a picture to see it in full." + (f" {told}." if told else "")


def _toolbar(folder: Path, selected: pd.DataFrame) -> None:
    text, page, size, file = st.columns([4, 2, 2, 2], vertical_alignment="bottom")
    text.markdown(f"**{counted(len(selected), 'picture')}**")
    chosen = size.selectbox(
        "A page holds", PAGE_SIZES, key="size", bind="query-params", on_change=address.first_page
    )
    tiles.page_picker(page, tiles.page_count(selected, chosen))
    file.download_button(
        "Download as CSV",
        lambda: tiles.as_csv(selected),
        file_name=f"{folder.name}-selection.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        help="A row a picture, with its hashes, splits and findings. No picture is in the file.",
    )
