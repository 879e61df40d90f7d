"""The model card says what card and report say, and nothing else."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from grey_faces import answers
from skimage.data import data_dir

from core.errors import CheckpointError
from core.evaluation import Predictions, loading_code, model_card
from core.evaluation.report import build_report
from core.evaluation.report_file import load_report, save_report
from core.labels import EMOTIONS
from core.models import Card

FACTS: dict[str, Any] = {
    "checkpoint": "a-run",
    "sources": ["raf_db"],
    "trained_on_split": "clean",
    "data_hash": "0123456789abcdef",
    "temperature": 1.25,
    "threshold": 0.5,
    "calibration": {
        "fitted": True,
        "n": 950,
        "ece_before": 0.08,
        "ece_after": 0.0123,
        "rule": "The rule.",
    },
    "weights_sha256": "f" * 64,
    "date": "2026-01-02T03:04:05+00:00",
}


def predictions() -> Predictions:
    """100 test images with fear always wrong, and a few of other sources."""
    generator = np.random.default_rng(6)
    true = [i % 6 for i in range(100)]
    shown = [1 if number == 5 else number for number in true]
    scores = 0.8 * np.eye(6)[shown] + 0.2 * generator.dirichlet(np.ones(6), 100)
    more = answers([0, 1, 0, 0], np.eye(6)[[0, 1, 0, 1]], EMOTIONS).table.assign(
        source=["fer2013", "fer2013", "affectnet", "raf_db"],
        part=["test", "test", "valid", "valid"],
        origin=["", "", "ffhq", ""],
    )
    table = answers(true, scores, EMOTIONS).table
    return Predictions(EMOTIONS, pd.concat([table, more], ignore_index=True))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluated run, whose report takes seconds; tests get a copy."""
    folder = tmp_path_factory.mktemp("written") / "a-run"
    folder.mkdir()
    facts = {"train": 8777, "valid": 953, "data_hash": "0123456789abcdef"}
    Card("gimefive", EMOTIONS, data=facts, title="A run").save(folder / "card.json")
    found = predictions()
    found.save(folder)
    save_report(build_report(found, FACTS), folder / "report.json")
    return folder


@pytest.fixture
def run(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written.parent, tmp_path / "runs")
    return tmp_path / "runs" / written.name


def test_the_first_figure_is_the_accuracy_on_test(run: Path) -> None:
    test = load_report(run)["splits"]["test"]

    text = model_card(run)

    low, high = test["intervals"]["accuracy"]
    assert f"Accuracy {100 * test['accuracy']:.1f} %" in text
    assert f"{100 * low:.1f} % to {100 * high:.1f} %" in text
    assert "on 100 images" in text


def test_every_figure_of_the_score_table_comes_from_the_report(run: Path) -> None:
    report = load_report(run)
    before = model_card(run)
    report["splits"]["test"]["macro_f1"] = 0.4321
    save_report(report, run / "report.json")

    after = model_card(run)

    assert "43.2 (" not in before
    assert "43.2 (" in after


def test_the_weakest_class_and_its_confusion_are_named(run: Path) -> None:
    text = model_card(run)

    assert "Weakest class: fear; 0.0 % of its images" in text
    assert "- fear called surprise: 16 images, 100.0 % of fear" in text


def test_calibration_and_the_rule_for_unclear_answers_are_told(run: Path) -> None:
    text = model_card(run)

    assert "Temperature 1.25, fitted on 950 images" in text
    assert "from 8.0 % to 1.2 %" in text
    assert "Below a confidence of 50.0 % the answer is *unclear*" in text
    assert "The rule." in text


def test_sources_the_run_did_not_see_are_marked(run: Path) -> None:
    rows = [line for line in model_card(run).splitlines() if line.startswith("| FER2013 |")]

    assert len(rows) == 1
    assert rows[0].startswith("| FER2013 | no | test | 2 | 100.0 (")


def test_the_shortcut_is_told_where_portraits_were_measured(run: Path) -> None:
    text = model_card(run)

    assert "100.0 % among these portraits (1 images) and 0.0 % elsewhere (1)" in text


@pytest.mark.parametrize(
    "word",
    ["hiring", "Schools", "Policing", "Lie detection", "Diagnosis", "no neutral class", "8,777"],
)
def test_limits_are_stated(run: Path, word: str) -> None:
    assert word in model_card(run)


def test_the_licence_of_the_data_is_named(run: Path) -> None:
    assert "RAF-DB: Non-commercial research only" in model_card(run)


@pytest.mark.parametrize(
    ("data_hash", "words"),
    [("0123456789abcdef", "holds none of"), ("another", "may hold images of")],
)
def test_fine_tuning_names_its_origin(run: Path, data_hash: str, words: str) -> None:
    card = json.loads((run / "card.json").read_text())
    card["data"]["initial"] = {"checkpoint": "parent", "data_hash": data_hash, "split": None}
    (run / "card.json").write_text(json.dumps(card))

    text = model_card(run)

    assert "Fine-tuned from the weights of `parent`" in text
    assert words in text


def test_distillation_names_its_teacher(run: Path) -> None:
    card = json.loads((run / "card.json").read_text())
    card["data"]["teacher"] = {"checkpoint": "one+two", "data_hash": "another", "split": None}
    (run / "card.json").write_text(json.dumps(card))

    assert (
        "Part of its target were the answers of `one` and `two`, trained on other data, which may"
    ) in model_card(run)


def test_tables_have_equal_rows(run: Path) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", model_card(run), flags=re.MULTILINE)

    assert len(blocks) == 3
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_a_run_that_was_not_evaluated_says_what_to_do(run: Path) -> None:
    (run / "report.json").unlink()

    with pytest.raises(CheckpointError, match="Run: python -m core evaluate a-run"):
        model_card(run)


def test_a_damaged_card_is_told(run: Path) -> None:
    (run / "card.json").write_text(json.dumps({"model": "gimefive"})[:-3])

    with pytest.raises(CheckpointError, match="card of a-run cannot be read"):
        model_card(run)


def test_a_start_from_faces_and_classes_left_out_are_told(run: Path) -> None:
    card = json.loads((run / "card.json").read_text())
    card["data"] |= {
        "start": {"name": "faces", "about": "face recognition, learned from 3 faces"},
        "unknown_classes": {"ck_plus": ["neutral"], "tfeid": ["neutral"]},
        "data_hash": "0123456789abcdef" * 4,
    }
    (run / "card.json").write_text(json.dumps(card))

    text = model_card(run)

    assert "Start: face recognition, learned from 3 faces." in text
    assert "No picture of CK+, TFEID shows neutral, so they say nothing about that answer" in text
    assert "Data hash `0123456789ab`." in text


def test_a_fine_tuned_network_says_which_training_was_the_last(run: Path) -> None:
    card = json.loads((run / "card.json").read_text())
    card["data"]["initial"] = {"checkpoint": "start", "data_hash": "0123456789abcdef"}
    (run / "card.json").write_text(json.dumps(card))
    report = load_report(run)
    save_report(report | {"seen": ["raf_db", "fer2013"]}, run / "report.json")

    text = model_card(run)

    assert "Last trained on the clean split of RAF-DB, 8,777 images" in text
    assert "The weights it started from had also learned FER2013." in text
    assert "- FER2013 (before the last training): " in text
    assert "| FER2013 | at its start | test | 2 |" in text


def test_a_joined_network_says_that_no_training_followed(run: Path) -> None:
    card = json.loads((run / "card.json").read_text())
    card["data"]["initial"] = {"checkpoint": "one+two", "data_hash": "another"}
    card["training"] = card.get("training", {}) | {"epochs": 0, "learning_rate": 0.05}
    (run / "card.json").write_text(json.dumps(card))

    text = model_card(run)

    assert (
        "Joined from trained networks without further training; they last learned from the clean "
        "split of RAF-DB" in text
    )
    assert "Its parts are `one` and `two`.\n" in text
    assert "The weights of its parts are those they had; no epoch of training followed." in text
    assert "learning_rate" not in text
    assert "Kept: the weights" not in text


def test_a_mean_of_weights_says_of_which_networks_and_how_often(run: Path) -> None:
    card = json.loads((run / "card.json").read_text())
    card["data"]["initial"] = {"checkpoint": "one+two+two", "averaged": True}
    card["training"] = card.get("training", {}) | {"epochs": 0}
    (run / "card.json").write_text(json.dumps(card))

    text = model_card(run)

    assert "Averaged from trained networks without further training" in text
    assert "Its weights are the mean of those of `one` and `two` (2 times).\n" in text
    assert "The weights are a mean; no epoch of training followed." in text

    card["training"]["epochs"] = 3
    (run / "card.json").write_text(json.dumps(card))

    text = model_card(run)

    assert "Fine-tuned from the mean of the weights of `one` and `two` (2 times)" in text
    assert "no epoch of training followed" not in text


def test_a_network_with_neutral_is_also_shown_between_six(run: Path) -> None:
    report = load_report(run)
    six = json.loads(json.dumps(report["splits"]))
    six["test"]["accuracy"], six["test"]["n"] = 0.875, 1234
    six["test"]["per_source"]["fer2013"]["accuracy"] = 0.25
    save_report(report | {"six": {"labels": report["labels"], "splits": six}}, run / "report.json")

    text = model_card(run)

    assert f"choosing between {len(report['labels'])} labels" in text
    assert "Between the six expressions alone 87.5 % on the 1,234 images of these." in text
    _, below = text.split("| set | n | accuracy of six | macro-F1 of six |")
    assert "| FER2013 | 2 | 25.0 (" in below


def test_the_code_on_the_card_runs(
    made_checkpoint: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = loading_code(made_checkpoint("mine"))
    shutil.copy(Path(data_dir) / "astronaut.png", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)

    exec(compile(code, "card", "exec"), {})

    assert len(code.splitlines()) == 10
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("surprise 50.0% Box(left=")
    assert second.startswith("strongest evidence at row, column (")


def test_the_card_says_how_to_load_and_to_cite_it(run: Path) -> None:
    text = model_card(run)

    assert 'network = Predictor.load("a-run")' in text
    assert "eprint = {2402.15662}" in text
    assert "note = {Network used: A run}" in text


def test_a_strangers_title_is_plain_text_in_the_citation(run: Path) -> None:
    card = json.loads((run / "card.json").read_text())
    card["title"] = "A}, \\input{x} ```\n![t](http://host/x.png) über 2"
    (run / "card.json").write_text(json.dumps(card))

    assert "note = {Network used: A, inputx t(http://host/x.png) über 2}\n}\n```" in model_card(run)
