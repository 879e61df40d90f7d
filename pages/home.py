"""What this is, how it works, what the networks here reach, and where to go."""

import streamlit as st

from core.checkpoints import list_checkpoints
from webapp import navigation
from webapp.checkpoints import checkpoint_card
from webapp.pipeline_drawing import pipeline_html
from webapp.text import literal

st.title("GiMEFiVE Studio")
st.markdown(
    "Show it a photo: it finds every face, says which of six expressions raters would most likely "
    "name, and draws a map of the places that speak for each. The networks, their training data "
    "and their errors are open to inspection on the other pages."
)

st.subheader("From a photo to an explained expression")
st.html(pipeline_html())

st.subheader("Where to go")
others = [entry for entry in navigation.present() if entry is not navigation.HOME]
for start in range(0, len(others), 3):
    for column, entry in zip(st.columns(3), others[start : start + 3], strict=False):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{entry.title}**")
            st.markdown(entry.purpose)
            st.page_link(navigation.page(entry), label=f"{entry.invitation} →")

st.subheader("The networks here")
folders = list_checkpoints()
for folder in folders:
    checkpoint_card(folder)
if not folders:
    st.info(
        "There is no trained network here yet. Train one, or restore the folder `checkpoints/`."
    )

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
