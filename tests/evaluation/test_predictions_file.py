"""The files of predictions: facts once, answers a run; damage is told with its remedy."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grey_faces import answers

from core.checkpoints import list_checkpoints
from core.errors import CheckpointError, ConfigError, DataError
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import SPLITS, RightAnswers, predictions_changed
from core.evaluation.runs import all_runs
from core.training import RunFolder, list_jobs

ROW = answers([0], [[0.5, 0.3, 0.2]])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run."""
    (tmp_path / "a-run").mkdir()
    return tmp_path / "a-run"


def old_form(found: Predictions, run: Path) -> Path:
    """Leave predictions as earlier versions did."""
    path = run / "predictions.csv"
    found.table.to_csv(path, index=False, lineterminator="\n")
    return path


def facts_of(run: Path) -> list[Path]:
    """All files of facts beside a run."""
    return sorted((run.parent / "facts").iterdir())


def change(run: Path, **parts: Any) -> None:  # noqa: ANN401 - arrays of any kind
    """Replace parts of a run's predictions.npz; None takes one away."""
    with np.load(run / "predictions.npz") as file:
        content = {**file, **parts}
    kept: dict[str, Any] = {
        name: np.asarray(value) for name, value in content.items() if value is not None
    }
    np.savez(run / "predictions.npz", **kept)


@pytest.mark.parametrize("form", ["new", "old"])
def test_right_answers_are_those_of_the_whole_table(run: Path, form: str) -> None:
    probabilities = np.random.default_rng(1).dirichlet([0.3, 0.3, 0.3], 60)
    parts = ["test", "valid", "published_valid", "train"] * 15
    twins = ["", "exact", "near"] * 20
    sources = ["raf_db", "one, with a comma"] * 30
    whole = answers([0, 1] * 30, probabilities, part=parts, twin=twins, source=sources)
    whole.save(run) if form == "new" else old_form(whole, run)

    found = RightAnswers.load(run)

    for split in SPLITS:
        for chosen in (None, ["raf_db"], ["one, with a comma"], []):
            expected = whole.of_split(split, chosen).correct.tolist()
            assert found.of_split(split, chosen).tolist() == expected
    assert 0 < found.correct.sum() < 60


def test_the_first_of_equal_probabilities_counts(run: Path) -> None:
    answers([0, 1], [[0.4, 0.4, 0.2]] * 2).save(run)

    assert RightAnswers.load(run).correct.tolist() == [True, False]


def test_predictions_without_rows_have_no_answers(run: Path) -> None:
    answers([], np.zeros((0, 3))).save(run)

    assert len(RightAnswers.load(run).of_split("test")) == 0


def test_a_split_nobody_knows_is_told(run: Path) -> None:
    ROW.save(run)

    with pytest.raises(DataError, match="no split 'testing'"):
        RightAnswers.load(run).of_split("testing")


def test_runs_evaluated_on_the_same_pictures_share_their_facts(run: Path) -> None:
    other = run.with_name("other")
    other.mkdir()
    ROW.save(run)
    before = facts_of(run)[0].stat().st_mtime_ns

    answers([0], [[0.1, 0.7, 0.2]]).save(other)
    assert len(facts_of(run)) == 1
    assert facts_of(run)[0].stat().st_mtime_ns == before

    answers([1], [[0.1, 0.7, 0.2]]).save(other)
    assert len(facts_of(run)) == 2
    assert RightAnswers.load(run).correct.tolist() == [True]


def test_answers_of_nine_digits_take_four_bytes_each(run: Path) -> None:
    ROW.save(run)

    with np.load(run / "predictions.npz", allow_pickle=False) as file:
        assert file["answers"].dtype == np.int32
        assert file["answers"].tolist() == [[500_000_000, 300_000_000, 0]]


def test_the_old_form_goes_once_the_new_one_is_there(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = old_form(ROW, run)
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ROW.save(run)
    assert [path.name for path in run.iterdir()] == [old.name]

    Predictions.load(run).save(run)

    assert [path.name for path in run.iterdir()] == ["predictions.npz"]
    assert RightAnswers.load(run).correct.tolist() == [True]


def test_the_new_form_counts_where_both_are(run: Path) -> None:
    ROW.save(run)
    os.utime(run / "predictions.npz", (1, 1))
    old_form(answers([1], [[0.5, 0.3, 0.2]]), run)

    assert RightAnswers.load(run).correct.tolist() == [True]
    assert predictions_changed(run) == 1


def test_the_time_of_the_old_form_is_known_too(run: Path) -> None:
    assert predictions_changed(run) == 0
    os.utime(old_form(ROW, run), (2, 2))

    assert predictions_changed(run) == 2


def test_a_run_finds_its_facts_beside_the_shipped_runs(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ROW.save(run)
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (tmp_path / "facts").rename(shipped / "facts")
    monkeypatch.setattr("core.evaluation.predictions_file.SHIPPED", shipped)

    assert RightAnswers.load(run).correct.tolist() == [True]


def test_a_run_copied_without_its_facts_says_what_to_do(run: Path) -> None:
    ROW.save(run)
    name = facts_of(run)[0].name
    facts_of(run)[0].unlink()

    with pytest.raises(CheckpointError) as caught:
        Predictions.load(run)

    assert f"expected facts/{name} beside the folder of the run" in str(caught.value)
    assert "evaluate again: python -m core evaluate a-run" in str(caught.value)


def test_facts_with_the_line_ends_of_another_system_are_read(run: Path) -> None:
    ROW.save(run)
    path = facts_of(run)[0]
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert RightAnswers.load(run).correct.tolist() == [True]


def test_changed_facts_are_refused_until_they_are_written_again(run: Path) -> None:
    ROW.save(run)
    path = facts_of(run)[0]
    path.write_text(path.read_text().replace("raf_db", "fer2013"))
    os.utime(path, (1, 1))

    with pytest.raises(CheckpointError, match=r"other content than its name says.*evaluate a-run"):
        RightAnswers.load(run)
    ROW.save(run)
    assert RightAnswers.load(run).source.tolist() == ["raf_db"]


def test_the_folder_of_facts_is_no_run(own_runs: Path) -> None:
    run = own_runs / "a-run"
    run.mkdir()
    ROW.save(run)
    (own_runs / "facts" / "config.json").write_text("{}")

    assert list_jobs(own_runs) == []
    listed = {folder.name for folder in list_checkpoints()} | {one.name for one in all_runs()}
    assert "facts" not in listed
    for name in ("facts", "Facts"):
        with pytest.raises(ConfigError, match="Choose another name"):
            RunFolder.named(own_runs, name)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"answers": [[0.5, 0.4, 0.2]]}, "do not sum to 1"),
        ({"answers": [[np.nan, 0.3, 0.2]]}, "do not sum to 1"),
        ({"answers": np.array([[900_000_000, 300_000_000, 0]], np.int32)}, "below 0"),
        ({"answers": [[0.5, 0.5]]}, "to 3 classes"),
        ({"answers": [0.5, 0.3, 0.2]}, "to 3 classes"),
        ({"answers": [["high", "low", "low"]]}, "answers <U4"),
        ({"answers": [[0.5, 0.3, 0.2]] * 2}, "2 answers to 1 pictures"),
        ({"answers": np.array([[{}, 0, 0]], object)}, "allow_pickle=False"),
        ({"answers": None}, "answers is not a file"),
        ({"labels": ["boredom", "surprise", "sadness"]}, "true 'happiness'"),
        ({"format": 2}, "format 2, expected 1"),
    ],
)
def test_damaged_answers_are_told_with_the_remedy(
    run: Path, parts: dict[str, Any], told: str
) -> None:
    ROW.save(run)
    change(run, **parts)

    with pytest.raises(CheckpointError, match=told) as caught:
        RightAnswers.load(run)
    assert "python -m core evaluate a-run" in str(caught.value)


@pytest.mark.parametrize("kept", [0, 10, 300, -10])
def test_an_archive_cut_short_is_told(run: Path, kept: int) -> None:
    ROW.save(run)
    path = run / "predictions.npz"
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(CheckpointError, match=r"predictions\.npz of a-run is damaged"):
        RightAnswers.load(run)


def test_an_array_in_place_of_the_archive_is_told(run: Path) -> None:
    with (run / "predictions.npz").open("wb") as file:
        np.save(file, np.zeros(3))

    with pytest.raises(CheckpointError, match=r"predictions\.npz of a-run is damaged"):
        RightAnswers.load(run)


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
def test_damage_of_the_old_form_is_told_with_the_remedy(
    run: Path, old: str, new: str, told: str
) -> None:
    path = old_form(ROW, run)
    path.write_text(path.read_text().replace(old, new))

    with pytest.raises(CheckpointError, match=told) as caught:
        RightAnswers.load(run)
    assert "python -m core evaluate a-run" in str(caught.value)


def test_bytes_that_are_no_text_are_told(run: Path) -> None:
    path = old_form(ROW, run)
    path.write_bytes(path.read_bytes() + b"\xff\xfe")

    with pytest.raises(CheckpointError, match="damaged"):
        RightAnswers.load(run)


def test_missing_predictions_say_how_to_make_them(run: Path) -> None:
    with pytest.raises(CheckpointError, match="Run: python -m core evaluate a-run"):
        RightAnswers.load(run)
