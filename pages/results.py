"""How good is it, really?  The paper's numbers beside ours, down to the single picture."""

import streamlit as st

from webapp.errors import shown_errors
from webapp.results.views import VIEWS, draw

st.title("Results")
st.caption(
    "A right answer is one that agrees with the label raters gave. Every measured figure comes "
    "from a run's predictions file and can be followed down to its pictures."
)
view = st.segmented_control(
    "View",
    list(VIEWS),
    default="Table 2",
    required=True,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
)
with shown_errors():
    draw(view)
