"""Pictures of a data set: filters, a grid, one in full with its copies, the exclude list."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from core.data import exclude_path, read_exclude, title_of, write_exclude
from core.errors import CoreError
from core.paths import read_only
from core.types import Image
from webapp.errors import shown_errors
from webapp.explorer import store
from webapp.text import counted, literal

FLAGS = {
    "has copies": lambda table: table["copies"] > 1,
    "leaks": lambda table: table["leaks"],
    "contradicting labels": lambda table: table["contradicting"],
    "excluded": lambda table: table["excluded"],
}
PAGE_SIZES = (24, 48, 96, 192)
COLUMNS = 8  # pictures a row of the grid
TILE = 112  # px
CHOSEN = "picture"  # query parameter and session key of the picture in full
EXPORTED = ["id", "source", "split", "label", "path", "width", "height", "pixel_hash", "group",
            "clean", "reason", "copies", "leaks", "contradicting", "excluded"]  # fmt: skip


def show(folder: Path) -> None:
    """Draw filters, grid and the picture chosen."""
    table = store.pictures(folder)
    with st.container(border=True):
        selected = _filtered(table)
    chosen = _chosen_id(len(table))
    if chosen is not None:
        detail(folder, table, chosen)
    _toolbar(folder, selected)
    _grid(folder, selected)


def choose(source: str, split: str, label: str) -> None:
    """Set the filters to one cell of a chart and turn to the pictures."""
    st.session_state["filter source"] = [source]
    st.session_state["filter split"] = [split]
    st.session_state["filter label"] = [label] if label else []
    st.session_state["filter flags"] = []
    st.session_state["grid page"] = 1


def open_picture(row: int) -> None:
    """Show a picture in full; the address of the page then leads back to it."""
    st.query_params[CHOSEN] = str(row)


def tile(image: Image) -> Image:
    """A grey 64 x 64 square, enlarged for the screen."""
    return np.asarray(
        cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )


def caption(row: pd.Series) -> str:
    """What stands below a picture: number, label, and a mark for each finding."""
    marks = "".join(
        mark
        for mark, true in (
            (" ⧉", row["copies"] > 1),
            (" ⚠", row["leaks"]),
            (" ≠", row["contradicting"]),
            (" ✕", row["excluded"]),
        )
        if true
    )
    return f"{row['label'] or 'unlabelled'}{marks}"


def _filtered(table: pd.DataFrame) -> pd.DataFrame:
    first, second, third, fourth, fifth = st.columns([3, 2, 2, 3, 3])
    choices = {
        "source": (first, "Source", list(table["source"].unique()), title_of),
        "split": (second, "Published split", list(table["split"].unique()), str),
        "clean": (third, "Clean split", list(table["clean"].unique()), str),
        "label": (fourth, "Class", [name for name in table["label"].unique() if name], str),
    }
    wanted = pd.Series(True, index=table.index)
    for column, (place, title, names, shown) in choices.items():
        picked = place.multiselect(
            title, names, format_func=shown, key=f"filter {column}", placeholder="all",
            on_change=_first_page,
        )  # fmt: skip
        if picked:
            wanted &= table[column].isin(picked)
    flags = fifth.multiselect(
        "Only pictures with", list(FLAGS), key="filter flags", placeholder="any finding",
        on_change=_first_page,
    )  # fmt: skip
    for flag in flags:
        wanted &= FLAGS[flag](table)
    return table[wanted]


def _first_page() -> None:
    st.session_state["grid page"] = 1


def _toolbar(folder: Path, selected: pd.DataFrame) -> None:
    left, middle, right = st.columns([4, 2, 2], vertical_alignment="bottom")
    left.markdown(
        f"**{counted(len(selected), 'picture')}** &nbsp; ⧉ has copies · ⚠ leaks · "
        "≠ contradicting labels · ✕ excluded"
    )
    middle.selectbox("Pictures a page", PAGE_SIZES, key="grid size", on_change=_first_page)
    right.download_button(
        "Download as CSV",
        lambda: selected[EXPORTED].to_csv(index=False).encode(),
        file_name=f"{folder.name}-selection.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
    )


def _grid(folder: Path, selected: pd.DataFrame) -> None:
    if selected.empty:
        st.info("No picture fits these filters. Take one of them away.")
        return
    size = st.session_state.get("grid size", PAGE_SIZES[0])
    pages = -(-len(selected) // size)
    page = min(st.session_state.get("grid page", 1), pages)
    if pages > 1:
        st.session_state["grid page"] = page
        page = st.number_input(f"Page of {pages:,}", 1, pages, key="grid page")
    thumbnails(folder, selected.iloc[(page - 1) * size : page * size], "grid")


def thumbnails(folder: Path, rows: pd.DataFrame, name: str) -> None:
    """A grid of pictures, each with a button that opens it in full."""
    images = store.dataset(folder).images
    for start in range(0, len(rows), COLUMNS):
        for place, (_, row) in zip(
            st.columns(COLUMNS), rows.iloc[start : start + COLUMNS].iterrows(), strict=False
        ):
            number = int(row["id"])
            place.image(tile(images[number]), width="stretch")
            place.button(
                caption(row),
                key=f"{name} {number}",
                on_click=open_picture,
                args=(number,),
                help=f"#{number} · {title_of(row['source'])} · {row['split']}",
                type="tertiary",
                width="stretch",
            )


def _chosen_id(count: int) -> int | None:
    text = st.query_params.get(CHOSEN, "")
    if not text:
        return None
    if not text.isdigit() or int(text) >= count:
        st.warning(
            f"The link asks for picture {literal(text)}; pictures go from 0 to {count - 1:,}."
        )
        return None
    return int(text)


def detail(folder: Path, table: pd.DataFrame, number: int) -> None:
    """One picture: as its source has it, as the network sees it, and all its copies."""
    row = table.iloc[number]
    data = store.dataset(folder)
    with st.container(border=True):
        head, close = st.columns([8, 1], vertical_alignment="center")
        head.subheader(f"Picture {number:,}", anchor=False)
        close.button("Close", on_click=_close, width="stretch")
        original, network, facts = st.columns([2, 2, 4])
        with original:
            try:
                picture = data.original(number)
                st.image(picture, width=224)
                st.caption(f"As downloaded, {row['width']} x {row['height']} {row['mode']}")
            except CoreError as error:
                st.info(literal(str(error)))
        network.image(cv2.resize(data.images[number], (224, 224), interpolation=cv2.INTER_NEAREST))
        network.caption("As the network sees it, 64 x 64 grey")
        facts.table(_facts(row))
        _exclude_button(facts, folder, row)
        if row["group"] >= 0:
            copies = table[table["group"] == row["group"]]
            st.markdown(f"**All {len(copies)} pictures of this group of copies**")
            thumbnails(folder, copies, "copy")
            st.dataframe(copies[EXPORTED], hide_index=True, width="stretch")


def _facts(row: pd.Series) -> pd.DataFrame:
    reason = f" ({row['reason']})" if row["reason"] else ""
    values = {
        "Source": title_of(row["source"]),
        "Label": row["label"] or "unlabelled",
        "Published split": row["split"],
        "Clean split": f"{row['clean']}{reason}",
        "File": row["path"],
        "Pixel hash": row["pixel_hash"],
    }
    return pd.DataFrame({"": values.keys(), " ": [literal(str(v)) for v in values.values()]})


def _close() -> None:
    st.query_params.pop(CHOSEN, None)


def _exclude_button(
    place: "st.delta_generator.DeltaGenerator", folder: Path, row: pd.Series
) -> None:
    if read_only():
        return
    if row["excluded"]:
        place.button("Take off the exclude list", on_click=_include, args=(folder, row))
    else:
        place.button(
            "Put on the exclude list",
            on_click=_exclude,
            args=(folder, [row]),
            help="The next preparation drops it, and pictures with equal pixels, from all splits.",
        )


def _exclude(folder: Path, rows: Sequence[pd.Series]) -> None:
    with shown_errors():
        table = read_exclude(exclude_path(folder))
        more = pd.DataFrame(
            [
                {"pixel_hash": row["pixel_hash"], "source": row["source"], "path": row["path"],
                 "reason": "judged unfit in the explorer"}
                for row in rows
            ]
        )  # fmt: skip
        write_exclude(folder, pd.concat([table, more]).drop_duplicates("pixel_hash"))


def _include(folder: Path, row: pd.Series) -> None:
    with shown_errors():
        table = read_exclude(exclude_path(folder))
        write_exclude(folder, table[table["pixel_hash"] != row["pixel_hash"]])


def exclude_list(folder: Path) -> None:
    """The exclude list with a way back for every picture."""
    table = read_exclude(exclude_path(folder))
    st.caption(
        "Pictures that a person judged unfit. The list lies beside the splits "
        "(`splits/exclude.csv`); the next `prepare` drops its pictures from every split. "
        "Open a picture to put it on the list."
    )
    if table.empty:
        st.info("The list is empty.")
        return
    edited = st.data_editor(
        table, hide_index=True, num_rows="delete" if not read_only() else "fixed",
        disabled=["pixel_hash", "source", "path"] if not read_only() else True,
        width="stretch", key="exclude editor",
    )  # fmt: skip
    if not read_only() and not edited.equals(table) and st.button("Save the list", type="primary"):
        with shown_errors():
            write_exclude(folder, edited)
            st.rerun()
    st.download_button(
        "Download the list", table.to_csv(index=False), "exclude.csv", on_click="ignore"
    )
