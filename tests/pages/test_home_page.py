"""The home page: what it says comes from files, and it leads only where a page is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from webapp import navigation

REPORT = {
    "splits": {
        "test": {
            "about": "published test",
            "sources": ["raf_db"],
            "n": 2388,
            "accuracy": 0.8437,
            "macro_f1": 0.7712,
            "intervals": {"accuracy": [0.8291, 0.8582]},
            "per_class": {
                "happiness": {"recall": 0.93, "support": 1185},
                "disgust": {"recall": 0.0, "support": 0},
                "fear": {"recall": 0.4127, "support": 74},
            },
        }
    }
}


def elements(app: AppTest, kind: str) -> list[Any]:
    """All elements of a kind, whatever their class."""
    return list(app.get(kind))


def words(app: AppTest) -> str:
    """All texts of the page."""
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(part.value for part in parts)


def test_without_any_checkpoint_the_page_says_what_to_do(app: AppTest) -> None:
    app.run()

    assert not app.exception
    assert [title.value for title in app.title] == ["GiMEFiVE Studio"]
    assert "no trained network here yet" in app.info[0].value
    assert not app.metric


def test_it_says_what_it_must_not_be_used_for(app: AppTest) -> None:
    app.run()

    warning = app.warning[0].value
    assert "does **not** say what a person feels" in warning
    for word in ("work", "schools", "policing", "lies", "diagnose"):
        assert word in warning


def test_figures_are_those_of_the_report(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    folder = made_checkpoint(data={"sources": ["raf_db"], "train": 8779})
    (folder / "report.json").write_text(json.dumps(REPORT))

    app.run()

    assert not app.exception
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("Accuracy", "84.4 %"),
        ("Macro-F1", "77.1 %"),
        ("Recall of fear, the lowest", "41.3 %"),  # a class without pictures does not count
    ]
    text = words(app)
    assert "trained on 8,779 pictures of RAF-DB" in text
    assert "2,388 pictures of RAF-DB; accuracy lies between 82.9 % and 85.8 %" in text


def test_the_sample_photo_is_answered_by_the_default_network(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    made_checkpoint(weight=1.0)

    app.run()

    assert not app.exception
    assert not app.error
    assert "**surprise, " in words(app)
    assert "Answered by Made" in words(app)
    assert len(elements(app, "image")) == 2  # the photo, and the face under its map
    assert len(elements(app, "plotly_chart")) == 1
    links = [link.proto.query_string for link in elements(app, "page_link")]
    assert [link for link in links if link] == ["source=Sample+photo"]


def test_without_a_default_network_there_is_no_sample(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    made_checkpoint("another")

    app.run()

    assert not app.exception
    assert not elements(app, "image")


@pytest.mark.parametrize("report", [None, "{", "[]", '{"splits": {}}', '{"splits": {"test": 3}}'])
def test_a_checkpoint_without_figures_shows_how_to_get_them(
    app: AppTest, made_checkpoint: Callable[..., Path], report: str | None
) -> None:
    folder = made_checkpoint("mine")
    if report is not None:
        (folder / "report.json").write_text(report)

    app.run()

    assert not app.exception
    assert not app.metric
    assert [code.value for code in app.code] == ["python -m core evaluate mine"]


def test_the_pipeline_is_drawn(app: AppTest) -> None:
    app.run()

    assert [html.value.count("<figure>") for html in elements(app, "html")] == [6]


def test_every_page_that_exists_is_linked_and_no_other(app: AppTest) -> None:
    app.run()

    others = [entry for entry in navigation.present() if entry is not navigation.HOME]
    links = [link.label for link in elements(app, "page_link")]
    assert links == [f"{entry.invitation} →" for entry in others]
    assert "image_explanation" in [entry.name for entry in others]


def test_the_menu_leaves_out_pages_whose_file_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home.py").touch()
    (tmp_path / "video.py").touch()

    monkeypatch.setattr(navigation, "PAGES_FOLDER", tmp_path)

    assert [entry.name for entry in navigation.present()] == ["home", "video"]


def test_every_page_file_is_in_the_menu() -> None:
    files = {path.stem for path in navigation.PAGES_FOLDER.glob("*.py")}

    assert files == {entry.name for entry in navigation.present()}
