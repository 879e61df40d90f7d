"""The home page: what it says comes from files, and it leads only where a page is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import EMOTIONS
from core.checkpoints import DEFAULT_CHECKPOINT, SHIPPED_TITLES
from core.files import write_json
from webapp import navigation


def report(**sources: tuple[int, float, float]) -> dict[str, Any]:
    """A report with images, accuracy and macro-F1 of each source."""
    return {
        "splits": {
            "test": {
                "per_source": {
                    name: {
                        "n": n,
                        "accuracy": accuracy,
                        "macro_f1": macro_f1,
                        "intervals": {"accuracy": [accuracy - 0.0146, accuracy + 0.0145]},
                    }
                    for name, (n, accuracy, macro_f1) in sources.items()
                }
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


def test_figures_are_those_of_the_report_each_column_on_the_same_pictures(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    first = made_checkpoint("first", data={"sources": ["raf_db"], "train": 8779})
    second = made_checkpoint("second")
    write_json(first / "report.json", report(raf_db=(2388, 0.8437, 0.7712)))
    write_json(second / "report.json", report(fer2013=(5945, 0.5, 0.4), raf_db=(2388, 0.9, 0.8)))

    app.run()

    assert not app.exception
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("RAF-DB test, right answers", "84.4 %"),
        ("FER2013 test, right answers", "-"),
        ("RAF-DB test, right answers", "90.0 %"),
        ("FER2013 test, right answers", "50.0 %"),
    ]
    text = words(app)
    assert "Trained on 8,779 pictures of RAF-DB" in text
    assert "of 2,388 pictures; 95 % interval 82.9 to 85.8. Macro-F1 77.1 %" in text
    assert "not measured" in text
    # On a phone all figures stand in one column.
    assert "Figures of the same name are measured on the same pictures" in text


def test_a_joined_network_learned_nothing_more_and_its_report_names_its_image_sets(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    data = {"sources": [], "train": 8779, "initial": {"checkpoint": "one+two"}}
    folder = made_checkpoint("both", data=data, training={"epochs": 0})
    sources = {"sources": ["raf_db", "tfeid"]}
    write_json(folder / "report.json", report(raf_db=(2388, 0.8437, 0.7712)) | sources)

    app.run()

    assert not app.exception
    learned = "Joined from trained networks, which learned from 8,779 pictures of RAF-DB, TFEID."
    assert learned in words(app)


def test_a_network_with_neutral_is_shown_on_the_pictures_of_the_others(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    six, seven = made_checkpoint("six"), made_checkpoint("seven")
    write_json(six / "report.json", report(raf_db=(2388, 0.8437, 0.7712)))
    of_six = report(raf_db=(2388, 0.88, 0.8)) | {"labels": list(EMOTIONS)}
    both = report(raf_db=(3068, 0.81, 0.7)) | {"six": of_six}
    write_json(seven / "report.json", both)

    app.run()

    assert not app.exception
    assert sorted(metric.value for metric in app.metric) == ["84.4 %", "88.0 %"]
    text = words(app)
    assert text.count("of 2,388 pictures of six expressions;") == 1
    assert "With neutral: 81.0 % of 3,068." in text


def test_without_a_test_part_the_figures_are_those_of_validation(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    run = made_checkpoint("own")
    splits = report(raf_db=(10, 0.4, 0.2))["splits"]
    write_json(run / "report.json", {"splits": {"valid": splits["test"]}})

    app.run()

    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("RAF-DB validation, right answers", "40.0 %")
    ]
    assert "Not evaluated yet" not in words(app)


def test_a_network_leads_to_its_results_its_card_and_a_try(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    measured = made_checkpoint("measured")
    made_checkpoint("new")
    write_json(measured / "report.json", report(raf_db=(10, 0.5, 0.4)))

    app.run()

    queries = [link.proto.query_string for link in elements(app, "page_link")]
    assert [query for query in queries if "measured" in query or "new" in query] == [
        "open=Confusions&run=measured",
        "checkpoint=measured",
        "checkpoint=measured",
        "checkpoint=new",
        "checkpoint=new",
    ]


def test_own_networks_come_first_and_shipped_ones_fold_away(
    app: AppTest, made_checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = made_checkpoint()
    made_checkpoint("zebra")
    monkeypatch.setattr("core.checkpoints.SHIPPED", shipped.parent)

    app.run()

    folded = app.expander[0]
    assert folded.label == "1 network that the app comes with"
    assert not folded.proto.expanded
    names = [text.value for text in app.markdown if text.value.startswith("**")]
    own = names.index("**Made zebra**")
    assert names[own + 1] == f"**{SHIPPED_TITLES[DEFAULT_CHECKPOINT]}**"


def test_the_sample_photo_is_answered_by_the_default_network(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    made_checkpoint(weight=1.0)

    app.run()

    assert not app.exception
    assert not app.error
    assert "**surprise, " in words(app)
    assert "Answered by Made" in words(app)
    assert "the default network" in words(app)
    assert len(elements(app, "image")) == 2  # the photo, and the face under its map
    bodies = [text.proto.body for text in elements(app, "html")]
    assert sum("probability-bars" in body for body in bodies) == 1
    links = [link.proto.query_string for link in elements(app, "page_link")]
    assert f"source=Sample+photo&checkpoint={DEFAULT_CHECKPOINT}" in links


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

    counts = [html.value.count("<figure>") for html in elements(app, "html")]
    assert [count for count in counts if count] == [6]


def test_every_page_that_exists_is_linked_and_no_other(app: AppTest) -> None:
    app.run()

    others = [entry for entry in navigation.present() if entry is not navigation.HOME]
    links = [link.label for link in elements(app, "page_link")]
    begin = ("image_explanation", "live_camera", "video")
    first = [entry for entry in others if entry.name in begin]
    shown = [f"{entry.invitation} →" for entry in (*first, *others)]
    assert links == [*shown, "Train one →"]
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


def test_the_browser_s_tab_bears_the_page_s_name(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    monkeypatch.setattr(
        st, "set_page_config", lambda **options: titles.append(options["page_title"])
    )

    app.run()
    app.switch_page("../pages/results.py").run()

    assert titles == ["GiMEFiVE Studio", "Results · GiMEFiVE Studio"]
