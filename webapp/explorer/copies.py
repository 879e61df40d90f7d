"""Leaks between the published parts, shown as pairs of pictures."""

from pathlib import Path

import pandas as pd
import streamlit as st

from core.data import title_of
from webapp.explorer import gallery, store
from webapp.text import counted

PAIRS = 12  # a page


def show(folder: Path) -> None:
    """Draw the table of leaks and the pairs behind the chosen row."""
    found = store.findings(folder)
    if not found["leaks"]:
        st.success("No picture of one published part has a copy in another.")
        return
    st.caption(
        "Pictures of one published part that also stand in another. Near copies are the same "
        "photograph saved again: their 64 x 64 squares correlate above 0.97. Choose a row to see "
        "its pairs."
    )
    rows = pd.DataFrame(found["leaks"])
    shown = pd.DataFrame(
        {
            "picture of": rows["source_b"].map(title_of) + " " + rows["split_b"],
            "stands in": rows["source_a"].map(title_of) + " " + rows["split_a"],
            "copy": rows["exact"].map({True: "exact", False: "near"}),
            "labels": rows["same_label"].map({True: "same", False: "different"}),
            "pictures": rows["n"],
        }
    )
    picked = st.dataframe(
        shown, hide_index=True, on_select="rerun", selection_mode="single-row", key="leak table",
        width="stretch",
    )  # fmt: skip
    number = (picked["selection"]["rows"] or [0])[0]
    pairs = _pairs(store.leaks(folder), found["leaks"][number])
    st.markdown(f"**{counted(len(pairs), 'pair')}**")
    pages = -(-len(pairs) // PAIRS)
    page = (
        st.number_input(f"Page of {pages}", 1, pages, key=f"leak page {number}") if pages > 1 else 1
    )
    _draw(folder, pairs.iloc[(page - 1) * PAIRS : page * PAIRS])
    st.download_button(
        "Download all pairs as CSV",
        lambda: store.leaks(folder).to_csv(index=False).encode(),
        f"{folder.name}-leaks.csv",
        on_click="ignore",
    )


def _pairs(leaks: pd.DataFrame, row: dict[str, object]) -> pd.DataFrame:
    wanted = pd.Series(True, index=leaks.index)
    for column in ("split_a", "split_b", "source_a", "source_b", "exact", "same_label"):
        wanted &= leaks[column] == row[column]
    return leaks[wanted]


def _draw(folder: Path, pairs: pd.DataFrame) -> None:
    table, images = store.pictures(folder), store.dataset(folder).images
    for start in range(0, len(pairs), 3):
        for place, (_, pair) in zip(
            st.columns(3), pairs.iloc[start : start + 3].iterrows(), strict=False
        ):
            with place.container(border=True):
                for side, number in zip(
                    st.columns(2), (int(pair["id_b"]), int(pair["id_a"])), strict=True
                ):
                    row = table.iloc[number]
                    side.image(gallery.tile(images[number]), width="stretch")
                    side.caption(f"{title_of(row['source'])} {row['split']}: {row['label']}")
                    side.button(
                        f"#{number}", key=f"leak {pair['id_b']} {number}",
                        on_click=gallery.open_picture, args=(number,), type="tertiary",
                    )  # fmt: skip
