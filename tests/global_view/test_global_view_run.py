"""The global view of a run: kept in its folder, read by others, refused where it means nothing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from noise_run import COUNT, OPTIONS, save_data, save_run
from typer.testing import CliRunner

from core.cli import app
from core.errors import DataError, ExplainError
from core.global_view import global_view_file, make_global_view, stored_global_view


@pytest.fixture
def run(own_runs: Path) -> Path:
    return save_run(own_runs / "small", **OPTIONS)


@pytest.fixture
def data(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prepared noise; the landmark model sees a face of average shape in it."""
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    return save_data(tmp_path / "data", run)


def test_right_and_wrong_answers_are_apart(run: Path, data: Path) -> None:
    view = make_global_view("small")

    right = [group["n"] for group in view["groups"] if group["answered"] == "right"]
    wrong = [group["n"] for group in view["groups"] if group["answered"] == "wrong"]
    assert sum(right) == sum(wrong) == COUNT // 2
    assert view["n"] + view["without_landmarks"] == COUNT
    assert (
        view["method"] == "smooth_layer_cam"
    )  # nothing was measured, so nothing else is recommended
    assert np.array(view["shape"]).shape == (68, 2)
    maps = [np.array(group["map"]) for group in view["groups"] if group["n"]]
    assert {found.shape for found in maps} == {(32, 32)}
    assert all(found.mean() == pytest.approx(1, abs=0.25) for found in maps)


def test_faces_that_a_network_has_learnt_from_are_no_validation(
    run: Path, data: Path, tmp_path: Path
) -> None:
    parts = pd.read_csv(data / "splits" / "clean.csv", keep_default_na=False)
    parts.assign(part="valid").to_csv(data / "splits" / "clean.csv", index=False)
    parts.assign(part="train").to_csv(data / "splits" / "published.csv", index=False)
    assert make_global_view("small", split="valid")["n"]

    card = json.loads((run / "card.json").read_text())
    card["data"]["split"] = "published"
    (run / "card.json").write_text(json.dumps(card))

    with pytest.raises(DataError, match="trained on the clean validation faces of noise"):
        make_global_view("small", split="valid")


def test_shares_of_all_regions_make_a_whole(run: Path, data: Path) -> None:
    view = make_global_view("small")

    many = [group for group in view["groups"] if group["n"] - group["blank"] >= 2]
    assert many
    for group in many:
        shares = [one["share"][0] for one in group["regions"].values()]
        areas = [one["area"] for one in group["regions"].values()]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert sum(areas) == pytest.approx(1, abs=1e-3)
        for one in group["regions"].values():
            for measure in ("share", "drop"):
                mean, low, high = one[measure]
                assert low <= mean <= high


def test_it_is_kept_for_the_weights_it_was_made_with(run: Path, data: Path) -> None:
    view = make_global_view(run, data=data, method="hires_cam")

    assert stored_global_view(run, "test") == view
    assert view["signed"]
    assert stored_global_view(run, "valid") is None
    save_run(run, **OPTIONS | {"width": 5})
    assert stored_global_view(run, "test") is None


def test_the_number_of_faces_is_limited_and_progress_is_told(run: Path, data: Path) -> None:
    heard: list[tuple[int, int]] = []

    view = make_global_view("small", faces=1, on_progress=lambda *facts: heard.append(facts))

    labels = {group["label"] for group in view["groups"] if group["n"]}
    assert view["n"] == len(labels)
    assert heard[-1] == (2 * view["n"], 2 * view["n"])
    assert heard == sorted(heard)


def test_coarse_maps_are_refused(run: Path, data: Path) -> None:
    save_run(run, **OPTIONS | {"depth": 4})

    with pytest.raises(ExplainError, match="8 cells a side"):
        make_global_view("small", method="grad_cam")


def test_a_split_without_faces_says_so(run: Path, data: Path) -> None:
    with pytest.raises(DataError, match="no face labelled"):
        make_global_view("small", split="valid")
    with pytest.raises(DataError, match="no split 'tst'"):
        make_global_view("small", split="tst")


def test_the_command_keeps_the_view_and_prints_a_table(run: Path, data: Path) -> None:
    given = ["global-view", "small", "--faces", "2", "--method", "layer_cam"]

    done = CliRunner().invoke(app, given, env={"COLUMNS": "200"})

    assert done.exit_code == 0, done.output
    stored = json.loads(global_view_file(run, "test").read_text())
    assert stored["faces_per_label"] == 2
    assert "mouth" in done.output
    assert "100 % done" in done.output
