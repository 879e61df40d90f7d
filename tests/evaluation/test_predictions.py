"""A run's predictions as a table: nothing is lost on the way, and splits are chosen rightly."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from grey_faces import answers

from core.errors import CheckpointError, DataError
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import FACTS

TEXTS: dict[str, Any] = {
    "twin": ["exact", ""] * 100,
    "source": ["raf_db", 'one, with "marks"'] * 100,
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run."""
    (tmp_path / "a-run").mkdir()
    return tmp_path / "a-run"


@pytest.mark.parametrize("decimals", [9, 17])
def test_saved_predictions_give_back_every_digit(run: Path, decimals: int) -> None:
    probabilities = np.random.default_rng(1).dirichlet([0.3, 0.3, 0.3], 200).round(decimals)
    before = answers([0, 1] * 100, probabilities, **TEXTS)

    before.save(run)
    after = Predictions.load(run)

    pd.testing.assert_frame_equal(after.table, before.table, check_exact=True)
    assert after.labels == before.labels
    assert after.true.tolist() == [0, 1] * 100


def test_the_old_form_gives_the_same_table(run: Path) -> None:
    probabilities = np.random.default_rng(1).dirichlet([0.3, 0.3, 0.3], 200)
    before = answers([0, 1] * 100, probabilities, **TEXTS)
    before.table.to_csv(run / "predictions.csv", index=False, lineterminator="\n")

    pd.testing.assert_frame_equal(Predictions.load(run).table, before.table, check_exact=True)


def test_a_table_has_the_documented_columns(run: Path) -> None:
    answers([0], [[0.5, 0.3, 0.2]]).save(run)

    columns = Predictions.load(run).table.columns

    assert list(columns) == [*FACTS, "happiness", "surprise", "sadness"]


def test_the_first_of_equal_probabilities_is_the_prediction() -> None:
    found = answers([1], [[0.4, 0.4, 0.2]])

    assert found.predicted.tolist() == [0]
    assert found.correct.tolist() == [False]


def test_splits_are_chosen_by_part_twin_and_source() -> None:
    found = answers(
        [0, 0, 0, 0, 0],
        [[0.6, 0.2, 0.2]] * 5,
        part=["test", "test", "valid", "published_valid", "test"],
        twin=["", "exact", "", "", "near"],
        source=["raf_db", "raf_db", "raf_db", "gimefive_valid", "fer2013"],
    )

    assert len(found.of_split("test")) == 3
    assert len(found.of_split("test", ["raf_db"])) == 2
    assert len(found.of_split("test_clean")) == 1
    assert len(found.of_split("published_valid", ["raf_db"])) == 1
    assert len(found.of_split("train")) == 0
    with pytest.raises(DataError, match="no split 'testing'"):
        found.of_split("testing")


def test_answers_between_a_class_that_there_is_not_are_refused() -> None:
    found = answers([0], [[0.5, 0.3, 0.2]])

    with pytest.raises(DataError, match=r"no class disgust, fear\. Choose among: happiness,"):
        found.among(("happiness", "disgust", "fear"))


def test_what_is_changed_in_one_table_is_not_changed_in_the_next(run: Path) -> None:
    answers([0], [[0.5, 0.3, 0.2]]).save(run)

    first = Predictions.load(run)
    first.table.loc[0, "true"] = "sadness"

    assert first.true.tolist() == [2]
    assert Predictions.load(run).true.tolist() == [0]


def test_missing_predictions_say_how_to_make_them(run: Path) -> None:
    with pytest.raises(CheckpointError, match="Run: python -m core evaluate a-run"):
        Predictions.load(run)
