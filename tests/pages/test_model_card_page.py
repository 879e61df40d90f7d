"""The model card page shows the card of the chosen checkpoint."""

from pathlib import Path

import pytest
from evaluated_run import prepared, write_run
from streamlit.testing.v1 import AppTest

from core.evaluation import load_report, model_card


def opened(app: AppTest) -> AppTest:
    app.run()
    return app.switch_page("../pages/model_card.py").run()


def test_the_card_is_the_one_made_from_the_run_s_files(
    app: AppTest, own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    folder = write_run(own_runs / "one", prepared(tmp_path / "data"))

    page = opened(app)

    assert not page.exception
    shown = [text.value for text in page.markdown]
    head, rest = model_card(folder).strip().split("\n## ", 1)
    assert shown[0] == head.strip()
    assert shown[-1] == f"## {rest}".replace("```python", "```")
    accuracy = load_report(folder)["splits"]["test"]["accuracy"]
    assert f"Accuracy {100 * accuracy:.1f} %" in shown[0]
    assert len(page.get("plotly_chart")) == 1  # the confusions
    assert any("probability-bars" in text.proto.body for text in page.get("html"))
    links = [link.proto.query_string for link in page.get("page_link")]
    assert "open=Confusions&run=one" in links
    assert "checkpoint=one&source=Sample+photo" in links  # the page may remember another network


def test_a_checkpoint_that_was_not_evaluated_says_what_to_do(
    app: AppTest, own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    folder = write_run(own_runs / "one", prepared(tmp_path / "data"))
    (folder / "report.json").unlink()

    page = opened(app)

    assert not page.exception
    assert "python -m core evaluate one" in page.error[0].value


def test_without_checkpoints_there_is_no_card(app: AppTest, own_runs: Path) -> None:
    page = opened(app)

    assert not page.exception
    assert "no card to read" in page.info[0].value
