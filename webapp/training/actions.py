"""What the buttons of the training page do; all of it through the runs' folders."""

import streamlit as st

from core.errors import TrainingError
from core.paths import read_only, run_root
from core.training import (
    RunConfig,
    RunFolder,
    Search,
    WorkerLock,
    add_run,
    add_search,
    delete_job,
    enqueue,
    ensure_worker,
    request_stop,
    stop_worker,
)
from webapp.errors import shown_errors
from webapp.training import address


def _allowed() -> None:
    """Refuse on a server for looking only, whatever a browser may send.

    Raises:
        TrainingError: The server is read-only.
    """
    if read_only():
        raise TrainingError("This server is read-only: runs are started on its command line.")


def start(name: str, config: RunConfig, *, now: bool) -> None:
    """Queue a new run, have the queue worked on if `now`, and turn to the run."""
    with shown_errors():
        _allowed()
        add_run(run_root(), name, config)
        if now:
            ensure_worker(run_root())
        address.show_run(name)


def start_search(name: str, search: Search) -> None:
    """Queue a new search, have the queue worked on, and turn to the search."""
    with shown_errors():
        _allowed()
        add_search(run_root(), name, search)
        ensure_worker(run_root())
        address.show_search(name)


def stop(folder: RunFolder) -> None:
    """Ask a run or search to stop."""
    with shown_errors():
        _allowed()
        request_stop(folder)


def resume(folder: RunFolder) -> None:
    """Queue a run or search again, and have the queue worked on."""
    with shown_errors():
        _allowed()
        enqueue(folder)
        ensure_worker(run_root())


def delete(folder: RunFolder) -> None:
    """Remove a run or search with all its files."""
    with shown_errors():
        _allowed()
        delete_job(folder)
        st.toast(f"{folder.name} is deleted.")


def work() -> None:
    """Have the queue worked on."""
    with shown_errors():
        _allowed()
        ensure_worker(run_root())


def rest() -> None:
    """Stop the queue; its job goes on when it is worked on again."""
    with shown_errors():
        _allowed()
        stop_worker(run_root())


def recover() -> None:
    """Start the worker again if it was killed, so that its runs are taken up."""
    if not read_only() and WorkerLock(run_root()).has_crashed():
        with shown_errors():
            ensure_worker(run_root())


def job_buttons(folder: RunFolder, state: str) -> None:
    """Stop, resume and delete, as far as the state allows them."""
    if read_only():
        return
    with st.container(horizontal=True):
        if state in ("running", "queued", "interrupted"):
            st.button("Stop", key="stop", on_click=stop, args=(folder,))
        if state in ("stopped", "failed", "interrupted"):
            st.button("Resume", key="resume", on_click=resume, args=(folder,), type="primary")
        if state not in ("running", "queued"):
            with st.popover("Delete", key=f"delete {folder.name}"):
                st.markdown("Its curves, weights and predictions go with it; nothing is kept.")
                st.button(
                    "Delete for good", key="delete", on_click=delete, args=(folder,), type="primary"
                )
