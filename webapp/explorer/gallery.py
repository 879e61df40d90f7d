"""Pictures of a data set as a grid whose pictures open in full."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.data import title_of
from webapp import tiles
from webapp.explorer import address, store
from webapp.explorer.filters import chosen_rows
from webapp.text import counted

if TYPE_CHECKING:
    from core.data import Dataset

PAGE_SIZES = (24, 48, 96, 192)
LEGEND = (
    "Click a picture to see it in full. x2: pictures in its group of copies · ⚠ leaks · "
    "≠ contradicting labels · ⊘ excluded"
)
EXPORTED = ["id", "source", "split", "label", "path", "width", "height", "pixel_hash", "group",
            "clean", "reason", "copies", "leaks", "contradicting", "excluded"]  # fmt: skip


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
    st.html(tiles.STYLE)
    grid = st.container(horizontal=True, gap="small")
    for _, row in rows.iterrows():
        with grid:
            tile(data, row, name)


def tile(data: "Dataset", row: pd.Series, name: str) -> None:
    """One picture with a button over it that opens it in full."""
    number = int(row["id"])
    tiles.tile(
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
    return rows[EXPORTED].to_csv(index=False).encode()


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
