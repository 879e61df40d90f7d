"""One picture in full: as its source has it, as the network sees it, and all its copies."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from core.data import title_of
from core.errors import CoreError
from core.types import Image
from webapp import pictures
from webapp.dataset_explorer import address, excluding, store, tiles
from webapp.errors import sentence
from webapp.text import literal

SIDE = 256  # px of a picture on the screen; four times the network's square


def show_if_asked(folder: Path) -> None:
    """Open the picture that the page's address names, over the present view."""
    text = st.query_params.get(address.PICTURE)
    if text is None:
        return
    count = len(store.pictures(folder))
    if address.asked_picture(count) is None:
        st.warning(
            f"The link asks for a picture {literal(repr(text[:40]))}, which {literal(folder.name)} "
            f"does not have: its pictures are numbered from 0 to {count - 1}."
        )
        return
    _dialog(folder)


@st.dialog("Picture in full", width="large", on_dismiss=address.close_picture)
def _dialog(folder: Path) -> None:
    # Read here and not by the caller: a click on a copy runs only this function again.
    table = store.pictures(folder)
    number = address.asked_picture(len(table))
    if number is None:
        return
    row = table.iloc[number]
    st.markdown(
        f"**Picture {number:,}** · labelled **{literal(row['label'])}** · "
        f"{literal(title_of(row['source']))}"
    )
    original, network, facts = st.columns([2, 2, 3])
    with original:
        _original(folder, row)
    pixels = store.dataset(folder).images[number]
    pictures.draw(network, as_seen(pixels), "seen", alt="The picture as it is prepared", width=SIDE)
    height, width = pixels.shape[:2]
    network.caption(f"As it is prepared for networks, {width} x {height} grey")
    with facts:
        _facts(row)
        excluding.button(folder, row)
    if row["group"] >= 0:
        _copies(folder, table[table["group"] == row["group"]])


def as_seen(pixels: Image) -> Image:
    """The network's grey square with every pixel shown as a square of its own."""
    larger = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    return np.asarray(larger, dtype=np.uint8)


def _original(folder: Path, row: pd.Series) -> None:
    try:
        picture = store.dataset(folder).original(int(row["id"]))
    except CoreError as error:
        st.info(literal(sentence(error)))
        return
    pictures.draw(st.container(), picture, "original", alt="The picture itself", width=SIDE)
    st.caption(f"As downloaded, {row['width']} x {row['height']}, mode {row['mode']}")


def _facts(row: pd.Series) -> None:
    reason = f" ({row['reason']})" if row["reason"] else ""
    values = {
        "Published split": row["split"],
        "Clean split": f"{row['clean']}{reason}",
        "File": row["path"],
        "Pixel hash": row["pixel_hash"],
        "Brightness, contrast": f"{row['brightness']:.0f}, {row['contrast']:.0f}",
    }
    st.markdown("\n".join(f"- {name}: {literal(str(value))}" for name, value in values.items()))


def _copies(folder: Path, copies: pd.DataFrame) -> None:
    labels, exact = copies["label"].nunique(), copies["pixel_hash"].nunique() == 1
    st.markdown(
        f"**All {len(copies)} pictures of this group**, "
        + ("equal pixel for pixel" if exact else "copies and near copies")
        + (f", with **{labels} different labels**" if labels > 1 else "")
    )
    tiles.thumbnails(folder, copies, "copy")
    st.dataframe(copies[tiles.EXPORTED], hide_index=True, width="stretch")
