"""Batch scoring again in one process, by two at once, and with weights that change."""

import csv
import os
import shutil
from pathlib import Path

import fsspec
import pytest
import torch
from scored_pictures import FILES, OPTIONS, small_request

from core.batch_inference import run as run_module
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


def test_an_address_with_the_scores_of_other_files_is_refused_or_scored_again(
    run: Path, pictures: Path, tmp_path: Path
) -> None:
    out, asked = "memory://more/scores.parquet", small_request(run, ".parquet")
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(pictures / "a" / "00.png", own / "b.png")
    score_all([own], out, asked, cluster="here")
    (own / "b.png").rename(own / "c.png")

    with pytest.raises(CoreError, match="holds the scores of 1 files; now there are 1, and not"):
        score_all([own], out, asked, cluster="here")
    shutil.copy(pictures / "a" / "00.png", own / "d.png")
    again = score_all([own], out, asked, cluster="here", restart=True)

    assert (again.files, again.kept) == (2, 0)
    assert score_all([own], out, asked, cluster="here").kept == 2


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


@pytest.mark.parametrize("restart", [False, True])
def test_what_others_keep_at_an_address_is_left_alone(
    run: Path, pictures: Path, restart: bool
) -> None:
    files, place = fsspec.filesystem("memory"), "/theirs/s.parquet"
    files.makedirs(place, exist_ok=True)
    files.pipe_file(f"{place}/part-00000-ab.snappy.parquet", b"theirs")

    with pytest.raises(CoreError, match=r"holds 1 files of something else, such as part-00000-ab"):
        score_all([pictures], f"memory:/{place}", small_request(run, ".parquet"), restart=restart)

    assert [path.rpartition("/")[2] for path in files.ls(place, False)] == [
        "part-00000-ab.snappy.parquet"
    ]


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_run_is_not_gone_on_with_from_where_its_paths_lead_elsewhere(
    run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, request = str(tmp_path / "s.csv"), small_request(run)
    monkeypatch.chdir(pictures.parent)
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "_joined", interrupted)
        with pytest.raises(KeyboardInterrupt):
            score_all([Path(pictures.name)], out, request, cluster="here")
    monkeypatch.chdir(pictures.parent.parent)
    named = pictures.relative_to(Path.cwd())

    with pytest.raises(CoreError, match=r"parts of another run \(other named\)"):
        score_all([named], out, request, cluster="here")

    counts = score_all([named], out, request, cluster="here", restart=True).counts
    assert (counts["ok"], counts["unreadable"]) == (FILES, 2)
