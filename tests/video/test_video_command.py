"""`python -m core video` and the process that the video page starts."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from clips import walking_face, write_clip
from typer.testing import CliRunner

from core.cli import app
from core.errors import CoreError, VideoError
from core.labels import EMOTIONS
from core.models import Card, build, save_weights
from core.preprocess import Preprocess
from core.process import Claim
from core.video import (
    ANNOTATED,
    SUMMARY,
    TABLE,
    JobRecord,
    JobStatus,
    Progress,
    latest_frame,
    read_job,
    start_job,
    stop_job,
)


@pytest.fixture
def checkpoint(own_runs: Path) -> str:
    """A small network with weights by lot, below the run root."""
    folder = own_runs / "by-lot"
    folder.mkdir()
    torch.manual_seed(0)
    grey = Preprocess(48, 44, mean=(0.5,), std=(0.5,))
    Card("mini_xception", EMOTIONS, grey).save(folder / "card.json")
    model = build("mini_xception", classes=6)
    save_weights(model.state_dict(), folder / "weights.safetensors")
    return folder.name


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_video_becomes_three_files(tmp_path: Path, checkpoint: str) -> None:
    source = write_clip(tmp_path / "in.mp4", walking_face(6))
    out = tmp_path / "out"

    result = CliRunner().invoke(
        app, ["video", str(source), "--out", str(out), "--checkpoint", checkpoint]
    )

    assert result.exit_code == 0, result.output
    assert "6 frames, 1 face(s)" in result.output
    assert {path.name for path in out.iterdir()} >= {ANNOTATED, TABLE, SUMMARY}
    report = json.loads((out / SUMMARY).read_text())
    assert "needs a backward pass" in " ".join(report["notes"])
    status = read_job(out)
    assert status is not None and status.state == "finished"  # noqa: PT018 - for mypy


def test_an_analysis_without_a_copy_leaves_no_older_one(tmp_path: Path, checkpoint: str) -> None:
    source, out = write_clip(tmp_path / "in.mp4", walking_face(3)), tmp_path / "out"
    arguments = ["video", str(source), "--out", str(out), "--checkpoint", checkpoint]

    for more, is_there in ([], True), (["--no-annotated"], False), (["--smoothing", "0.2"], True):
        assert CliRunner().invoke(app, [*arguments, *more]).exit_code == 0
        assert (out / ANNOTATED).exists() == is_there
    refused = CliRunner().invoke(app, [*arguments, "--longest", "0"])
    assert "shrunk to 0 pixels; expected at least 64" in str(refused.exception)


@pytest.mark.parametrize("more", [[], ["--restart"]])
def test_what_no_analysis_wrote_stays(tmp_path: Path, checkpoint: str, more: list[str]) -> None:
    notes, source = tmp_path / SUMMARY, write_clip(tmp_path / "in.mp4", walking_face(3))
    notes.write_text('{"title": "mine"}')
    words = ["video", str(source), "--out", str(tmp_path), "--checkpoint", checkpoint, *more]
    assert "no analysis has written" in str(CliRunner().invoke(app, words).exception)
    assert "mine" in notes.read_text()


def test_a_folder_becomes_a_batch(tmp_path: Path, checkpoint: str) -> None:
    (tmp_path / "in").mkdir()
    for side in ("Left", "Right"):
        write_clip(tmp_path / "in" / f"{side}VideoSN001.avi", walking_face(4))
    (tmp_path / "in" / "broken.mp4").write_text("no video")

    result = CliRunner().invoke(
        app,
        [
            "video",
            str(tmp_path / "in"),
            "--out",
            str(tmp_path / "out"),
            "--checkpoint",
            checkpoint,
            "--no-annotated",
            "--method",
            "none",
        ],
    )

    assert result.exit_code == 0, result.output
    assert "3 videos, 1 of them unreadable, 1 left/right pairs" in result.output
    batch = json.loads((tmp_path / "out" / "batch.json").read_text())
    assert batch["pairs"][0]["same_label"] == 1.0


def test_a_folder_goes_on_where_it_was_broken_off(tmp_path: Path, checkpoint: str) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        write_clip(tmp_path / "in" / f"{name}.avi", walking_face(3))
    out = tmp_path / "out"
    arguments = ["video", str(tmp_path / "in"), "--out", str(out), "--checkpoint", checkpoint]
    arguments += ["--no-annotated", "--method", "none"]
    first = CliRunner().invoke(app, arguments)
    whole = (out / "batch.csv").read_bytes()
    kept = (out / "a.avi" / TABLE).stat().st_mtime_ns
    (out / "b.avi" / SUMMARY).unlink()  # as a kill in the second film leaves it

    again = CliRunner().invoke(app, arguments)

    assert (first.exit_code, again.exit_code) == (0, 0), again.output
    assert "2 videos, 1 of them finished before, 0 of them unreadable" in again.output
    assert (out / "a.avi" / TABLE).stat().st_mtime_ns == kept
    assert (out / "batch.csv").read_bytes() == whole
    assert "finished before" not in CliRunner().invoke(app, [*arguments, "--restart"]).output
    assert (out / "a.avi" / TABLE).stat().st_mtime_ns > kept


def test_a_file_that_is_no_video_is_an_error_noted_for_the_page(
    tmp_path: Path, checkpoint: str
) -> None:
    (tmp_path / "in.mp4").write_text("no video")
    arguments = ["video", str(tmp_path / "in.mp4"), "--out", str(tmp_path / "out")]

    with pytest.raises(VideoError, match="cannot be opened"):
        CliRunner().invoke(app, [*arguments, "--checkpoint", checkpoint], catch_exceptions=False)

    status = read_job(tmp_path / "out")
    assert status is not None
    assert status.state == "failed"
    assert "cannot be opened" in status.reason


@pytest.mark.slow
def test_a_job_runs_beside_tells_its_progress_and_stops_when_asked(
    tmp_path: Path, checkpoint: str
) -> None:
    source = write_clip(tmp_path / "in.mp4", walking_face(400, 320, 240))
    out = tmp_path / "out"

    process = start_job(source, out, ["--checkpoint", checkpoint])
    until(lambda: (read_job(out) or pytest.fail("no job")).frames > 0)
    until(lambda: latest_frame(out) is not None)
    running, shown = read_job(out), latest_frame(out)
    stop_job(out)
    process.wait(timeout=60)

    assert running is not None
    assert (running.state, running.video, running.expected) == ("running", "in.mp4", 400)
    assert shown is not None
    assert shown.shape == (240, 320, 3)
    assert latest_frame(out) is None  # what is seen of people goes when it is not needed
    status = read_job(out)
    assert status is not None
    assert status.state == "stopped"
    report = json.loads((out / SUMMARY).read_text())
    assert report["status"] == "stopped"
    assert 0 < report["frames"] < 400


def test_the_pace_is_told_from_the_first_frames_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    record, paces = JobRecord(tmp_path / "job"), []

    for seconds, frames in ((40, 1), (1, 25), (1, 26), (1, 51), (1, 3), (1, 28)):
        now[0] += seconds  # forty of them to load; the last two of another film
        record.note("a.mp4", Progress(frames, 500, 0.0, now[0] - 100))
        status = read_job(tmp_path / "job")
        assert status is not None
        paces.append(status.pace)

    # 2 s for 25 frames, then 3 s for 50; then 1 s for 25
    assert paces == pytest.approx([0, 0, 0.08, 0.06, 0, 0.04])


def test_at_the_end_the_last_progress_is_told_though_it_came_too_soon_to_be_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    record, told = JobRecord(tmp_path / "job"), []
    for frames in (58, 75):
        record.note("a.mp4", Progress(frames, 75, frames / 25, frames / 10))
        told.append(read_job(tmp_path / "job"))

    record.end("finished")
    told.append(read_job(tmp_path / "job"))

    assert [(one.state, one.frames, one.elapsed) for one in told if one] == [
        ("running", 58, 5.8), ("running", 58, 5.8), ("finished", 75, 7.5)
    ]  # fmt: skip


def test_a_process_that_died_without_a_word_has_failed(tmp_path: Path) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = psutil.Process(sleeper.pid).create_time()
    (tmp_path / "job.json").write_text(
        json.dumps({"state": "running", "pid": sleeper.pid, "born": born})
    )
    alive = read_job(tmp_path)

    sleeper.communicate(b"\n")
    dead = read_job(tmp_path)

    assert alive is not None
    assert alive.state == "running"
    assert dead is not None
    assert dead.state == "failed"
    assert "without a word" in dead.reason


def test_another_process_of_the_same_number_is_not_the_job(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(
        json.dumps({"state": "running", "pid": os.getpid(), "born": 1.0})
    )

    status = read_job(tmp_path)

    assert status is not None
    assert status.state == "failed"


def test_a_job_that_ends_in_the_moment_it_is_asked_to_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    running = JobStatus("running", pid=ended.pid)
    monkeypatch.setattr("core.video.job.read_job", lambda out: running)

    stop_job(tmp_path)

    assert (tmp_path / "job.stop").exists()


def test_a_folder_without_a_job_has_none(tmp_path: Path) -> None:
    assert read_job(tmp_path) is None


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["processes", "ray"])
def test_several_processes_give_what_one_gives(
    tmp_path: Path, checkpoint: str, engine: str
) -> None:
    (tmp_path / "in").mkdir()
    write_clip(tmp_path / "in" / "long.mp4", walking_face(70, 320, 240), sound=True)
    write_clip(tmp_path / "in" / "short.mp4", walking_face(5, 320, 240))
    (tmp_path / "in" / "broken.mp4").write_text("no video")
    arguments = ["video", str(tmp_path / "in"), "--checkpoint", checkpoint, "--piece", "1"]
    arguments += ["--method", "none", "--detector", "blazeface"]
    one, several = tmp_path / "one", tmp_path / "several"

    first = CliRunner().invoke(app, [*arguments, "--out", str(one), "--workers", "1"])
    command = [*arguments, "--out", str(several), "--workers", "2", "--engine", engine]
    second = subprocess.run(  # whose processes begin by importing the main module of this one
        [sys.executable, "-m", "core", *command], capture_output=True, text=True, check=False
    )

    assert (first.exit_code, second.returncode) == (0, 0), second.stderr
    assert "3 videos, 1 of them unreadable" in second.stdout
    assert (several / "batch.csv").read_bytes() == (one / "batch.csv").read_bytes()
    for film in ("long.mp4", "short.mp4"):
        for name in (TABLE, ANNOTATED):
            assert (several / film / name).read_bytes() == (one / film / name).read_bytes()
    assert not list(several.rglob(".work")) + list(several.rglob(".pieces"))


def test_an_engine_of_another_name_is_refused(tmp_path: Path) -> None:
    arguments = ["video", str(tmp_path), "--out", str(tmp_path / "out"), "--engine", "dask"]

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert "expected auto, processes or ray" in " ".join(result.output.split())


def test_a_finished_film_is_kept_unless_it_is_to_begin_anew(
    tmp_path: Path, checkpoint: str
) -> None:
    source, out = write_clip(tmp_path / "in.mp4", walking_face(4)), tmp_path / "out"
    arguments = ["video", str(source), "--out", str(out), "--checkpoint", checkpoint]
    arguments += ["--method", "none"]
    CliRunner().invoke(app, arguments)
    kept = (out / TABLE).stat().st_mtime_ns

    again = CliRunner().invoke(app, arguments)
    assert "finished before" in again.output
    assert (out / TABLE).stat().st_mtime_ns == kept
    wrong = [argument.replace("in.mp4", "im.mp4") for argument in arguments]
    assert CliRunner().invoke(app, [*wrong, "--restart"]).exit_code != 0
    assert "finished before" in CliRunner().invoke(app, arguments).output
    assert "finished before" not in CliRunner().invoke(app, [*arguments, "--restart"]).output
    assert (out / TABLE).stat().st_mtime_ns > kept


def test_results_below_the_films_are_no_films_when_all_begins_anew(
    tmp_path: Path, checkpoint: str
) -> None:
    (tmp_path / "in").mkdir()
    write_clip(tmp_path / "in" / "a.mp4", walking_face(3))
    out = tmp_path / "in" / "results"
    arguments = ["video", str(tmp_path / "in"), "--out", str(out), "--checkpoint", checkpoint]
    arguments += ["--method", "none"]

    for more in ([], ["--restart"], []):
        result = CliRunner().invoke(app, [*arguments, *more])
        assert "1 videos" in result.output


def test_two_commands_do_not_write_into_one_folder(tmp_path: Path, checkpoint: str) -> None:
    source, out = write_clip(tmp_path / "in.mp4", walking_face(3)), tmp_path / "out"
    out.mkdir()
    claim = Claim(out / ".claim")
    assert claim.acquire()

    with pytest.raises(CoreError, match="is being written by process"):
        CliRunner().invoke(
            app,
            ["video", str(source), "--out", str(out), "--checkpoint", checkpoint],
            catch_exceptions=False,
        )

    assert not (out / "job.json").exists()
    claim.release()
