"""What are the training pictures, and what is wrong with them?"""

import streamlit as st

from core.data import read_means
from webapp.errors import shown_errors
from webapp.explorer import copies, features, gallery, looks, overview, start, store

OVERVIEW, PICTURES, LEAKS, LOOKS, MAP, EXCLUDED, PREPARE = VIEWS = (
    "Overview",
    "Pictures",
    "Leaks",
    "How it looks",
    "Map",
    "Excluded",
    "Prepare",
)
VIEW = "view"


def show_cell(source: str, split: str, label: str) -> None:
    """Turn from a bar of the overview to its pictures."""
    gallery.choose(source, split, label)
    st.session_state["next view"] = PICTURES
    st.rerun()


st.title("Dataset explorer")
st.caption("Labels are what raters or actors were asked for, not what a person felt.")

folders = store.prepared()
if not folders:
    with shown_errors():
        start.shipped()
    with st.expander("Prepare a data set", expanded=True), shown_errors():
        start.prepare_form()
    with st.expander("How to get the data, and its licences"):
        start.how_to_get()
    st.stop()

name = st.sidebar.selectbox("Data set", list(folders), key="data", bind="query-params")
if "next view" in st.session_state:
    st.session_state[VIEW] = st.session_state.pop("next view")
view = st.segmented_control(
    "View", VIEWS, default=OVERVIEW, key=VIEW, bind="query-params", label_visibility="collapsed"
)
folder = folders[name]
with shown_errors():
    if view == PICTURES:
        gallery.show(folder)
    elif view == LEAKS:
        if gallery.CHOSEN in st.query_params:
            st.session_state["next view"] = PICTURES
            st.rerun()
        copies.show(folder)
    elif view == LOOKS:
        means = folder / "class_means.npz"
        looks.show(store.findings(folder), read_means(means) if means.is_file() else {})
    elif view == MAP:
        features.show(folder)
    elif view == EXCLUDED:
        gallery.exclude_list(folder)
    elif view == PREPARE:
        start.prepare_form()
        start.how_to_get()
    else:
        overview.show(store.findings(folder), show_cell)
