"""Names of pages are addresses: they are permanent and unique."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from evaluated_run import prepared, write_run
from streamlit.testing.v1 import AppTest

from core.paths import PROJECT_ROOT
from webapp import navigation
from webapp.navigation import ENTRIES, HOME


def test_addresses_are_unique_file_names() -> None:
    names = [entry.name for entry in ENTRIES]

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    assert ENTRIES[0] is HOME


@pytest.mark.parametrize(("theme", "black"), [("dark", True), ("light", False), (None, False)])
def test_only_dark_pages_have_black_on_the_accent(
    monkeypatch: pytest.MonkeyPatch, theme: str | None, black: bool
) -> None:
    drawn: list[str] = []
    context = SimpleNamespace(theme=SimpleNamespace(type=theme))
    sidebar = SimpleNamespace(html=drawn.append)
    monkeypatch.setattr(navigation, "st", SimpleNamespace(context=context, sidebar=sidebar))

    navigation.dress()

    assert any("#000" in style for style in drawn) is black


@pytest.mark.slow
def test_a_view_of_one_page_is_none_of_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "runs" / "net", prepared(tmp_path / "data"))
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path / "runs"))
    app = AppTest.from_file(str(PROJECT_ROOT / "webapp" / "Home.py"), default_timeout=120).run()

    app.switch_page("../pages/results.py").run()
    app.button_group(key="view").set_value("Confusions").run()
    for page in ("dataset_explorer", "results", "training", "results"):
        app.switch_page(f"../pages/{page}.py").run()

        assert [one.value for one in app.error] == [], page
        assert len(app.exception) == 0, page
