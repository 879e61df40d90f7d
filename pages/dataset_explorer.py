"""What are the training pictures, and what is wrong with them?"""

from pathlib import Path

import streamlit as st

from webapp import navigation
from webapp.dataset_explorer import (
    address,
    detail,
    excluding,
    features,
    gallery,
    leaks,
    looks,
    mislabelled,
    overview,
    start,
    store,
)
from webapp.errors import shown_errors

WITHOUT_DATA = (
    "No data set is prepared here. This is the audit of the paper's image sets as downloaded, made "
    "when this software was released: numbers and mean faces, no picture of a person. Under "
    "Prepare, make a data set from your own files, or from drawings."
)


def show_shipped(view: str) -> None:
    """Draw a view without any data set."""
    if view not in (address.OVERVIEW, address.LOOKS):
        st.info("There is no data set to look into. Prepare one first.")
        return
    st.info(WITHOUT_DATA)
    found, means = store.shipped()
    if view == address.LOOKS:
        looks.show(found, means)
    else:
        overview.show(found)


def show(view: str, folder: Path) -> None:
    """Draw a view of a data set, and the picture opened over it."""
    if view == address.PICTURES:
        gallery.show(folder)
    elif view == address.LEAKS:
        leaks.show(folder)
    elif view == address.MISLABELLED:
        mislabelled.show(folder)
    elif view == address.LOOKS:
        looks.show(store.findings(folder), store.means(folder))
    elif view == address.MAP:
        features.show(folder)
    elif view == address.EXCLUDED:
        excluding.show(folder)
    else:
        overview.show(store.findings(folder), explorable=True)
    detail.show_if_asked(folder)


st.title("Dataset explorer")
st.caption(
    "Find out whether a set of face pictures can be trusted: what it holds, which pictures are "
    "there twice, which labels contradict each other. A label is what raters gave a picture, or "
    "what an actor was asked to show: not what the person felt."
)
folder = start.data_picker(store.prepared())
view = navigation.view_picker(address.VIEWS, address.OVERVIEW)
start.announce(view)
with shown_errors():
    if view == address.PREPARE:
        start.prepare()
        start.how_to_get()
    elif folder is None:
        show_shipped(view)
    else:
        show(view, folder)
