"""A network with neutral on the results page: its seven answers, and its six as the paper's."""

from collections.abc import Callable
from pathlib import Path

import pytest
from grey_faces import new_run, rows_of, write_dataset
from results_views import results, sets, view
from streamlit.testing.v1 import AppTest

from core.evaluation import evaluate_run
from core.labels import CLASS_SETS

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


def test_image_sets_compare_all_networks_on_faces_of_the_six(
    with_neutral: Callable[[str], AppTest],
) -> None:
    page = with_neutral("Image sets")

    assert not page.exception
    assert sets(page)[1][1] == "66.7"
