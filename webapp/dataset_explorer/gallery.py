"""Pictures in pages, and the filters that choose them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.data import title_of
from core.labels import COLOURS
from core.tabular import frame_csv
from webapp import pictures
from webapp.dataset_explorer import address, store
from webapp.dataset_explorer.address import FILTERS, first_page, linked_choices
from webapp.dataset_explorer.looks import origin_title
from webapp.dataset_explorer.store import UNLABELLED
from webapp.text import counted

if TYPE_CHECKING:
    from core.data import Dataset

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
PAGE_SIZES = (24, 48, 96, 192)
LEGEND = (
    "Click a picture to see it in full. x2: pictures in its group of copies · ⚠ leaks · "
    "≠ contradicting labels · ⊘ excluded"
)
EXPORTED = ["id", "source", "split", "label", "path", "width", "height", "pixel_hash", "group",
            "clean", "reason", "copies", "leaks", "contradicting", "excluded"]  # fmt: skip


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


def show(folder: Path) -> None:
    """Draw filters and grid."""
    selected = chosen_rows(store.pictures(folder))
    _toolbar(folder, selected)
    if selected.empty:
        st.info("No picture fits these filters. Take one of them away.")
        return
    size = st.session_state["size"]
    page, pages = st.session_state[address.PAGE], _pages(selected)
    thumbnails(folder, selected.iloc[(page - 1) * size : page * size], "grid")
    if pages > 1:
        row = st.container(horizontal=True, horizontal_alignment="center")
        row.button("← Previous", on_click=address.turn_to, args=(page - 1,), disabled=page == 1)
        row.button("Next →", on_click=address.turn_to, args=(page + 1,), disabled=page == pages)


def caption(row: pd.Series) -> str:
    """What stands below a picture: its label, and a mark for each finding."""
    marks = [f"x{row['copies']}"] if row["copies"] > 1 else []
    findings = (("leaks", "⚠"), ("contradicting", "≠"), ("excluded", "⊘"))
    return " ".join([row["label"], *marks, *(mark for name, mark in findings if row[name])])


def thumbnails(folder: Path, rows: pd.DataFrame, name: str) -> None:
    """Pictures side by side, as many as fit; each opens in full.

    Args:
        folder: Of the data set.
        rows: Of the table of `store.pictures`.
        name: Tells this grid from another on the page.
    """
    data = store.dataset(folder)
    st.html(pictures.STYLE)
    grid = st.container(horizontal=True, gap="small")
    for _, row in rows.iterrows():
        with grid:
            tile(data, row, name)


def tile(data: "Dataset", row: pd.Series, name: str) -> None:
    """One picture with a button over it that opens it in full."""
    number = int(row["id"])
    pictures.tile(
        data.images[number],
        caption(row),
        f"{name} {number}",
        address.open_picture,
        number,
        alt=f"Picture {number}",
        explained=f"#{number} · {title_of(row['source'])} · {row['split']}",
    )


def as_csv(rows: pd.DataFrame) -> bytes:
    """Rows of the table of `store.pictures` as a file to take away."""
    return frame_csv(rows[EXPORTED]).encode()


def _pages(selected: pd.DataFrame) -> int:
    return max(-(-len(selected) // int(st.session_state["size"])), 1)


def _toolbar(folder: Path, selected: pd.DataFrame) -> None:
    text, page, size, file = st.columns([4, 2, 2, 2], vertical_alignment="bottom")
    text.markdown(f"**{counted(len(selected), 'picture')}**")
    size.selectbox(
        "A page holds", PAGE_SIZES, key="size", bind="query-params", on_change=address.first_page
    )
    pages = _pages(selected)
    if st.session_state.get(address.PAGE, 1) > pages:
        address.first_page()
    page.number_input(
        f"Page of {pages:,}", 1, pages, key=address.PAGE, disabled=pages == 1, bind="query-params"
    )
    file.download_button(
        "Download as CSV",
        lambda: as_csv(selected),
        file_name=f"{folder.name}-selection.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        help="A row a picture, with its hashes, splits and findings. No picture is in the file.",
    )
    st.caption(LEGEND)
