"""The faithfulness of a run: right faces, right file, right words."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from noise_run import COUNT, OPTIONS, save_data, save_manifest, save_run

from core.data import load_dataset
from core.errors import ConfigError, DataError, ExplainError
from core.explain import recommended_method, stored_faithfulness
from core.faithfulness.run import measure_faithfulness, measure_groups


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small nets gain nothing from threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def run(own_runs: Path) -> Path:
    return save_run(own_runs / "small", **OPTIONS)


@pytest.fixture
def data(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prepared noise, of which every second picture is labelled as the network answers."""
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    return save_data(tmp_path / "data", run)


def test_only_faces_answered_as_labelled_are_measured(run: Path, data: Path) -> None:
    report = measure_faithfulness("small", methods=["hires_cam", "cam"])

    assert report["checkpoint"] == "small"
    assert report["data_hash"] == "abc"
    assert report["n"] == COUNT // 2
    assert set(report["methods"]) == {"hires_cam", "cam"}
    assert stored_faithfulness(run) is None  # a report of some methods is not kept


@pytest.mark.parametrize("mark", [4, 60])
def test_a_mark_of_no_use_is_refused_before_anything_is_measured(
    run: Path, data: Path, mark: int
) -> None:
    with pytest.raises(ExplainError, match=f"mark has {mark} pixels a side and the face 64"):
        measure_faithfulness("small", mark=mark, on_progress=lambda *_: pytest.fail("too late"))


def test_faces_come_from_the_image_sets_asked_for(run: Path, data: Path) -> None:
    report = measure_faithfulness("small", methods=["hires_cam"], sources=["noise"])

    assert report["sources"] == ["noise"]
    with pytest.raises(DataError, match="tfeid"):
        measure_faithfulness("small", methods=["hires_cam"], sources=["tfeid"])


def test_a_report_of_all_methods_is_kept_beside_the_weights(run: Path, data: Path) -> None:
    report = measure_faithfulness(run, faces=3, data=data)

    assert report["n"] == 3
    assert stored_faithfulness(run) == report
    assert sorted(path.name for path in run.iterdir()) == [
        "card.json",
        "faithfulness.json",
        "weights.safetensors",
    ]


def test_layers_are_chosen_on_validation_faces_and_kept(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = ["valid"] * 4 + ["test"] * (COUNT - 4)
    save_data(tmp_path / "split", run, parts)
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "split"))

    report = measure_faithfulness("small", methods=["hires_cam", "layer_cam", "grad_cam"])

    choice = report["layer_choice"]
    assert choice["n"] == 2  # of the four validation faces two are answered as labelled
    assert set(choice["gaps"]) == {"hires_cam", "layer_cam"}
    for method, gaps in choice["gaps"].items():
        assert list(gaps) == ["blocks.block1.pool", "blocks.block2.relu", "blocks.block2.pool"]
        assert report["methods"][method]["layer"] == max(gaps, key=lambda layer: gaps[layer])
    assert report["methods"]["grad_cam"]["layer"] == "blocks.block2.conv"
    assert report["n"] == 3


def test_too_few_right_answers_say_so(run: Path, data: Path) -> None:
    save_manifest(data, run, [1] * COUNT)

    with pytest.raises(DataError, match="answers 0 of 10 test faces"):
        measure_faithfulness("small")


def test_an_unknown_method_is_refused(run: Path, data: Path) -> None:
    with pytest.raises(ConfigError, match="magic"):
        measure_faithfulness("small", methods=["magic"])


def test_a_run_without_a_report_or_with_a_broken_one_has_none(run: Path) -> None:
    assert stored_faithfulness(run) is None

    (run / "faithfulness.json").write_text('{"meth')
    assert stored_faithfulness(run) is None


def test_the_command_writes_the_report_and_prints_a_table(
    run: Path, data: Path, tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    from core.cli import app

    target = tmp_path / "report.json"
    given = ["faithfulness", "small", "--faces", "4", "--method", "hires_cam"]

    done = CliRunner().invoke(app, [*given, "--json", str(target)], env={"COLUMNS": "200"})

    assert done.exit_code == 0, done.output
    report = json.loads(target.read_text())
    entry = report["methods"]["hires_cam"]
    assert set(report["controls"]) == {"random", "centre"}
    assert entry["verdict"] in done.output
    assert f"{entry['gap']:+.3f}" in done.output
    assert "small: 4 test faces" in done.output


def test_methods_that_do_not_apply_are_told(run: Path, data: Path) -> None:
    from typer.testing import CliRunner

    from core.cli import app

    save_run(run, **OPTIONS | {"fc_depth": 2})
    save_manifest(data, run, [0] * COUNT)
    given = ["faithfulness", "small", "--faces", "2"]

    done = CliRunner().invoke(app, [*given, "--method", "cam", "--method", "saliency"])

    assert done.exit_code == 0, done.output
    assert "cam does not apply: CAM needs global average pooling" in done.output


def test_a_group_of_all_right_faces_has_the_gap_of_the_report(run: Path, data: Path) -> None:
    dataset = load_dataset(data)
    right = np.arange(0, COUNT, 2)
    method = recommended_method(run)
    entry = measure_faithfulness("small", methods=[method])["methods"][method]

    found = measure_groups(
        "small", {("noise", "all"): (dataset, right), ("noise", "few"): (dataset, right[:1])}
    )

    every, one = found["groups"]["noise", "all"], found["groups"]["noise", "few"]
    leads = {name: value["gap"] for name, value in entry["over_controls"].items()}
    assert (found["method"], found["layer"]) == (method, entry["layer"])
    assert every["n"] == COUNT // 2
    assert every["gap"][0] == pytest.approx(entry["gap"], abs=2e-3)
    assert every["lead"][0] == pytest.approx(min(leads.values()), abs=2e-3)
    assert every["control"] == min(leads, key=lambda name: leads[name])
    assert every["gap"][1:] == [None, None]  # five faces are too few for an interval
    assert one["n"] == 1
    assert one["control"] in {"random", "centre"}  # there is no other face


def test_groups_are_cut_to_so_many_faces_and_have_intervals_from_ten_on(
    run: Path, data: Path
) -> None:
    dataset = load_dataset(data)
    told: list[tuple[int, int, str]] = []

    found = measure_groups(
        "small",
        {("noise", "all"): (dataset, np.arange(COUNT)), ("noise", ""): (dataset, np.arange(4))},
        faces=COUNT,
        on_progress=lambda *one: told.append(one),
    )
    cut = measure_groups("small", {("noise", "all"): (dataset, np.arange(COUNT))}, faces=3)

    mean, low, high = found["groups"]["noise", "all"]["gap"]
    assert low < mean < high
    assert cut["groups"]["noise", "all"]["n"] == 3
    assert told == [(0, 2, "noise, all"), (1, 2, "noise"), (2, 2, "")]
