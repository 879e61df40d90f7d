"""A server that is read-only shows every page and writes nothing into data or runs."""

from pathlib import Path

import pytest
from app_server import written
from evaluated_run import prepared, write_run
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
# The camera's page wants a server with sessions: it is walked in the browser.
PAGES = [page for page in (ROOT / "pages").glob("[a-z]*.py") if page.stem != "live_camera"]


@pytest.mark.slow
def test_no_page_of_a_read_only_server_writes_into_data_or_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, runs = tmp_path / "data", tmp_path / "runs"
    write_run(runs / "net", prepared(data))
    monkeypatch.setenv("GIMEFIVE_DATA", str(data))
    monkeypatch.setenv("GIMEFIVE_RUNS", str(runs))
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")
    before = written(data, runs)
    assert len(before) > 100
    assert len(PAGES) > 8
    app = AppTest.from_file(str(ROOT / "webapp" / "Home.py"), default_timeout=120).run()

    for page in sorted(PAGES):
        app.switch_page(f"../pages/{page.name}").run()
        assert [one.message for one in app.exception] == [], page.name
        assert written(data, runs) == before, page.name
