"""What the views of a run and of a search have in common: its head, and figures that move."""

from collections.abc import Callable

import streamlit as st

from core.training import RunFolder, observe
from webapp.training import actions
from webapp.training.words import state_line


def show_job(folder: RunFolder, live: Callable[[RunFolder, str], None], *, poll: float) -> None:
    """Draw state and buttons of a run or search, and below what changes while it goes on.

    Args:
        folder: Of the run or search.
        live: Draws what changes; gets the folder and the state drawn above it.
        poll: Seconds after which `live` is called again while the job is active.
    """
    observed = observe(folder)
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        state_line(observed)
    with right:
        actions.job_buttons(folder, observed.state)
    st.fragment(live, run_every=poll if observed.is_active else None)(folder, observed.state)
