"""Pictures of a data set as tiles: what stands below each, in rows that are full, and as a CSV."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd
import streamlit as st

from core.data import title_of
from core.tabular import frame_csv
from webapp import pictures
from webapp.dataset_explorer import address, store
from webapp.text import percent

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.data import Dataset

EXPORTED = ["id", "source", "split", "label", "path", "width", "height", "pixel_hash", "group",
            "clean", "reason", "copies", "leaks", "contradicting", "excluded"]  # fmt: skip


# By finding: the mark on a picture, or an example of it, and what it means.
MARKS = {
    "copies": ("2 copies:", "so many are the same picture"),
    "leaks": ("⚠", "a copy in another split"),
    "contradicting": ("≠", "copies with different labels"),
    "excluded": ("⊘", "excluded"),
}


def caption(row: pd.Series) -> str:
    """What stands below a picture: its label and a mark for each finding, then any answer."""
    copies = [f"· {row['copies']} copies"] if row["copies"] > 1 else []
    marks = [MARKS[name][0] for name in ("leaks", "contradicting", "excluded") if row[name]]
    first = " ".join([row["label"], *copies, *marks])
    answer = said(row) if "answer" in row else ""
    return f"{first}  \n{answer}" if answer else first


def page_count(rows: pd.DataFrame, size: int) -> int:
    """How many pages of so many pictures there are, 1 also for none."""
    return max(-(-len(rows) // size), 1)


def page_picker(
    place: "DeltaGenerator", pages: int, width: "int | Literal['stretch']" = "stretch"
) -> None:
    """Draw an input for the page's number, which begins anew where there are fewer pages now.

    Args:
        place: Where.
        pages: As `page_count` gives it.
        width: In pixels.
    """
    if st.session_state.get(address.PAGE, 1) > pages:
        address.first_page()
    place.number_input(
        f"Page of {pages:,}",
        1,
        pages,
        key=address.PAGE,
        disabled=pages == 1,
        bind="query-params",
        width=width,
    )


def pager(page: int, pages: int) -> None:
    """Draw buttons to the pages before and after, where there are several."""
    if pages > 1:
        row = st.container(horizontal=True, horizontal_alignment="center")
        row.button("← Previous", on_click=address.turn_to, args=(page - 1,), disabled=page == 1)
        row.button("Next →", on_click=address.turn_to, args=(page + 1,), disabled=page == pages)


def thumbnails(folder: Path, rows: pd.DataFrame, name: str) -> None:
    """Pictures side by side, as many as fit; each opens in full.

    Args:
        folder: Of the data set.
        rows: Of the table of `store.pictures`.
        name: Tells this grid from another on the page.
    """
    data = store.dataset(folder)
    st.html(pictures.STYLE + ROWS)
    grid = st.container(key=f"tiles {name}").container(key=f"rows {name}", horizontal=True)
    for _, row in rows.iterrows():
        with grid:
            tile(data, row, name)


# As many to a row as divide every size of a page, so that no row is left half empty.
ROWS = f"""<style>
[class*="st-key-tiles-"] {{container-type: inline-size;}}
[class*="st-key-rows-"] {{display: grid; gap: .5rem; justify-content: space-between;
  grid-template-columns: repeat(var(--in-a-row, 2), {pictures.TILE}px);}}
{
    "".join(
        f"@container (min-width: {number * pictures.TILE + (number - 1) * 8}px) "
        f"{{[class*='st-key-rows-'] {{--in-a-row: {number};}}}}"
        for number in (3, 4, 6, 8, 12)
    )
}
</style>"""


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
    present = [name for name in ("answer", "confidence", "loss") if name in rows]
    return frame_csv(rows[[*EXPORTED, *present]]).encode()


def said(row: pd.Series) -> str:
    """The answer as it stands on a picture: whether it is the label, its name and its certainty."""
    if not row["answer"]:
        return ""
    words = f"{row['answer']} {percent(row['confidence'])}"
    if pd.isna(row["loss"]):
        return words  # it has no such label
    return f"✓ {words}" if row["answer"] == row["label"] else f":red[**✗** {words}]"
