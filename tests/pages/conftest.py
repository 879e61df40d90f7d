"""The app as a test drives it: its own checkpoints, its own caches, nothing in the background."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from evaluated_run import prepared, write_run
from few_drawings import prepare_few
from photos_page import PAGE
from results_views import results
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


@pytest.fixture(scope="session")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the prepared demo."""
    root = tmp_path_factory.mktemp("drawings")
    prepare_few(root / "demo")
    return root


@pytest.fixture
def data(drawings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIMEFIVE_DATA", str(drawings))
    return drawings


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Roots for which a worker was asked for; none is started."""
    asked: list[Path] = []
    monkeypatch.setattr("webapp.training.actions.ensure_worker", asked.append)
    return asked


@pytest.fixture
def training_page(app: AppTest, workers: list[Path]) -> Callable[..., AppTest]:
    def open_page(view: str = "", **query: str) -> AppTest:
        app.run()
        for key, value in query.items():
            app.query_params[key] = value
        app.switch_page("../pages/training.py").run()
        if view:
            app.button_group(key="view").set_value(view).run()
        assert not app.exception
        return app

    return open_page


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root and two evaluated runs."""
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIMEFIVE_DATA", str(root / "data"))
        data = prepared(root / "data")
        write_run(root / "runs" / "one", data)
        write_run(root / "runs" / "two", data, blur=17.0)
    return root


@pytest.fixture
def page(app: AppTest, made: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The results page with both runs there."""
    monkeypatch.setenv("GIMEFIVE_DATA", str(made / "data"))
    shutil.copytree(made / "runs", own_runs, dirs_exist_ok=True)
    return results(app)


@pytest.fixture
def opened(app: AppTest, made_checkpoint: Callable[..., Path]) -> AppTest:
    """The page with one checkpoint: surprise at a half, and blank maps."""
    made_checkpoint()
    return app.run().switch_page(PAGE).run()
