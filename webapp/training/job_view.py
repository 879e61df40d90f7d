"""A run or search in words and on the page."""

import time
from collections.abc import Callable

import streamlit as st

from core.training import Observed, RunFolder, observe
from webapp.text import literal
from webapp.training import actions

COLOURS = {
    "queued": "blue", "running": "green", "finished": "violet", "stopped": "gray",
    "failed": "red", "interrupted": "orange", "unknown": "gray",
}  # fmt: skip


def duration(seconds: float) -> str:
    """A length of time in two units at most.

    >>> duration(42), duration(4800), duration(200000)
    ('42 s', '1 h 20 min', '2 d 8 h')
    """
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    left = max(0, round(seconds))
    for number, (unit, length) in enumerate(units[:-1]):
        if left >= length:
            following, smaller = units[number + 1]
            rest = left % length // smaller
            return f"{left // length} {unit}" + (f" {rest} {following}" if rest else "")
    return f"{left} s"


def state_line(observed: Observed) -> None:
    """The state as a badge, since when, and its reason."""
    at_ease = observed.state not in ("failed", "interrupted")
    length = duration(time.time() - observed.since)
    words = f"for {length}. " if observed.is_active else f"{length} ago. "
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(observed.state, color=COLOURS.get(observed.state, "gray"))  # type: ignore[arg-type]
        st.caption(
            (words if observed.since else "") + (literal(observed.reason) if at_ease else "")
        )
    if not at_ease:
        st.error(literal(observed.reason))


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
