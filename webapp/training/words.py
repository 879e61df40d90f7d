"""States and times as they stand on the training page."""

import time

import streamlit as st

from core.training import Observed
from webapp.text import literal

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
