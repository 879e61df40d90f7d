"""Table 2: which run measures which row, and what others published."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grey_faces import answers

from core.evaluation import (
    Predictions,
    all_runs,
    epochs_in_words,
    figure1,
    metrics,
    missing_runs,
    table2,
)
from core.evaluation.report_file import save_report
from core.files import fingerprint, write_json
from core.labels import EMOTIONS
from core.training import RunConfig, RunFolder

FIVE = ["raf_db", "fer2013", "affectnet", "ck_plus", "tfeid"]


def write_run(
    root: Path,
    name: str,
    *,
    model: str = "gimefive",
    sources: list[str] | None = None,
    split: str = "clean",
    valid_accuracy: float = 0.8,
    options: dict[str, object] | None = None,
    evaluated: bool = True,
    start: dict[str, object] | None = None,
    epochs: int = 0,
) -> Path:
    """A finished run folder as training and evaluation leave it; 7 of 10 test images right."""
    folder = root / name
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(name.encode())
    card: dict[str, Any] = {
        "model": model,
        "model_options": options or {},
        "labels": EMOTIONS,
        "data": {"name": "raf-db", "sources": sources or ["raf_db"], "split": split},
        "metrics": {"valid_accuracy": valid_accuracy},
    }
    if start:
        card["data"]["initial"] = start
    write_json(folder / "card.json", card)
    lines = [json.dumps({"epoch": number + 1}) for number in range(epochs)]
    (folder / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
    write_json(folder / "status.json", {"state": "finished", "reason": ""})
    if evaluated:
        evaluate(folder, sources or ["raf_db"])
    return folder


def evaluate(folder: Path, sources: list[str]) -> None:
    generator = np.random.default_rng(4)
    shown = [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    true = [0, 1, 2, 3, 4, 5, 0, 2, 1, 4]
    scores = generator.dirichlet(np.ones(6), 12) * 0.1 + 0.9 * np.eye(6)[[*shown, 0, 1]]
    found = answers(
        [*true, 0, 0],
        scores,
        EMOTIONS,
        source=[sources[i % len(sources)] for i in range(11)] + ["gimefive_valid"],
        part=["test"] * 10 + ["valid", "published_valid"],
        twin=["exact", *[""] * 11],
    )
    found.save(folder)
    facts = {
        "format": 1,
        "checkpoint": folder.name,
        "sources": sources,
        "temperature": 1.0,
        "threshold": 0.0,
        "weights_fingerprint": fingerprint(folder / "weights.safetensors"),
        "faces_per_second": 321.0,
        "date": "2026-01-02T03:04:05+00:00",
    }
    save_report(facts, folder / "report.json")


def rows_of(root: Path, part: str = "table_2") -> list[dict[str, Any]]:
    """The table of the runs below a folder, without shipped ones."""
    return table2(part=part, runs=[run for run in all_runs() if run.folder.parent == root])


def row(root: Path, name: str) -> dict[str, Any]:
    """The row of a network on RAF-DB."""
    return next(one for one in rows_of(root) if (one["dataset"], one["name"]) == ("RAF-DB", name))


def test_without_runs_every_row_says_which_command_runs_it(own_runs: Path) -> None:
    rows = rows_of(own_runs)

    assert {(one["status"], one["measured"]) for one in rows} == {("not run", None)}
    commands = [one["command"] for one in rows]
    assert "python -m core train rafdb-vgg-modern" in commands
    assert len(set(commands)) == len(rows) == 20


def test_a_measured_row_is_the_accuracy_of_its_predictions_file(own_runs: Path) -> None:
    folder = write_run(own_runs, "a-run", model="vgg")

    measured = row(own_runs, "vgg")["measured"]

    again = Predictions.load(folder)
    assert measured["test"] == pytest.approx(100 * metrics(again.of_split("test"))["accuracy"])
    assert measured["test"] == pytest.approx(70.0)
    assert measured["test_clean"] == pytest.approx(100 * 6 / 9)
    assert (measured["valid_clean"], measured["valid"], measured["train"]) == (100.0, 0.0, None)
    assert measured["run"] == "a-run"
    assert measured["n"] == {"test": 10, "valid": 1, "test_clean": 9, "valid_clean": 1}
    low, high = measured["intervals"]["test"]
    assert low < 70 < high
    assert (measured["faces_per_second"], measured["date"][:10]) == (321.0, "2026-01-02")


def test_changing_one_prediction_changes_the_table(own_runs: Path) -> None:
    folder = write_run(own_runs, "a-run", model="vgg")
    before = row(own_runs, "vgg")["measured"]
    found = Predictions.load(folder)
    assert found.table.loc[0, "true"] == "happiness"
    found.table.loc[0, "true"] = "fear"
    found.save(folder)

    after = row(own_runs, "vgg")["measured"]

    assert (before["test"], after["test"]) == (pytest.approx(70.0), pytest.approx(60.0))


def test_a_row_takes_only_runs_of_its_network_and_its_sources(own_runs: Path) -> None:
    write_run(own_runs, "raf", model="resnet34")
    write_run(own_runs, "all", model="resnet34", sources=FIVE)
    write_run(own_runs, "tuned", model="vgg", options={"depth": 3})
    write_run(own_runs, "leave-one-out", model="vgg", sources=FIVE[:4])

    found = {(one["dataset"], one["name"]): one for one in rows_of(own_runs)}

    assert found["RAF-DB", "resnet34"]["measured"]["run"] == "raf"
    assert found["FER GiMEFiVE", "resnet34"]["measured"]["run"] == "all"
    assert found["FER2013", "resnet34"]["measured"] is None
    assert found["RAF-DB", "vgg"]["measured"] is None
    assert found["FER GiMEFiVE", "vgg"]["measured"] is None


def test_of_several_runs_validation_decides_and_clean_goes_first(own_runs: Path) -> None:
    write_run(own_runs, "a-published", model="vgg", split="published", valid_accuracy=0.99)
    write_run(own_runs, "b-clean", model="vgg", valid_accuracy=0.7)
    write_run(own_runs, "c-clean", model="vgg", valid_accuracy=0.75)

    measured = row(own_runs, "vgg")["measured"]

    assert (measured["run"], measured["split"]) == ("c-clean", "clean")


def test_a_running_run_is_told_and_a_dead_one_is_not_running(own_runs: Path) -> None:
    folder = write_run(own_runs, "now", model="vgg", evaluated=False)
    (folder / "weights.safetensors").unlink()

    RunFolder(folder).set_status("running")
    assert row(own_runs, "vgg")["status"] == "running"

    # The number lives, but the process that has it now began after the run.
    RunFolder(folder).set_status("running", created=1.0)
    assert row(own_runs, "vgg")["status"] == "not run"


def test_a_trained_run_without_predictions_asks_to_be_evaluated(own_runs: Path) -> None:
    write_run(own_runs, "fresh", model="vgg", evaluated=False)

    found = row(own_runs, "vgg")

    assert found["status"] == "trained, not measured"
    assert found["command"] == "python -m core evaluate fresh"


def test_predictions_of_other_weights_do_not_count(own_runs: Path) -> None:
    folder = write_run(own_runs, "again", model="vgg")
    (folder / "weights.safetensors").write_bytes(b"trained once more")

    assert row(own_runs, "vgg")["status"] == "trained, not measured"


def test_a_damaged_predictions_file_does_not_stop_the_table(own_runs: Path) -> None:
    folder = write_run(own_runs, "broken", model="vgg")
    (folder / "predictions.npz").write_text("nothing\n")

    assert row(own_runs, "vgg")["command"] == "python -m core evaluate broken"


def test_figure_1_has_a_bar_for_every_row_of_raf_db(own_runs: Path) -> None:
    write_run(own_runs, "a-run", model="vgg")

    bars = figure1(rows_of(own_runs))

    assert [bar["published"] for bar in bars] == [83.3, 81.3, 83.7, 80.6, 81.7, 83.1, 86.5, 82.5]
    assert bars[0]["measured"] == pytest.approx(70.0)
    assert bars[0]["run"] == "a-run"
    assert bars[1]["measured"] is None


def test_the_preliminary_table_is_measured_likewise(own_runs: Path) -> None:
    write_run(own_runs, "ten-layers", model="gimefive_nobn")

    found = next(one for one in rows_of(own_runs, "preliminary") if one["name"] == "gimefive_nobn")

    assert found["measured"]["run"] == "ten-layers"
    assert json.loads(json.dumps(found)) == found


def test_epochs_of_the_runs_it_went_on_from_are_told(own_runs: Path) -> None:
    write_run(own_runs, "on-one", epochs=44)
    write_run(own_runs, "on-all", sources=FIVE, epochs=3, start={"checkpoint": "on-one"})
    write_run(
        own_runs, "further", sources=FIVE, epochs=2, start={"checkpoint": "on-all"},
        valid_accuracy=0.9,
    )  # fmt: skip

    rows = rows_of(own_runs)
    found = {(one["dataset"], one["name"]): one["measured"] for one in rows}
    measured = found["FER GiMEFiVE", "gimefive"]

    # Those on other pictures are told, but not added to those on these.
    assert measured["run"] == "further"
    assert measured["earlier"] == [
        {"run": "on-one", "epochs": 44, "sources": ["raf_db"], "same_data": False},
        {"run": "on-all", "epochs": 3, "sources": sorted(FIVE), "same_data": True},
    ]
    assert epochs_in_words(measured) == "3 + 2"
    assert (measured["epochs"], epochs_in_words(found["RAF-DB", "gimefive"])) == (2, "44")
    more = [*measured["earlier"], *(measured["earlier"][1:] * 2)]
    assert epochs_in_words({**measured, "earlier": more}) == "11 in 4 runs"


def test_where_the_start_is_not_at_hand_epochs_are_a_least_number(own_runs: Path) -> None:
    start: dict[str, object] = {"checkpoint": "gone", "sources": ["raf_db"]}
    write_run(own_runs, "before", model="vgg", epochs=3, start=start)
    write_run(
        own_runs, "after", model="vgg", epochs=2, start={"checkpoint": "before"}, valid_accuracy=0.9
    )

    measured = row(own_runs, "vgg")["measured"]
    bar = figure1(rows_of(own_runs))[0]

    assert measured["earlier"][0] == {
        "run": "gone", "epochs": None, "sources": ["raf_db"], "same_data": True,
    }  # fmt: skip
    assert epochs_in_words(measured) == "at least 3 + 2"
    assert (bar["epochs"], bar["epochs_in_words"]) == (5, "at least 3 + 2")


def test_cards_that_name_each_other_as_the_start_come_to_an_end(own_runs: Path) -> None:
    write_run(own_runs, "a", model="vgg", epochs=2, start={"checkpoint": "b"}, valid_accuracy=0.9)
    write_run(own_runs, "b", model="vgg", epochs=3, start={"checkpoint": "a"})

    assert epochs_in_words(row(own_runs, "vgg")["measured"]) == "at least 3 + 2"


def test_the_lines_that_complete_the_table_name_every_row_below_its_budget(own_runs: Path) -> None:
    write_run(own_runs, "full", model="vgg", epochs=10)
    write_run(own_runs, "sooner", model="vgg", epochs=4, valid_accuracy=0.9)
    write_run(own_runs, "short", model="resnet18", epochs=9)

    rows = rows_of(own_runs)
    lines = missing_runs(rows)

    assert len(lines) == 19
    assert not any("rafdb-vgg-modern" in line for line in lines)
    assert lines[0] == (
        "python -m core queue add rafdb-resnet18-modern --run rafdb-resnet18-10-epochs "
        "--set epochs=10"
    )
    assert lines[-1].endswith("--run fergimefive-gimefive-res-4-epochs --set epochs=4")
    assert row(own_runs, "vgg")["measured"]["run"] == "full"  # after as many epochs as its rows
    measured = row(own_runs, "resnet18")["measured"]
    assert measured["epochs"] == 9


NAME = "rafdb-vgg-10-epochs"
ADD = "python -m core queue add rafdb-vgg-modern --run {} --set epochs=10"


def planned(root: Path, name: str, state: str, *, epochs: int = 10, trained: int = 0) -> RunFolder:
    """A run of VGG on RAF-DB that is to have so many epochs, and had some of them."""
    run = RunFolder(write_run(root, name, model="vgg", evaluated=False, epochs=trained))
    run.create(RunConfig(model="vgg", sources=("raf_db",), epochs=epochs))
    run.set_status(state, created=1.0)  # that process is gone
    run.last.touch() if trained else run.weights.unlink()
    return run


def vgg_lines(root: Path) -> list[str]:
    """What would complete the row of VGG on RAF-DB."""
    return [line for line in missing_runs(rows_of(root)) if "rafdb-vgg" in line]


@pytest.mark.parametrize("state", ["stopped", "failed", "running"])
@pytest.mark.parametrize("trained", [0, 3])
def test_an_ended_run_goes_on_to_its_budget(own_runs: Path, state: str, trained: int) -> None:
    planned(own_runs, NAME, state, trained=trained)

    assert vgg_lines(own_runs) == [f"python -m core train --resume --run {NAME}"]


def test_a_run_that_had_its_budget_is_measured(own_runs: Path) -> None:
    write_run(own_runs, "short", model="vgg", epochs=4)
    planned(own_runs, "my-rafdb-vgg", "finished", trained=10)

    assert vgg_lines(own_runs) == ["python -m core evaluate my-rafdb-vgg"]


@pytest.mark.parametrize("name", [NAME, "my-rafdb-vgg"])
def test_a_row_whose_run_waits_is_left_to_it(own_runs: Path, name: str) -> None:
    write_run(own_runs, "short", model="vgg", epochs=4)
    planned(own_runs, name, "queued")

    assert vgg_lines(own_runs) == []


def test_where_another_run_has_the_name_the_line_names_a_free_one(own_runs: Path) -> None:
    write_run(own_runs, NAME, model="resnet34", evaluated=False)
    assert vgg_lines(own_runs) == [ADD.format(f"{NAME}-2")]

    planned(own_runs, f"{NAME}-2", "stopped", epochs=4)
    assert vgg_lines(own_runs) == [ADD.format(f"{NAME}-3")]


def test_a_run_that_lost_what_it_would_go_on_from_is_begun_anew(own_runs: Path) -> None:
    planned(own_runs, NAME, "stopped", trained=3).last.unlink()

    assert vgg_lines(own_runs) == [ADD.format(f"{NAME}-2")]
