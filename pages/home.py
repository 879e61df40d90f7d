"""What this is, how it works, what the networks here reach, and where to go."""

from pathlib import Path

import streamlit as st

from core import CoreError
from core.checkpoints import find_checkpoint, is_own, list_checkpoints
from webapp import navigation
from webapp.checkpoints import checkpoint_cards, own_first
from webapp.errors import shown_errors
from webapp.sample_card import explain_sample, sample_places
from webapp.svg import pipeline_html
from webapp.text import counted, literal

BEGIN = ("image_explanation", "live_camera", "video")


def default_network() -> Path | None:
    """The checkpoint that is used unless another is chosen; None where there is none."""
    try:
        return find_checkpoint("default")
    except CoreError:
        return None


st.title("GiMEFiVE Studio")
st.markdown(
    "Show it a photo: it finds every face, says which expression raters would most likely "
    "name, and draws a map of the places that speak for each. The networks, their training data "
    "and their errors are open to inspection on the other pages."
)

begin = [entry for entry in navigation.present() if entry.name in BEGIN]
with st.container(horizontal=True):
    for entry in begin:
        navigation.link(entry.name, entry.invitation)
default = default_network()
places = []
if default is not None:
    with st.container(border=True):
        places = sample_places(default)
st.subheader("From a photo to an explained expression")
st.html(pipeline_html())

st.subheader("Where to go")
others = [entry for entry in navigation.present() if entry is not navigation.HOME]
for start in range(0, len(others), 3):
    for column, entry in zip(st.columns(3), others[start : start + 3], strict=False):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{entry.title}**")
            st.markdown(entry.purpose)
            navigation.link(entry.name, entry.invitation)

st.subheader("The networks here")
folders = own_first(list_checkpoints())
own = [folder for folder in folders if is_own(folder)]
shipped = [folder for folder in folders if not is_own(folder)]
if folders:
    st.caption(
        "Figures of the same name are measured on the same pictures, so they can be compared."
    )
checkpoint_cards(own)
if shipped:
    count = counted(len(shipped), "network")
    with st.expander(f"{count} that the app comes with", expanded=not own):
        checkpoint_cards(shipped)
if not folders:
    st.info(
        "There is no trained network here yet. Train one, or restore the folder `checkpoints/`."
    )
    navigation.link(navigation.TRAINING, "Train one")

st.subheader("What it must not be used for")
st.warning(
    "A probability here says how likely raters would give a face this label. It does **not** say "
    "what a person feels, intends or is like: people smile without joy and grieve without tears. "
    "Do not use it at work, in schools, in policing, to detect lies, or to diagnose anybody."
)
st.caption(
    literal(
        "The weights were learned from research image sets and are for non-commercial research "
        "only. Pictures you upload stay in this machine's memory for your visit."
    )
)

# Last, since loading a network takes longer than everything else on the page.
if default is not None:
    with shown_errors(places[-1]):
        explain_sample(default, places)
