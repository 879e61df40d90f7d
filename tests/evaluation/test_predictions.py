"""The predictions file: nothing is lost on the way, and damage is told."""

from pathlib import Path

import numpy as np
import pytest
from grey_faces import answers

from core.errors import CheckpointError, DataError
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import FACTS


def test_a_saved_file_gives_back_every_digit(tmp_path: Path) -> None:
    probabilities = np.random.default_rng(1).dirichlet([0.3, 0.3, 0.3], 200)
    before = answers([0, 1] * 100, probabilities)

    before.save(tmp_path / "predictions.csv")
    after = Predictions.load(tmp_path / "predictions.csv")

    assert (after.probabilities == before.probabilities).all()
    assert after.labels == before.labels
    assert after.true.tolist() == [0, 1] * 100


def test_the_header_is_the_documented_one(tmp_path: Path) -> None:
    answers([0], [[0.5, 0.3, 0.2]]).save(tmp_path / "predictions.csv")

    header = (tmp_path / "predictions.csv").read_text().splitlines()[0]

    assert header == ",".join([*FACTS, "happiness", "surprise", "sadness"])


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


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("raf_db", "raf_db,extra", "damaged"),
        ("path_hash", "hash", "columns hash"),
        (",test,", ",exam,", "part 'exam'"),
        ("0.5", "0.9", "do not sum to 1"),
        ("0.5", "high", "a happiness that is no number"),
        (",happiness,0.5", ",boredom,0.5", "true 'boredom'"),
    ],
)
def test_a_damaged_file_is_told_with_the_remedy(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "a-run" / "predictions.csv"
    path.parent.mkdir()
    answers([0], [[0.5, 0.3, 0.2]]).save(path)
    path.write_text(path.read_text().replace(old, new))

    with pytest.raises(CheckpointError, match="python -m core evaluate a-run"):
        Predictions.load(path)
    with pytest.raises(CheckpointError, match=told):
        Predictions.load(path)


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Run: python -m core evaluate"):
        Predictions.load(tmp_path / "predictions.csv")
