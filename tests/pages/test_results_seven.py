"""A network with neutral on the results page: its seven answers, and its six as the paper's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from grey_faces import GreyAnswers, new_run, rows_of, write_dataset
from results_views import results, sets, view, words
from streamlit.testing.v1 import AppTest

from core.evaluation import Predictions, evaluate_run
from core.labels import CLASS_SETS, EMOTIONS
from core.models import Card

# Of happiness, surprise, sadness and neutral: one surprise is called neutral, one neutral sadness.
TEST = [(0, 0), (1, 6), (2, 2), (6, 6), (6, 2)]
VALID = [(i % 6, i % 6) for i in range(60)]
PAPERS = "The paper's six"


@pytest.fixture
def with_neutral(
    app: AppTest, tmp_path: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], AppTest]:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    rows = [
        *rows_of("raf_db", "test", "test", TEST),
        *rows_of("raf_db", "train", "valid", [*VALID, (6, 6), (6, 6)]),
        *rows_of("raf_db", "train", "train", [(6, 6)]),
    ]
    write_dataset(tmp_path / "data" / "mixed", rows, "a-hash", CLASS_SETS["seven"])
    facts: dict[str, object] = {"name": "mixed", "data_hash": "a-hash", "sources": ["raf_db"]}
    run = new_run(own_runs, facts, class_set="seven")
    evaluate_run(run.folder, model=run)
    return lambda name: view(results(app), name)


def test_figures_of_seven_answers_and_of_six(with_neutral: Callable[[str], AppTest]) -> None:
    page = with_neutral("One run")
    seven = page.metric[0].value
    page.button_group(key="answers").set_value(PAPERS).run()

    assert not page.exception
    assert seven == "60.0 %"
    # Without its neutral answer all six are equal for the second face, and the first counts.
    assert page.metric[0].value == "66.7 %"
    assert len(page.dataframe[0].value) == 6


def test_confusions_of_seven_answers_and_of_six(with_neutral: Callable[[str], AppTest]) -> None:
    page = with_neutral("Confusions")
    words = [one.value for one in page.caption if "on the diagonal" in one.value]
    page.button_group(key="answers").set_value(PAPERS).run()

    assert not page.exception
    assert words[0].startswith("60.0 % of 5 images on the diagonal")
    (six,) = [one.value for one in page.caption if "on the diagonal" in one.value]
    assert six.startswith("66.7 % of 3 images on the diagonal")
    assert "neutral" not in page.selectbox(key="cell label").options


# Two happy faces look neutral to all, and are happy where that is no answer; two are neutral.
LIKE_NEUTRAL = [(0, 6), (0, 6), (1, 1), (2, 3), (5, 5), (6, 6), (6, 6)]


@pytest.fixture
def compared(
    app: AppTest, tmp_path: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AppTest]:
    """Opens the confusions of two networks of these classes, both of which say what they see."""
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    rows = [
        *rows_of("raf_db", "test", "test", LIKE_NEUTRAL),
        *rows_of("raf_db", "train", "valid", [*VALID, (6, 6), (6, 6)]),
        *rows_of("raf_db", "train", "train", [(6, 6)]),
    ]
    write_dataset(tmp_path / "data" / "mixed", rows, "a-hash", CLASS_SETS["seven"])
    facts: dict[str, object] = {"name": "mixed", "data_hash": "a-hash", "sources": ["raf_db"]}
    facts["split"] = "clean"

    def opened(*classes: tuple[str, ...], left_out: int = 0) -> AppTest:
        for name, labels in zip(("first", "second"), classes, strict=True):
            folder = new_run(own_runs, facts, run=name).folder
            card = Card(model="gimefive", labels=labels, title=name, data=facts)
            card.save(folder / "card.json")
            evaluate_run(folder, model=GreyAnswers(folder, card))
        found = Predictions.load(own_runs / "second")
        found.where(np.arange(len(found)) >= left_out).save(own_runs / "second")
        page = results(app)
        page.query_params["run"], page.query_params["against"] = "first", "second"
        return view(page, "Confusions")

    return opened


@pytest.mark.parametrize("turned", [False, True])
def test_a_network_with_neutral_and_one_without_are_asked_the_same(
    compared: Callable[..., AppTest], turned: bool
) -> None:
    six, seven = CLASS_SETS["six"], CLASS_SETS["seven"]
    page = compared(seven, six) if turned else compared(six, seven)

    on_diagonal = [one.value for one in page.caption if "on the diagonal" in one.value]
    assert len(on_diagonal) == 2
    assert all(one.startswith("80.0 % of 5 images") for one in on_diagonal)
    assert "Only the first is right on 0, only the second on 0" in words(page)
    assert "so both choose between happiness, surprise, sadness, anger, disgust and fear here" in (
        words(page)
    )
    assert len(page.get("plotly_chart")) == 3
    assert "answers" not in {one.key for one in page.button_group}


def test_networks_are_compared_over_the_classes_both_know(
    compared: Callable[..., AppTest],
) -> None:
    page = compared(CLASS_SETS["seven"], EMOTIONS[:4])

    # Without the face of fear, 3 of 4.
    on_diagonal = [one.value for one in page.caption if "on the diagonal" in one.value]
    assert len(on_diagonal) == 2
    assert all(one.startswith("75.0 % of 4 images") for one in on_diagonal)
    assert "so both choose between happiness, surprise, sadness and anger here" in words(page)


def test_networks_that_share_one_class_are_not_compared(compared: Callable[..., AppTest]) -> None:
    page = compared(CLASS_SETS["six"], ("happiness", "neutral"))

    assert "no two of the six expressions in common" in page.warning[0].value
    assert not page.get("plotly_chart")


def test_faces_that_only_one_network_was_asked_are_counted(
    compared: Callable[..., AppTest],
) -> None:
    page = compared(CLASS_SETS["six"], CLASS_SETS["seven"], left_out=2)

    assert "on 3 images" in words(page)
    assert "2 images that only one of the two was measured on are left out." in words(page)


def test_image_sets_compare_all_networks_on_faces_of_the_six(
    with_neutral: Callable[[str], AppTest],
) -> None:
    page = with_neutral("Image sets")

    assert not page.exception
    assert sets(page)[1][1] == "66.7"
