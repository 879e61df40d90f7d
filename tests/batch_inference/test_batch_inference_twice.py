"""Batch scoring again in one process, by two at once, and with weights that change."""

import csv
import os
import shutil
from pathlib import Path

import pytest
import torch
from scored_pictures import OPTIONS, small_request

from core.batch_inference import score_all
from core.errors import CheckpointError, CoreError
from core.models import build, save_weights


def test_one_process_scores_other_pictures_under_the_same_name(
    run: Path, pictures: Path, tmp_path: Path
) -> None:
    out, second = tmp_path / "s.csv", tmp_path / "second"
    second.mkdir()
    (second / "other.png").write_bytes((pictures / "a" / "00.png").read_bytes())

    score_all([pictures], str(out), small_request(run), cluster="here")
    score_all([second], str(out), small_request(run), cluster="here")

    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["filepath"] for row in rows] == [str(second / "other.png")]


def test_one_process_uses_weights_that_were_renewed(
    run: Path, pictures: Path, tmp_path: Path
) -> None:
    own, out = tmp_path / "own", tmp_path / "s.csv"
    shutil.copytree(run, own)
    score_all([pictures], str(out), small_request(own), cluster="here")
    before = out.read_bytes()
    torch.manual_seed(4)
    renewed = build("gimefive", 6, **OPTIONS).state_dict()
    save_weights(renewed, own / "weights.safetensors")

    score_all([pictures], str(out), small_request(own), cluster="here")

    assert out.read_bytes() != before


def test_weights_that_change_under_a_run_end_it(
    run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    shutil.copytree(run, own)
    other = build("gimefive", 6, **OPTIONS).state_dict()

    def renew(done: int) -> None:
        save_weights(other, own / "weights.safetensors")

    with pytest.raises(CheckpointError, match="own has other weights here than where the run"):
        score_all(
            [pictures],
            str(tmp_path / "s.csv"),
            small_request(own),
            cluster="here",
            on_progress=renew,
        )


def test_two_runs_do_not_write_one_file_at_a_time(
    run: Path, pictures: Path, tmp_path: Path
) -> None:
    out, refused = str(tmp_path / "s.csv"), list[str]()

    def again(done: int) -> None:
        if not refused:
            with pytest.raises(CoreError) as caught:
                score_all([pictures], out, small_request(run), cluster="here")
            refused.append(str(caught.value))

    score_all([pictures], out, small_request(run), cluster="here", on_progress=again)

    assert f"s.csv is being written by process {os.getpid()}" in refused[0]
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]
