"""What takes a while: a bar and a button that ends it, and room for what comes later."""

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from webapp.text import counted

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.elements.lib.layout_utils import WidthWithoutContent

PATIENCE = 0.4  # seconds before a bar is drawn: quicker work needs none
EVERY = 0.25  # seconds between two moves of the bar
THEN_FROM = 0.7  # share of the bar for what a network looks at, where more comes behind it
_ENDED = "ended work"  # what the visitor cancelled last
_TOLD = "told after a click"

Made = TypeVar("Made")
Show = Callable[[float, str], None]  # (share done, 0 to 1, words)


class Waiting:
    """A place on the page with a bar and Cancel while work goes on.

    Streamlit ends a script that draws when the visitor clicks, so Cancel, or any other input, takes
    effect at the bar's next move; the work must allow for that at any call of `show`.

    Args:
        work: What tells the work from other work, so that cancelling one does not end another.
        key: Of the button, unique on the page.
    """

    def __init__(self, work: Hashable, key: str) -> None:
        self._work, self._key = work, key
        self._place = st.empty()
        self._bar: DeltaGenerator | None = None
        self._begun = time.monotonic()
        self._moved = 0.0

    @property
    def was_cancelled(self) -> bool:
        """Whether the visitor ended this work; it is then offered again by `offer`."""
        return bool(st.session_state.get(_ENDED) == self._work)

    def offer(self, words: str, label: str = "Go on") -> None:
        """Say in the work's place that it was cancelled, and offer to go on."""
        with self._place.container(horizontal=True, vertical_alignment="center"):
            st.caption(words, width="content")
            st.button(label, key=f"{self._key} again", on_click=_forget)

    def forget(self) -> None:
        """Begin anew, whether or not the work was cancelled before."""
        _forget()

    def show(self, share: float, words: str) -> None:
        """Move the bar; not more often than one can see."""
        now = time.monotonic()
        if now - self._begun < PATIENCE or now - self._moved < EVERY:
            return
        self._moved = now
        told = f"{words} {now - self._begun:.0f} s"
        if self._bar is None:
            with self._place.container(horizontal=True, vertical_alignment="center"):
                self._bar = st.progress(0.0, told)
                st.button("Cancel", key=self._key, on_click=_end, args=(self._work,))
        self._bar.progress(min(max(share, 0.0), 1.0), told)

    def end(self) -> None:
        """Take the bar away."""
        self._place.empty()


def tell_next(words: str) -> None:
    """Have `tell_kept` show a message; for callbacks, which may not draw where a fragment does."""
    st.session_state[_TOLD] = words


def tell_kept() -> None:
    """Show the message that the last callback left, once."""
    if words := st.session_state.pop(_TOLD, ""):
        st.toast(words)


@contextmanager
def passes_shown(show: Show, words: str, expected: float) -> Iterator[None]:
    """Tell how many pictures have gone through the network while an explanation is computed.

    Args:
        show: Of the bar.
        words: What is computed.
        expected: About how many pictures it takes.
    """
    from core.explain import watched

    def tell(passes: int) -> None:
        told = f" {passes:,} pictures through the network," if passes > 1 else ""
        show(min(passes / max(expected, 1.0), 0.95), f"{words}:{told}")

    with watched(tell):
        yield


def made_of_pictures(
    what: str, work: Hashable, then: str, make: Callable[[Callable[[int, int], None]], Made]
) -> Made | None:
    """Make something that a network has to look at many pictures for, with a bar and Cancel.

    Args:
        what: Is made, a noun; one of its kind stands on a page.
        work: What tells it from others of its kind.
        then: What is done with all pictures at the end, of which nothing can be told.
        make: Makes it; is given what it calls with the pictures seen and those in all.

    Returns:
        None where the visitor cancelled it; it is then offered again.
    """
    waiting = Waiting((what, work), f"cancel {what}")
    if waiting.was_cancelled:
        waiting.offer(f"The {what} was cancelled.", "Make it")
        return None

    def tell(done: int, total: int) -> None:
        words = f"{done:,} of {counted(total, 'picture')} seen by the network,"
        waiting.show(THEN_FROM * done / total, words if done < total else then)

    waiting.show(0.0, "Opening the network,")
    made = make(tell)
    waiting.end()
    return made


def room_for(
    place: "DeltaGenerator",
    shape: tuple[int, ...],
    key: str,
    width: "WidthWithoutContent" = "stretch",
) -> "DeltaGenerator":
    """A place that keeps a picture's or film's room while it is on its way: nothing below moves.

    Args:
        place: Where.
        shape: Of what comes, height and width first; other sizes of the same form do as well.
        key: Unique on the page.
        width: Of the place, as of `st.container`.
    """
    form = f"room-{shape[1]}-x-{shape[0]}-"
    place = place.container(key=f"{form}{key}", gap=None, width=width)
    ratio = f"aspect-ratio: {shape[1]} / {shape[0]};"
    # Not the style alone: Streamlit sends that apart, and it would come after the picture's place.
    place.html(
        f'<style>[class*="st-key-{form}"] {{{ratio}}} '
        f'[class*="st-key-{form}"] :is(img, video) {{display: block; {ratio}}}</style>'
        "<i hidden></i>"
    )
    return place


def _end(work: Hashable) -> None:
    st.session_state[_ENDED] = work


def _forget() -> None:
    st.session_state.pop(_ENDED, None)
