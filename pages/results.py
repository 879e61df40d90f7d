"""How good is it, really?  The paper's numbers beside ours, down to the single picture."""

import streamlit as st

from webapp.errors import shown_errors
from webapp.results.confidence_view import confidence_view
from webapp.results.confusion_view import confusion_view
from webapp.results.global_view import global_view
from webapp.results.paper_tables import literature_view, table_view
from webapp.results.sources_view import sources_view
from webapp.results.trust_view import trust_view

VIEWS = {
    "Table 2": table_view,
    "Confusions": confusion_view,
    "One run": confidence_view,
    "Image sets": sources_view,
    "Explanations": trust_view,
    "Mean maps": global_view,
    "Literature": literature_view,
}

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
    VIEWS[view]()
