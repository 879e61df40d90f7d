"""Table 2: which run measures which row, and what others published."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grey_faces import answers

from core.evaluation import (
    Predictions,
    PublishedRow,
    all_runs,
    figure1,
    metrics,
    missing_runs,
    published,
    published_rows,
    table2,
)
from core.evaluation.report_file import save_report
from core.files import fingerprint, write_json
from core.labels import EMOTIONS
from core.models import MODELS, describe
from core.training import RunFolder

FIVE = ["raf_db", "fer2013", "affectnet", "ck_plus", "tfeid"]
# Table 2 of the paper: accuracies in % for train, test, valid, in the order of the rows.
TABLE_2 = """
RAF-DB 93.8 83.3 68.8 | 98.9 81.3 67.9 | 100.0 83.7 72.0 | 96.6 80.6 66.8 | 98.4 81.7 71.1
RAF-DB 98.6 83.1 72.1 | 97.0 86.5 78.1 | 97.5 82.5 70.0
FER2013 69.0 49.4 35.6 | 92.6 64.7 42.1 | 97.6 67.1 43.6 | 86.6 64.1 40.2 | 89.6 65.6 40.7
FER2013 69.7 67.5 46.2 | 96.0 65.5 41.6
FER_GiMEFiVE 79.4 53.7 61.4 | 96.5 72.4 73.8 | 94.5 70.8 72.8 | 84.9 75.3 75.0 | 95.2 70.4 74.5
"""


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
) -> Path:
    """A finished run folder as training and evaluation leave it; 7 of 10 test images right."""
    folder = root / name
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(name.encode())
    card = {
        "model": model,
        "model_options": options or {},
        "labels": EMOTIONS,
        "data": {"name": "raf-db", "sources": sources or ["raf_db"], "split": split},
        "metrics": {"valid_accuracy": valid_accuracy},
    }
    write_json(folder / "card.json", card)
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


def test_published_figures_are_those_of_the_paper(own_runs: Path) -> None:
    found = [{**one, **one["published"]} for one in rows_of(own_runs)]

    for one, printed in zip(found, published_rows(), strict=True):
        for field in ("dataset", "model", "name", "layers", "architecture", "parameters"):
            assert one[field] == getattr(printed, field)
        assert [one[part] for part in ("train", "test", "valid")] == [
            printed.train,
            printed.test,
            printed.valid,
        ]


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


def printed() -> list[tuple[str, float, float, float]]:
    rows = []
    for line in TABLE_2.strip().splitlines():
        dataset, figures = line.split(" ", 1)
        for group in figures.split("|"):
            train, test, valid = map(float, group.split())
            rows.append((dataset.replace("_", " "), train, test, valid))
    return rows


def test_table_2_is_the_printed_one() -> None:
    rows = published_rows()

    assert [(row.dataset, row.train, row.test, row.valid) for row in rows] == printed()


def test_the_models_of_each_data_set_are_the_printed_ones() -> None:
    names = [(row.dataset, row.name) for row in published_rows()]

    first = ["vgg", "resnet18", "resnet34", "gimefive_baseline"]
    assert names == [
        *(("RAF-DB", name) for name in [*first, "gimefive_se", "gimefive_plain", "gimefive"]),
        ("RAF-DB", "gimefive_deep"),
        *(("FER2013", name) for name in [*first, "gimefive_plain", "gimefive", "gimefive_deep"]),
        *(("FER GiMEFiVE", name) for name in [*first[:3], "gimefive", "gimefive_res"]),
    ]


NETWORKS = {row.name: row for part in ("table_2", "preliminary") for row in published_rows(part)}


@pytest.mark.parametrize("row", published_rows(), ids=lambda row: f"{row.dataset}-{row.name}")
def test_rows_of_one_network_say_the_same_of_it(row: PublishedRow) -> None:
    other = NETWORKS[row.name]

    assert (row.parameters, row.layers) == (other.parameters, other.layers)
    assert row.architecture == MODELS[row.name].architecture
    assert row.model == MODELS[row.name].title


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_parameters_and_layers_are_those_of_the_network_built(name: str) -> None:
    built = describe(name)

    assert built["parameters"] == NETWORKS[name].parameters
    assert built["layers"] == NETWORKS[name].layers


def test_rows_of_table_1_add_up() -> None:
    rows = published("table_1")["rows"]

    sums = [(sum(row["counts"]), row["total"]) for row in rows if row["counts"]]
    assert len(sums) == 10
    assert all(counted == total for counted, total in sums)


def test_table_1_of_the_aggregate_is_the_sum_of_its_parts() -> None:
    rows = published("table_1")["rows"]

    for split in ("train", "test"):
        parts = [r["counts"] for r in rows if r["split"] == split and r["counts"]]
        *sources, total = parts
        assert [sum(column) for column in zip(*sources, strict=True)] == total


def test_table_3_spans_the_printed_grid() -> None:
    grid = published("table_3")["rows"]

    assert grid["learning rate"] == [0.01, 0.001, 0.0001]
    assert grid["patience"] == [5, 10, 15]
    size = 1
    for values in grid.values():
        size *= len(values)
    assert size == 3 * 4 * 2 * 3 * 3 * 2 * 2 * 3 * 1 * 4 * 2 * 3


def test_figures_of_others_come_with_their_source_and_a_caution() -> None:
    assert published("human_agreement")["percent"] == 84.1
    assert "FER+" in published("human_agreement")["source"]
    assert "trained on other data" in published("peers")["statement"]
    peers = {row["name"]: row["scores"] for row in published("peers")["rows"]}
    assert peers["always happiness"]["raf_db"] == {"accuracy": 49.6, "macro_f1": 11.1}


def test_what_a_caller_does_to_a_part_stays_with_it() -> None:
    published("table_1")["rows"].clear()

    assert published("table_1")["rows"]


def test_the_lines_that_complete_the_table_name_every_row_below_its_budget(own_runs: Path) -> None:
    full = write_run(own_runs, "full", model="vgg")
    short = write_run(own_runs, "short", model="resnet18")
    for folder, epochs in ((full, 10), (short, 9)):
        lines = [json.dumps({"epoch": number + 1}) for number in range(epochs)]
        (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")

    rows = rows_of(own_runs)
    lines = missing_runs(rows)

    assert len(lines) == 19
    assert not any("rafdb-vgg-modern" in line for line in lines)
    assert lines[0] == (
        "python -m core queue add rafdb-resnet18-modern --run rafdb-resnet18-10-epochs "
        "--set epochs=10"
    )
    assert lines[-1].endswith("--run fergimefive-gimefive-res-4-epochs --set epochs=4")
    measured = row(own_runs, "resnet18")["measured"]
    assert measured["epochs"] == 9
