"""The exclude list: pictures a person judged unfit, with a way back from every change."""

import threading
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from core.data import EXCLUDE_COLUMNS, exclude_path, read_exclude, write_exclude
from core.paths import read_only
from core.tabular import frame_csv
from webapp.dataset_explorer import address, preparing, store, tiles
from webapp.errors import shown_errors
from webapp.text import counted, literal

REASON = "judged unfit"
MOST_SHOWN = 96  # pictures of the list
_CHANGES, _REASON_KEY = "exclude changes", "exclude reason"
_WRITING = threading.Lock()  # visitors share the list


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What one step did to a list; tables with EXCLUDE_COLUMNS."""

    folder: Path
    added: pd.DataFrame
    removed: pd.DataFrame


def exclude(folder: Path, rows: pd.DataFrame, reason: str = "") -> None:
    """Put pictures on the list; for callbacks.

    Args:
        folder: Of the data set.
        rows: Of the table of `store.pictures`.
        reason: Why, in the visitor's words.
    """
    listed = rows.drop_duplicates("pixel_hash").assign(reason=reason.strip() or REASON)
    _change(folder, added=listed.loc[~listed["excluded"], EXCLUDE_COLUMNS])


def include(folder: Path, hashes: list[str]) -> None:
    """Take pictures off the list; for callbacks."""
    with shown_errors():
        table = read_exclude(exclude_path(folder))
        _change(folder, removed=table[table["pixel_hash"].isin(hashes)])


def undo() -> None:
    """Take back the visitor's last change, and nobody else's; for callbacks."""
    change: Change = st.session_state[_CHANGES].pop()
    with shown_errors():
        _write(change.folder, added=change.removed, removed=change.added)


def button(folder: Path, row: pd.Series) -> None:
    """Put one picture on the list, or take it off."""
    if read_only():
        return
    if row["excluded"]:
        st.caption("On the exclude list: the next preparation drops it from all splits.")
        st.button("Take it off the list", on_click=include, args=(folder, [row["pixel_hash"]]))
        return
    rows = pd.DataFrame([row])
    why, place = st.columns([3, 2], vertical_alignment="bottom")
    why.text_input("Reason", REASON, max_chars=200, key=_REASON_KEY)
    place.button(
        "Exclude it",
        on_click=_exclude_as_typed,
        args=(folder, rows),
        width="stretch",
        help="Pictures with equal pixels share its fate. The next preparation drops them.",
    )


def _exclude_as_typed(folder: Path, rows: pd.DataFrame) -> None:
    """The reason may have been typed just before the click."""
    exclude(folder, rows, st.session_state[_REASON_KEY])


def show(folder: Path) -> None:
    """Draw the list, with a way back for every picture on it."""
    st.caption(
        "Pictures that a person judged unfit, kept by their pixels in `splits/exclude.csv` of the "
        "data set. Preparing again drops them from every split. Open a picture to put it here."
    )
    undo_button()
    listed = read_exclude(exclude_path(folder))
    table = store.pictures(folder)
    dropped = table["reason"] == "excluded"
    if (dropped != table["excluded"]).any():
        _prepare_again(folder)
    if listed.empty:
        st.info(
            "The list is empty: you have put no picture on it. What the clean split itself leaves "
            "out, copies for example, is in **Pictures** under *Clean split: left out*."
        )
        return
    picked = st.dataframe(
        listed,
        hide_index=True,
        on_select="rerun" if not read_only() else "ignore",
        selection_mode="multi-row",
        key=f"exclude table {len(listed)}",  # another list is another table: rows would stay chosen
    )
    row = st.container(horizontal=True)
    if not read_only():
        rows = picked["selection"]["rows"]  # type: ignore[index]  # a selection, as it may be made
        hashes = listed["pixel_hash"].iloc[rows].tolist()
        row.button(
            f"Take {counted(len(hashes), 'row')} off the list" if hashes else "Choose rows above",
            on_click=include,
            args=(folder, hashes),
            disabled=not hashes,
            key="include rows",
        )
    row.download_button("Download the list", frame_csv(listed), "exclude.csv", on_click="ignore")
    shown = table[table["excluded"]]
    tiles.thumbnails(folder, shown.head(MOST_SHOWN), "excluded")
    if len(shown) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} of {counted(len(shown), 'picture')}.")


def undo_button() -> None:
    """Offer to take back the visitor's last change, where there was one."""
    changes: list[Change] = st.session_state.get(_CHANGES, [])
    if not changes or read_only():
        return
    last = changes[-1]
    number, verb = (
        (len(last.added), "put on") if len(last.added) else (len(last.removed), "taken off")
    )
    st.button(
        f"Undo: {counted(number, 'picture')} {verb} the list of {literal(last.folder.name)}",
        on_click=undo,
        key="undo exclude",
    )


def _prepare_again(folder: Path) -> None:
    place = st.container(horizontal=True, vertical_alignment="center")
    place.warning("The splits do not follow this list yet.")
    if not read_only() and preparing.running() is None:
        place.button(
            "Prepare again",
            on_click=_again,
            args=(folder,),
            help="From the same files; only splits and audit are made anew.",
        )


def _again(folder: Path) -> None:
    with shown_errors():
        preparing.begin_again(store.dataset(folder))
        address.show_view(address.PREPARE)


def _change(
    folder: Path, added: pd.DataFrame | None = None, removed: pd.DataFrame | None = None
) -> None:
    nothing = pd.DataFrame(columns=EXCLUDE_COLUMNS)
    change = Change(
        folder, nothing if added is None else added, nothing if removed is None else removed
    )
    if change.added.empty and change.removed.empty:
        return
    with shown_errors():
        _write(folder, added=change.added, removed=change.removed)
        st.session_state.setdefault(_CHANGES, []).append(change)


def _write(folder: Path, added: pd.DataFrame, removed: pd.DataFrame) -> None:
    with _WRITING:
        table = read_exclude(exclude_path(folder))
        kept = table[~table["pixel_hash"].isin(removed["pixel_hash"])]
        write_exclude(folder, pd.concat([kept, added[EXCLUDE_COLUMNS]], ignore_index=True))
