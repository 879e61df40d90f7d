"""Reading only what an accuracy needs gives the same answers, and tells the same damage."""

from pathlib import Path

import numpy as np
import pytest
from grey_faces import answers

from core.errors import CheckpointError, DataError
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import SPLITS, RightAnswers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a run's predictions go."""
    (tmp_path / "a-run").mkdir()
    return tmp_path / "a-run" / "predictions.csv"


def test_right_answers_are_those_of_the_whole_file(path: Path) -> None:
    probabilities = np.random.default_rng(1).dirichlet([0.3, 0.3, 0.3], 60)
    parts = ["test", "valid", "published_valid", "train"] * 15
    twins = ["", "exact", "near"] * 20
    sources = ["raf_db", "one, with a comma"] * 30
    answers([0, 1] * 30, probabilities, part=parts, twin=twins, source=sources).save(path)
    whole = Predictions.load(path)

    found = RightAnswers.load(path)

    for split in SPLITS:
        for chosen in (None, ["raf_db"], ["one, with a comma"], []):
            expected = whole.of_split(split, chosen).correct.tolist()
            assert found.of_split(split, chosen).tolist() == expected
    assert 0 < found.correct.sum() < 60


def test_the_first_of_equal_probabilities_counts(path: Path) -> None:
    answers([0, 1], [[0.4, 0.4, 0.2]] * 2).save(path)

    assert RightAnswers.load(path).correct.tolist() == [True, False]


def test_a_file_without_rows_has_no_answers(path: Path) -> None:
    answers([], np.zeros((0, 3))).save(path)

    assert len(RightAnswers.load(path).of_split("test")) == 0


def test_a_split_nobody_knows_is_told(path: Path) -> None:
    answers([0], [[0.5, 0.3, 0.2]]).save(path)

    with pytest.raises(DataError, match="no split 'testing'"):
        RightAnswers.load(path).of_split("testing")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("raf_db", "raf_db,extra", "columns"),
        (",0.2", "", "columns"),
        ("path_hash", "hash", "columns hash"),
        (",test,", ",exam,", "part 'exam'"),
        ("0.5", "0.9", "do not sum to 1"),
        ("0.5", "nan", "do not sum to 1"),
        ("0.5", "high", "'high'"),
        (",happiness,0.5", ",boredom,0.5", "true 'boredom'"),
    ],
)
def test_damage_is_told_with_the_remedy(path: Path, old: str, new: str, told: str) -> None:
    answers([0], [[0.5, 0.3, 0.2]]).save(path)
    path.write_text(path.read_text().replace(old, new))

    with pytest.raises(CheckpointError, match=told) as caught:
        RightAnswers.load(path)
    assert "python -m core evaluate a-run" in str(caught.value)


def test_bytes_that_are_no_text_are_told(path: Path) -> None:
    answers([0], [[0.5, 0.3, 0.2]]).save(path)
    path.write_bytes(path.read_bytes() + b"\xff\xfe")

    with pytest.raises(CheckpointError, match="damaged"):
        RightAnswers.load(path)


def test_a_missing_file_says_how_to_make_it(path: Path) -> None:
    with pytest.raises(CheckpointError, match="Run: python -m core evaluate a-run"):
        RightAnswers.load(path)
