"""Evaluation of a whole run: which images, which figures, which files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from grey_faces import GreyAnswers, Row, new_run, rows_of, write_dataset

from core.errors import CheckpointError, DataError
from core.evaluation import (
    Predictions,
    answer,
    by_source,
    evaluate_run,
    load_report,
    metrics,
    model_card,
)
from core.models import Card

RIGHT = [(i % 6, i % 6) for i in range(60)]
# 80 answers, 60 of them right, every class alike
VALID = [*RIGHT, *((i % 6, (i + 1) % 6) for i in range(20))]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with RAF-DB alone, and with three sources."""
    root = tmp_path / "data"
    monkeypatch.setenv("GIMEFIVE_DATA", str(root))
    raf = [
        *rows_of("raf_db", "test", "test", [(0, 0), (0, 0), (1, 1), (2, 0)]),
        Row("raf_db", "test", "test", 5, 5, twin="twin: exact"),
        *rows_of("raf_db", "train", "valid", VALID),
        *rows_of("raf_db", "train", "train", [(0, 0), (1, 0)]),
    ]
    write_dataset(root / "raf-db", raf, "hash-of-raf")
    write_dataset(
        root / "everything",
        [
            *raf,
            *rows_of("fer2013", "test", "test", [(3, 3), (3, 4)]),
            *rows_of("gimefive_valid", "valid", "drop", [(4, 4)]),
            Row("affectnet", "train", "valid", 0, 0, name="ffhq_1.png"),
            Row("affectnet", "train", "valid", 0, 1, name="image_2.png"),
        ],
        "hash-of-all",
    )
    return root


def raf_run(tmp_path: Path, **data: object) -> GreyAnswers:
    facts = {"name": "raf-db", "data_hash": "hash-of-raf", "sources": ["raf_db"], **data}
    return new_run(tmp_path / "runs", facts)


def test_the_test_part_is_the_published_one_of_the_sources_trained_on(
    tmp_path: Path, data: Path
) -> None:
    run = raf_run(tmp_path)

    found = answer(evaluate_run(run.folder, model=run), "test")

    assert found["n"] == 5
    assert found["accuracy"] == pytest.approx(4 / 5)
    assert found["sources"] == ["raf_db"]
    assert found["data_hash"] == "hash-of-raf"
    assert found["checkpoint"] == "a-run"
    assert found["per_class"]["sadness"]["recall"] == 0.0


def test_the_test_without_twins_leaves_them_out(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)

    found = answer(evaluate_run(run.folder, model=run), "test_clean")

    assert found["n"] == 4
    assert found["accuracy"] == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("initial", "seen"),
    [
        (None, ["raf_db"]),
        ({"sources": ["fer2013"]}, ["raf_db", "fer2013"]),
        ({"sources": []}, ["raf_db", "fer2013", "affectnet"]),
        ({}, ["raf_db", "fer2013", "affectnet"]),
    ],
    ids=["from scratch", "one source", "all", "not told"],
)
def test_sources_of_the_start_were_seen_too(
    tmp_path: Path, data: Path, initial: dict[str, object] | None, seen: list[str]
) -> None:
    run = raf_run(tmp_path, name="everything", data_hash="hash-of-all", initial=initial)

    report = evaluate_run(run.folder, model=run)

    assert report["seen"] == seen
    assert {one.source for one in by_source(report) if one.seen} == set(seen)
    assert answer(report, "test")["sources"] == ["raf_db"]


def test_figures_of_an_imported_network_are_read_back_and_claim_nothing_of_its_training(
    tmp_path: Path, data: Path
) -> None:
    run = new_run(tmp_path / "runs", {})
    run.card = replace(run.card, data={"imported": "best.pt", "file_sha256": "0" * 64})
    run.card.save(run.folder / "card.json")

    evaluate_run(run.folder, data / "everything", model=run)
    report = load_report(run.folder)

    assert report["trained_on_split"] is None
    assert {one.seen for one in by_source(report)} == {None}
    text = model_card(run.folder)
    assert "| RAF-DB | not known | test |" in text
    assert "It was trained on" not in text
    assert "`python -m core evaluate a-run --data DIR`" in text


def test_sources_of_other_prepared_folders_are_added(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)

    report = evaluate_run(run.folder, model=run)

    assert report["splits"]["test"]["per_source"]["fer2013"]["n"] == 2
    assert report["splits"]["test"]["per_source"]["fer2013"]["accuracy"] == 0.5
    assert report["splits"]["valid"]["per_source"]["affectnet"]["n"] == 2
    assert report["splits"]["published_valid"]["n"] == 1
    assert [one["name"] for one in report["data"]] == ["raf-db", "everything"]
    assert report["data"][1]["sources"] == ["fer2013", "gimefive_valid", "affectnet"]


def test_a_named_folder_is_used_alone(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)

    report = evaluate_run(run.folder, data / "raf-db", model=run)

    assert set(report["splits"]["test"]["per_source"]) == {"raf_db"}
    with pytest.raises(DataError, match="not on published_valid"):
        answer(report, "published_valid")


def test_the_report_can_be_computed_again_from_the_predictions_file(
    tmp_path: Path, data: Path
) -> None:
    run = raf_run(tmp_path)
    report = evaluate_run(run.folder, model=run)

    predictions = Predictions.load(run.folder)

    for name, split in report["splits"].items():
        again = metrics(predictions.of_split(name, split["sources"]))
        assert again == {key: split[key] for key in again}
    assert load_report(run.folder) == json.loads(json.dumps(report))


def test_portraits_keep_their_origin(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)
    evaluate_run(run.folder, model=run)

    table = Predictions.load(run.folder).table

    assert table[table["source"] == "affectnet"]["origin"].tolist() == ["ffhq", ""]


def test_temperature_and_threshold_are_fitted_on_clean_validation(
    tmp_path: Path, data: Path
) -> None:
    run = raf_run(tmp_path)

    report = evaluate_run(run.folder, model=run)

    # One logit is 2, five are 0; three quarters are right: exp(2/T) / (exp(2/T) + 5) = 3/4
    temperature = 2 / np.log(15)
    card = Card.load(run.folder / "card.json")
    assert card.temperature == pytest.approx(temperature, abs=1e-3)
    assert report["temperature"] == card.temperature
    assert report["calibration"]["ece_after"] == pytest.approx(0.0, abs=1e-3)
    assert report["calibration"]["ece_before"] == pytest.approx(0.75 - np.exp(2) / (np.exp(2) + 5))
    assert card.threshold == pytest.approx(0.7499, abs=2e-4)  # all answers are equally sure
    confidence = Predictions.load(run.folder).confidence
    assert confidence == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize(
    "facts",
    [{"split": "published"}, {"initial": {"split": "published", "sources": ["raf_db"]}}],
    ids=["its own split", "what it began with"],
)
def test_faces_that_were_learnt_neither_calibrate_nor_validate(
    tmp_path: Path, data: Path, facts: dict[str, object]
) -> None:
    run = raf_run(tmp_path, **facts)  # clean validation is a part of the published train

    report = evaluate_run(run.folder, model=run)

    assert report["calibration"]["fitted"] is False
    assert report["calibration"]["n"] == 0
    assert report["splits"]["valid"]["sources"] == ["affectnet"]  # which it never saw


def test_with_too_few_faces_to_choose_a_threshold_by_it_is_a_half(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.evaluation.run.FEWEST_TO_CALIBRATE", 10_000)
    run = raf_run(tmp_path)

    report = evaluate_run(run.folder, model=run)

    assert (report["temperature"], report["threshold"]) == (1.0, 0.5)
    assert Card.load(run.folder / "card.json").threshold == 0.5
    assert report["calibration"]["fitted"] is False
    assert "too few to choose it by" in report["calibration"]["rule"]


def test_other_data_do_not_change_the_card(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path, data_hash="hash-of-other-data")
    before = (run.folder / "card.json").read_bytes()

    report = evaluate_run(run.folder, model=run)

    assert (run.folder / "card.json").read_bytes() == before
    assert report["calibration"] == {"fitted": False}
    assert report["temperature"] == 1.0


def test_figures_on_other_data_lie_apart_from_those_on_the_runs_own(
    tmp_path: Path, data: Path
) -> None:
    run = raf_run(tmp_path)
    evaluate_run(run.folder, model=run)
    before = {path: path.read_bytes() for path in run.folder.iterdir()}
    kept: list[Path] = []

    report = evaluate_run(run.folder, data / "everything", model=run, on_kept=kept.append)

    assert {path: path.read_bytes() for path in before} == before
    assert kept == [run.folder / "evaluations" / "everything"]
    assert load_report(kept[0]) == json.loads(json.dumps(report))
    assert len(Predictions.load(kept[0])) == report["images"]


def test_two_data_sets_of_one_name_keep_a_report_each(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)
    kept: list[Path] = []
    evaluate_run(run.folder, data / "everything", model=run, on_kept=kept.append)
    rows = rows_of("fer2013", "test", "test", [(3, 3)])
    namesake = write_dataset(tmp_path / "other" / "everything", rows, "other-hash-of-it")

    evaluate_run(run.folder, namesake, model=run, on_kept=kept.append)

    assert [folder.name for folder in kept] == ["everything", "everything-other-ha"]
    assert [load_report(folder)["data_hash"] for folder in kept] == [
        "hash-of-all", "other-hash-of-it",
    ]  # fmt: skip


def test_the_user_can_say_where_the_figures_go(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)
    before = (run.folder / "card.json").read_bytes()
    out = tmp_path / "figures" / "of-raf"

    report = evaluate_run(run.folder, out=out, model=run)

    assert (run.folder / "card.json").read_bytes() == before
    assert not (run.folder / "report.json").exists()
    assert len(Predictions.load(out)) == report["images"]
    assert [path.name for path in out.parent.iterdir()] == ["of-raf"]


def test_a_shipped_folder_is_never_written_to(
    tmp_path: Path, data: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = raf_run(tmp_path)
    monkeypatch.setattr("core.checkpoints.SHIPPED", run.folder.parent)
    monkeypatch.setattr("core.checkpoints.SHIPPED_CHECKPOINTS", (run.folder.name,))
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    kept: list[Path] = []

    evaluate_run(run.folder, model=run, on_kept=kept.append)

    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before
    assert kept == [own_runs / "evaluations" / run.folder.name / "raf-db"]
    with pytest.raises(CheckpointError, match="shipped"):
        evaluate_run(run.folder, out=run.folder, model=run)


def test_a_training_part_of_other_data_is_refused(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)
    rows = rows_of("fer2013", "train", "train", [(3, 3)])
    own = write_dataset(tmp_path / "own", rows, "own-hash")

    with pytest.raises(DataError, match="no training part of this run"):
        evaluate_run(run.folder, own, train=True, model=run)


def test_train_is_predicted_on_request_only(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)

    assert "train" not in evaluate_run(run.folder, model=run)["splits"]

    found = answer(evaluate_run(run.folder, train=True, model=run), "train")
    assert found["n"] == 2
    assert found["accuracy"] == 0.5


def test_a_second_evaluation_gives_the_same_files(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)
    evaluate_run(run.folder, model=run)
    first = (run.folder / "predictions.npz").read_bytes(), (run.folder / "card.json").read_bytes()

    again = GreyAnswers(run.folder, Card.load(run.folder / "card.json"))
    evaluate_run(run.folder, model=again)

    second = (run.folder / "predictions.npz").read_bytes(), (run.folder / "card.json").read_bytes()
    assert first == second


def test_missing_data_say_how_to_prepare_them(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path, name="ck-plus", data_hash="other", sources=["tfeid"])

    with pytest.raises(DataError, match=r"python -m core prepare tfeid=PATH --out .*ck-plus"):
        evaluate_run(run.folder, model=run)


def test_a_run_without_a_report_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Run: python -m core evaluate"):
        load_report(tmp_path)


def test_progress_counts_every_image(tmp_path: Path, data: Path) -> None:
    run = raf_run(tmp_path)
    seen: list[tuple[int, int]] = []

    report = evaluate_run(
        run.folder, model=run, on_progress=lambda done, total: seen.append((done, total))
    )

    assert seen[-1] == (report["images"], report["images"])
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
