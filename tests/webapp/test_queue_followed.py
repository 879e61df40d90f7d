"""The training page follows a queue that others begin or stop."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from core.training import RunConfig, add_run
from webapp.training import runs_view

Follow = Callable[[tuple[int, bool, bool]], None]


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
