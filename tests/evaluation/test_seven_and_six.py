"""A network with neutral: measured with seven answers, and with six as the paper's networks are."""

from pathlib import Path

import numpy as np
import pytest
from grey_faces import GreyAnswers, new_run, rows_of, write_dataset

from core.evaluation import answer, evaluate_run, load_report, mismatches
from core.evaluation.paper_tables import measure
from core.labels import CLASS_SETS

RIGHT = [(i % 6, i % 6) for i in range(60)]
# 80 answers, 60 of them right, every class alike
VALID = [*RIGHT, *((i % 6, (i + 1) % 6) for i in range(20))]
SEVEN = CLASS_SETS["seven"]


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sources, the second without neutral faces, of which one is answered neutral."""
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    rows = [
        *rows_of("raf_db", "test", "test", [(0, 0), (1, 6), (2, 2), (6, 6), (6, 2)]),
        *rows_of("raf_db", "train", "valid", [*VALID, (6, 6), (6, 6)]),
        *rows_of("raf_db", "train", "train", [(6, 6)]),
        *rows_of("affectnet", "train", "valid", [(3, 6), (4, 4)]),
    ]
    return write_dataset(tmp_path / "data" / "mixed", rows, "hash-of-mixed", SEVEN)


def seven_run(tmp_path: Path) -> GreyAnswers:
    facts: dict[str, object] = {
        "name": "mixed", "data_hash": "hash-of-mixed", "sources": ["raf_db", "affectnet"],
        "unknown_classes": {"affectnet": ["neutral"]},
    }  # fmt: skip
    return new_run(tmp_path / "runs", facts, class_set="seven")


def test_a_network_with_neutral_is_measured_with_seven_answers_and_with_six(
    tmp_path: Path, mixed: Path
) -> None:
    run = seven_run(tmp_path)

    report = evaluate_run(run.folder, model=run)

    seven, six = answer(report, "test"), answer(report, "test", six=True)
    assert (seven["n"], seven["accuracy"]) == (5, pytest.approx(3 / 5))
    # Without the neutral answer all six of the second face are equal, and the first of them counts.
    assert (six["n"], six["accuracy"]) == (3, pytest.approx(2 / 3))
    assert np.array(six["confusion"]).shape == (6, 6)
    assert load_report(run.folder)["six"]["labels"] == list(SEVEN[:6])
    # Of the six pairs of a neutral and another face, the two neutral ones win 1 + 1 / 2 + 1 and
    # 1 / 2 + 0 + 1 / 2.
    assert seven["neutral"] == {
        "auroc": pytest.approx(3.5 / 6),
        "called_neutral": 0.5,
        "others_called_neutral": pytest.approx(1 / 3),
    }
    assert "neutral" not in six


def test_a_source_that_knows_no_neutral_measures_the_six_answers_alone(
    tmp_path: Path, mixed: Path
) -> None:
    run = seven_run(tmp_path)

    report = evaluate_run(run.folder, model=run)

    assert report["splits"]["valid"]["sources"] == ["raf_db"]
    assert report["splits"]["valid"]["n"] == 82
    assert report["splits"]["valid"]["per_source"]["affectnet"]["accuracy"] == 0.5
    assert report["six"]["splits"]["valid"]["sources"] == ["raf_db", "affectnet"]
    assert report["six"]["splits"]["valid"]["n"] == 82
    assert report["calibration"]["n"] == 82


def test_table_2_counts_the_six_answers_of_a_network_with_neutral(
    tmp_path: Path, mixed: Path
) -> None:
    run = seven_run(tmp_path)
    evaluate_run(run.folder, model=run)

    assert measure(run.folder)["test"].percent == pytest.approx(200 / 3)
    assert measure(run.folder)["test"].n == 3


def test_classes_that_model_and_data_do_not_share_are_said(tmp_path: Path, mixed: Path) -> None:
    six = new_run(tmp_path / "runs", {"sources": ["raf_db"]}, run="six")
    raf = [*rows_of("raf_db", "test", "test", RIGHT), *rows_of("raf_db", "train", "valid", VALID)]
    plain = write_dataset(tmp_path / "data" / "plain", raf, "hash-of-plain")

    of_six = mismatches(evaluate_run(six.folder, mixed, model=six))
    seven = seven_run(tmp_path)
    of_seven = mismatches(evaluate_run(seven.folder, plain, model=seven))

    assert of_six == ["5 pictures labelled neutral are left out: six has no such answer."]
    assert of_seven == [
        "The data hold no picture of neutral, which a-run may answer: every such answer counts as "
        "wrong here; --six compares its other answers."
    ]
