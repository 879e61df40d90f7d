"""Start a run, watch it learn, compare it with others, search for better settings."""

import streamlit as st

from core.paths import read_only
from webapp import navigation
from webapp.errors import shown_errors
from webapp.training import (
    actions,
    compare_view,
    new_run,
    runs_view,
    search_view,
    store,
)
from webapp.waiting import tell_kept

VIEWS = {
    actions.NEW: new_run.show,
    actions.RUNS: runs_view.show,
    actions.COMPARE: compare_view.show,
    actions.SEARCH: search_view.show,
}

st.title("Training")
st.caption(
    "Train a network on labelled pictures, and see after each pass over them (an epoch) how often "
    "it gives the label that raters gave to pictures it has not learned from. Of runs that are "
    "judged on the same pictures, the higher figure is most likely the better network. A run goes "
    "on when this tab or the app is closed."
)
if read_only():
    st.info("This server is read-only: runs can be watched and compared, not started or stopped.")
tell_kept()
actions.recover()
view = navigation.view_picker(actions.VIEWS, actions.RUNS if store.runs() else actions.NEW)
with shown_errors():
    VIEWS[view]()
