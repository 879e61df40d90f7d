"""What the buttons of the training page do and where they lead, and a job with its buttons."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import streamlit as st

from core.checkpoints import damage, is_own
from core.errors import TrainingError
from core.paths import read_only, run_root
from core.training import (
    DAMAGED,
    Observed,
    RunConfig,
    RunFolder,
    Search,
    WorkerLock,
    add_run,
    add_search,
    delete_job,
    enqueue,
    ensure_worker,
    observe,
    request_stop,
    stop_worker,
)
from webapp.errors import sentence, shown_errors
from webapp.navigation import VIEW, warn_of_link
from webapp.text import duration, literal
from webapp.waiting import tell_kept, tell_next

NEW, RUNS, COMPARE, SEARCH = VIEWS = ("New run", "Runs", "Compare", "Search")
BEGUN = "queue begun"  # when, seconds since the epoch
RUN, SEARCHED = "run", "search"
COLOURS = {
    "queued": "blue", "running": "green", "finished": "violet", "stopped": "gray",
    "failed": "red", "interrupted": "orange", "unknown": "gray", DAMAGED: "red",
}  # fmt: skip


def _allowed() -> None:
    """Refuse on a server for looking only, whatever a browser may send.

    Raises:
        TrainingError: The server is read-only.
    """
    if read_only():
        raise TrainingError("This server is read-only: runs are started on its command line.")


def _begin() -> None:
    """Have the queue worked on; the worker takes some seconds to come."""
    st.session_state[BEGUN] = time.time()
    ensure_worker(run_root())


@contextmanager
def _kept_errors() -> Iterator[None]:
    """As `shown_errors`, for buttons of a part that is drawn by itself."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a page's outermost edge; `sentence` logs
        tell_next(literal(sentence(error)))


def start(name: str, config: RunConfig, *, now: bool) -> None:
    """Queue a new run, have the queue worked on if `now`, and turn to the run."""
    with shown_errors():
        _allowed()
        add_run(run_root(), name, config)
        if now:
            _begin()
        show_run(name)


def start_search(name: str, search: Search) -> None:
    """Queue a new search, have the queue worked on, and turn to the search."""
    with shown_errors():
        _allowed()
        add_search(run_root(), name, search)
        _begin()
        show_search(name)


def stop(folder: RunFolder) -> None:
    """Ask a run or search to stop."""
    with _kept_errors():
        _allowed()
        request_stop(folder)


def resume(folder: RunFolder) -> None:
    """Queue a run or search again, and have the queue worked on."""
    with _kept_errors():
        _allowed()
        enqueue(folder)
        _begin()


def delete(folder: RunFolder) -> None:
    """Remove a run or search with all its files."""
    with _kept_errors():
        _allowed()
        if not is_own(folder.path):
            raise TrainingError(f"{folder.name} came with the app, which would miss it.")
        delete_job(folder)
        tell_next(f"{literal(folder.name)} is deleted.")


def work() -> None:
    """Have the queue worked on."""
    with shown_errors():
        _allowed()
        _begin()


def rest() -> None:
    """Stop the queue; its job goes on when it is worked on again."""
    with shown_errors():
        _allowed()
        stop_worker(run_root())


def recover() -> None:
    """Start the worker again if it was killed, so that its runs are taken up."""
    if not read_only() and WorkerLock(run_root()).has_crashed():
        with shown_errors():
            _begin()


def job_buttons(folder: RunFolder, state: str) -> None:
    """Stop, resume and delete, as far as the state allows them."""
    if read_only():
        return
    with st.container(horizontal=True):
        if state in ("running", "queued", "interrupted"):
            st.button("Stop", key="stop", on_click=stop, args=(folder,))
        if state in ("stopped", "failed", "interrupted"):
            st.button("Resume", key="resume", on_click=resume, args=(folder,), type="primary")
        if state not in ("running", "queued") and is_own(folder.path):
            with st.popover("Delete", key=f"delete {folder.name}"):
                st.markdown("Its curves, weights and predictions go with it; nothing is kept.")
                st.button(
                    "Delete for good", key="delete", on_click=delete, args=(folder,), type="primary"
                )


def show_run(name: str) -> None:
    """Turn to a run; for callbacks."""
    st.session_state[VIEW] = RUNS
    st.session_state[RUN] = name


def show_search(name: str) -> None:
    """Turn to a search; for callbacks."""
    st.session_state[VIEW] = SEARCH
    st.session_state[SEARCHED] = name


def linked_pick(
    label: str, names: list[str], key: str, titles: Mapping[str, str] | None = None
) -> str:
    """A box to choose one of some names, which stands in the address.

    Args:
        label: Above the box.
        names: At least one; the first is chosen unless the address names another.
        key: Of the widget and of the parameter.
        titles: What is shown in place of names.
    """
    titles = titles or {}
    asked = st.session_state.get(key, st.query_params.get(key))
    if asked not in names:
        if key not in st.session_state:
            warn_of_link(key, names)
        asked = names[0]
    if st.session_state.get(key) != asked:
        st.session_state[key] = asked
    name: str = st.selectbox(label, names, key=key, format_func=lambda name: titles.get(name, name))
    st.query_params[key] = name
    return name


def state_line(observed: Observed, doing: str) -> None:
    """The state as a badge, since when, and what it does or why it ended."""
    at_ease = observed.state not in ("failed", "interrupted", DAMAGED)
    length = duration(time.time() - observed.since)
    words = f"for {length}. " if observed.is_active else f"{length} ago. "
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(observed.state, color=COLOURS.get(observed.state, "gray"))  # type: ignore[arg-type]
        st.caption((words if observed.since else "") + (literal(doing) if at_ease else ""))
    if not at_ease:
        st.error(literal(observed.reason))


def show_job(folder: RunFolder, live: Callable[[RunFolder, str], None], *, poll: float) -> None:
    """Draw a run or search, again and again while it is active.

    Streamlit tells what is drawn again by its place on the page: it may not move while it is drawn.

    Args:
        folder: Of the run or search.
        live: Draws it; gets the folder and the state that the rest of the page was drawn for.
        poll: Seconds after which `live` is called again.
    """
    observed = observe(folder)
    with st.container():
        if (reason := damage(folder.path)) and observed.state != DAMAGED:
            st.error(literal(f"This folder is damaged: {reason}"))
    st.fragment(live, run_every=poll if observed.is_active else None)(folder, observed.state)


def job_head(folder: RunFolder, observed: Observed, doing: str) -> None:
    """Draw state and buttons of a run or search."""
    tell_kept()
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        state_line(observed, doing)
    with right:
        job_buttons(folder, observed.state)
