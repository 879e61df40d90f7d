"""Start a run, watch it learn, compare it with others, search for better settings."""

import streamlit as st

from core.paths import read_only
from webapp.errors import shown_errors
from webapp.training import (
    actions,
    compare_view,
    new_run,
    runs_view,
    search_view,
    store,
)

VIEWS = {
    actions.NEW: new_run.show,
    actions.RUNS: runs_view.show,
    actions.COMPARE: compare_view.show,
    actions.SEARCH: search_view.show,
}

st.title("Training")
st.caption(
    "A run is a process of its own: it goes on when this tab or the app is closed. It learns to "
    "agree with the labels raters gave."
)
if read_only():
    st.info("This server is read-only: runs can be watched and compared, not started or stopped.")
actions.recover()
view = st.segmented_control(
    "View",
    actions.VIEWS,
    default=actions.RUNS if store.runs() else actions.NEW,
    required=True,
    key=actions.VIEW,
    bind="query-params",
    label_visibility="collapsed",
)
with shown_errors():
    VIEWS[view]()
