"""The training page follows a queue that others begin or stop."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.process import ProcessId
from core.training import RunConfig, WorkerLock, add_run
from webapp.training import runs_view

Follow = Callable[[tuple[int, tuple[str, ...], bool, bool]], None]


def test_a_queue_that_was_idle_is_followed_until_it_changes(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[tuple[Follow, float]] = []
    again: list[bool] = []

    def fragment(part: Follow, run_every: float) -> Callable[..., Any]:
        followed.append((part, run_every))
        return part

    monkeypatch.setattr(st, "fragment", fragment)
    monkeypatch.setattr(st, "rerun", lambda: again.append(True))

    runs_view._queue()
    (follow, seconds), drawn = followed[0], runs_view._queue_now()
    assert seconds == runs_view.FOLLOW
    assert not again

    add_run(own_runs, "next", RunConfig(data="demo", epochs=5))
    follow(drawn)
    assert again


def test_a_trained_run_is_measured_before_the_next_one_begins(own_runs: Path) -> None:
    def page() -> None:
        from webapp.training import runs_view

        runs_view._queue()

    first = add_run(own_runs, "first", RunConfig(data="demo", epochs=5))
    add_run(own_runs, "next", RunConfig(data="demo", epochs=5))
    first.set_status("finished", **ProcessId.of().fields())

    idle = AppTest.from_function(page).run().caption[0].value
    with WorkerLock(own_runs):
        busy = AppTest.from_function(page).run().caption[0].value

    assert idle == "Nobody works on the queue; first, trained, still to be measured; 1 job waiting."
    assert busy == ("The queue is being worked on; first, trained, being measured; 1 job waiting.")
