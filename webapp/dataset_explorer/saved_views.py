"""Filters, order and network under a name, kept with the data set for whoever comes back."""

import threading
from pathlib import Path

import streamlit as st

from core.files import read_object, write_json
from core.paths import read_only
from webapp.dataset_explorer import address
from webapp.errors import shown_errors
from webapp.text import literal

FILE = "views.json"  # in the folder of the data set
KEPT = (*address.FILTERS, "order", "network")
MOST, LONGEST = 50, 60  # views of a data set, characters of a name
NAME, CHOSEN = "view name", "saved view"
_WRITING = threading.Lock()  # visitors share the views

Views = dict[str, dict[str, list[str]]]


def read(folder: Path) -> Views:
    """The views of a data set by name; what is not of their form is left out."""
    views: Views = {}
    for name, kept in read_object(folder / FILE).items():
        if isinstance(kept, dict) and all(isinstance(texts, list) for texts in kept.values()):
            views[name] = {key: [str(text) for text in kept[key]] for key in KEPT if key in kept}
    return views


def present() -> dict[str, list[str]]:
    """What the page's address says of filters, order and network."""
    every = {key: st.query_params.get_all(key) for key in KEPT}
    return {key: texts for key, texts in every.items() if texts}


def show(folder: Path) -> None:
    """Draw the box in the sidebar: open a view, keep the present one, or delete one."""
    views = read(folder)
    if not views and read_only():
        return
    with st.sidebar.expander("Saved views"):
        if views:
            name = st.selectbox("View", list(views), format_func=literal, key=CHOSEN)
            line = st.container(horizontal=True)
            line.button("Open", on_click=_open, args=(views[name],), key="open view")
            if not read_only():
                line.button("Delete", on_click=_delete, args=(folder, name), key="delete view")
        if not read_only():
            st.text_input("Name", key=NAME, max_chars=LONGEST, placeholder="sure but wrong")
            st.button(
                "Save filters, order and network", on_click=_save, args=(folder,), key="save view",
                help="Whoever opens this data set finds it here.",
            )  # fmt: skip


def _open(kept: dict[str, list[str]]) -> None:
    address.show_pictures(**{key: kept.get(key, []) for key in address.FILTERS})
    for key in ("order", "network"):
        st.session_state.pop(key, None)
        st.query_params.pop(key, None)
    if "order" in kept:  # what is bound to the address takes it from the session
        st.session_state["order"] = kept["order"][0]
    if "network" in kept:
        st.query_params["network"] = kept["network"][0]


def _save(folder: Path) -> None:
    name = " ".join(str(st.session_state[NAME]).split())
    if not name:
        st.toast("Give the view a name first.")
        return
    with _WRITING, shown_errors():
        views = read(folder)
        if len(views) >= MOST and name not in views:
            st.toast(f"There are {MOST} views already: delete one first.")
            return
        write_json(folder / FILE, views | {name: present()})
        st.session_state[CHOSEN], st.session_state[NAME] = name, ""


def _delete(folder: Path, name: str) -> None:
    with _WRITING, shown_errors():
        views = read(folder)
        views.pop(name, None)
        write_json(folder / FILE, views)
    st.session_state.pop(CHOSEN, None)
