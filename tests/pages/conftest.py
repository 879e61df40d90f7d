"""The app as a test drives it: its own checkpoints, its own caches, nothing in the background."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.paths import PROJECT_ROOT


@pytest.fixture(autouse=True)
def _only_made_checkpoints(
    own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Neither the shipped checkpoints nor another test's results are seen."""
    monkeypatch.setattr("core.checkpoints.SHIPPED", tmp_path / "no checkpoints shipped")
    monkeypatch.setattr("webapp.cache.warm_up", lambda: None)
    yield
    st.cache_resource.clear()
    st.cache_data.clear()
    # Streamlit puts the folder of the entry file on the path of modules.
    sys.path[:] = [entry for entry in sys.path if entry != str(PROJECT_ROOT / "webapp")]


@pytest.fixture
def app() -> AppTest:
    """The app before its first run, as a visitor's browser opens it."""
    return AppTest.from_file(str(PROJECT_ROOT / "webapp" / "Home.py"), default_timeout=60)
