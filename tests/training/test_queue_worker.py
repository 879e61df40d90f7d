"""The worker: one job at a time, in their order, through kills, stops and faults."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_job import PATIENCE, add, fake, times, until, working

from core.process import ProcessId
from core.training import RunConfig, RunFolder, WorkerLock, add_run, observe, request_stop
from core.training.queue import Job, stop_worker
from core.training.worker import Worker, ensure_worker


def test_jobs_run_one_after_the_other_in_their_order(tmp_path: Path) -> None:
    jobs = [add(tmp_path, name, "work 0.2", "finish") for name in ("b", "a", "c")]

    Worker(tmp_path, command=fake).work()

    assert [observe(job).state for job in jobs] == ["finished"] * 3
    assert times(tmp_path) == [
        (name, what) for name in ("b", "a", "c") for what in ("begin", "end")
    ]


def test_two_jobs_run_at_once_when_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        add(tmp_path, name, "work 20", "finish")
    worker = Worker(tmp_path, jobs=2, command=fake)
    thread = working(worker)

    until(lambda: (tmp_path / "times.txt").exists() and len(times(tmp_path)) == 2)
    assert [what for _, what in times(tmp_path)] == ["begin", "begin"]
    worker.stop()
    thread.join(PATIENCE)


def test_a_run_started_by_hand_is_waited_for(tmp_path: Path) -> None:
    by_hand = RunFolder(tmp_path / "by-hand")
    by_hand.create(RunConfig())
    by_hand.set_status("running")
    job = add(tmp_path, "job", "finish")
    worker = Worker(tmp_path, command=fake)
    thread = working(worker)

    until(lambda: WorkerLock(tmp_path).is_held())
    time.sleep(1.2)  # two looks
    assert observe(job).state == "queued"
    by_hand.set_status("finished")
    thread.join(PATIENCE)

    assert observe(job).state == "finished"


def test_a_killed_process_is_taken_up_again(tmp_path: Path) -> None:
    job = add(tmp_path, "job", "save", "die", "finish")

    Worker(tmp_path, command=fake).work()

    assert observe(job).state == "finished"
    assert times(tmp_path) == [("job", "begin"), ("job", "begin"), ("job", "end")]


def test_a_process_that_vanishes_again_and_again_without_progress_has_failed(
    tmp_path: Path,
) -> None:
    job = add(tmp_path, "job", "die", "die", "die", "finish")

    Worker(tmp_path, command=fake).work()

    assert observe(job).state == "failed"
    assert "memory" in observe(job).reason
    assert len(times(tmp_path)) == 3


def test_progress_between_kills_counts(tmp_path: Path) -> None:
    job = add(tmp_path, "job", "save", "die", "save", "die", "save", "die", "finish")

    Worker(tmp_path, command=fake).work()

    assert observe(job).state == "finished"


def test_an_early_end_is_told_in_its_own_words(tmp_path: Path) -> None:
    job = add(tmp_path, "job", "say Error: no such data set", "exit 1")

    Worker(tmp_path, command=fake).work()

    assert observe(job).state == "failed"
    assert observe(job).reason == "It ended before it could begin: no such data set"


def test_a_command_that_cannot_speak_fails_too(tmp_path: Path) -> None:
    job = add(tmp_path, "job")

    Worker(tmp_path, command=lambda folder, task: [sys.executable, "-c", "1 / 0"]).work()

    assert observe(job).state == "failed"
    assert "ZeroDivisionError" in observe(job).reason


def test_a_stop_is_obeyed_within_two_seconds_and_the_next_job_follows(tmp_path: Path) -> None:
    first, second = add(tmp_path, "first", "work 60", "finish"), add(tmp_path, "second", "finish")
    thread = working(Worker(tmp_path, command=fake))
    until(lambda: (tmp_path / "times.txt").exists())

    request_stop(first)
    asked = time.monotonic()
    until(lambda: observe(first).state == "stopped")
    assert time.monotonic() - asked < 2
    thread.join(PATIENCE)

    assert observe(second).state == "finished"


def test_a_queued_job_that_is_stopped_never_begins(tmp_path: Path) -> None:
    first, second = add(tmp_path, "first", "work 60"), add(tmp_path, "second", "finish")
    thread = working(Worker(tmp_path, command=fake))
    until(lambda: (tmp_path / "times.txt").exists())

    request_stop(second)
    until(lambda: observe(second).state == "stopped")
    request_stop(first)
    thread.join(PATIENCE)

    assert times(tmp_path) == [("first", "begin"), ("first", "end")]


def test_a_stopped_worker_puts_its_job_back(tmp_path: Path) -> None:
    job = add(tmp_path, "job", "work 60", "finish")
    thread = working(Worker(tmp_path, command=fake))
    until(lambda: (tmp_path / "times.txt").exists())

    assert stop_worker(tmp_path)
    thread.join(PATIENCE)

    assert observe(job).state == "queued"
    assert "queue was stopped" in observe(job).reason
    assert not WorkerLock(tmp_path).is_held()
    assert not WorkerLock(tmp_path).has_crashed()
    assert not job.stop_request.exists()


def test_a_stopped_worker_leaves_a_job_stopped_that_a_user_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [add(tmp_path, name, "work 60", "finish") for name in ("obeyed", "asked")]
    worker = Worker(tmp_path, jobs=2, command=fake)
    reaped = worker._reap
    monkeypatch.setattr(worker, "_reap", lambda: None if worker.children else reaped())
    thread = working(worker)
    until(lambda: len(worker.children) == 2)
    until(lambda: all(observe(job).process.pid != ProcessId.of().pid for job in jobs))
    request_stop(jobs[0])
    until(lambda: observe(jobs[0]).state == "stopped")  # and not looked after yet

    request_stop(jobs[1])
    worker.stop()
    thread.join(PATIENCE)

    assert [observe(job).state for job in jobs] == ["stopped", "stopped"]
    assert not any(job.stop_request.exists() for job in jobs)


def test_a_job_that_stops_after_its_worker_has_left_goes_back_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.training.worker.FAREWELL", 0.1)
    job = add(tmp_path, "job", "deaf 3", "work 60", "finish")
    thread = working(Worker(tmp_path, command=fake))
    until(lambda: (tmp_path / "times.txt").exists() and ("job", "deaf") in times(tmp_path))

    assert stop_worker(tmp_path)
    thread.join(PATIENCE)
    assert observe(job).state == "running"

    until(lambda: observe(job).state != "running")
    assert observe(job).state == "queued"


def test_a_queue_started_again_while_its_job_stops_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    job = add(tmp_path, "job", "work 60", "finish")
    worker = Worker(tmp_path, command=fake)
    stop_children = worker._stop_children

    def stopped_and_wanted_again() -> None:
        stop_children()
        ensure_worker(tmp_path)

    monkeypatch.setattr(worker, "_stop_children", stopped_and_wanted_again)
    thread = working(worker)
    until(lambda: (tmp_path / "times.txt").exists())

    stop_worker(tmp_path)
    thread.join(PATIENCE)

    assert observe(job).state == "finished"
    assert times(tmp_path) == [("job", what) for what in ("begin", "end", "begin", "end")]


WORKER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from fake_job import __file__ as script
from core.training import Worker
Worker(Path(sys.argv[1]), command=lambda f, task: [sys.executable, script, str(f.path)]).work()
"""


def test_after_a_killed_worker_the_next_one_waits_for_its_job(tmp_path: Path) -> None:
    job, following = add(tmp_path, "job", "work 4", "finish"), add(tmp_path, "next", "finish")
    here = str(Path(__file__).parent)
    killed = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path), here])
    until(lambda: (tmp_path / "times.txt").exists())
    killed.kill()
    killed.wait()
    assert observe(job).state == "running"
    assert WorkerLock(tmp_path).has_crashed()

    Worker(tmp_path, command=fake).work()

    assert [observe(one).state for one in (job, following)] == ["finished", "finished"]
    assert times(tmp_path) == [
        ("job", "begin"), ("job", "end"), ("next", "begin"), ("next", "end"),
    ]  # fmt: skip


def test_only_jobs_of_the_queue_are_taken_up_again(tmp_path: Path) -> None:
    gone = ProcessId(2**22 + 1, 1.0, ProcessId.of().host).to_json()  # above the largest pid
    by_hand, queued = RunFolder(tmp_path / "by-hand"), add(tmp_path, "queued", "finish")
    by_hand.create(RunConfig())
    by_hand.set_status("running", **gone)
    queued.set_status("running", **gone)

    Worker(tmp_path, command=fake).work()

    assert observe(by_hand).state == "interrupted"
    assert observe(queued).state == "finished"


def test_a_finished_run_is_measured_if_asked_for(tmp_path: Path) -> None:
    tasks: list[str] = []

    def command(folder: RunFolder, task: str) -> list[str]:
        tasks.append(f"{task} {folder.name}")
        return fake(folder, task) if task == "train" else [sys.executable, "-c", "pass"]

    for name, evaluate in (("measured", True), ("plain", False)):
        job = add(tmp_path, name, "finish")
        Job(Job.of(job).added, evaluate).save(job)  # type: ignore[union-attr]

    Worker(tmp_path, command=command).work()

    assert tasks == ["train measured", "evaluate measured", "train plain"]


def test_a_damaged_folder_does_not_stop_the_others(tmp_path: Path) -> None:
    broken, job = add(tmp_path, "broken", "finish"), add(tmp_path, "job", "finish")
    (broken.path / "status.json").write_text("{")

    Worker(tmp_path, command=fake).work()

    assert observe(broken).state == "damaged"
    assert observe(job).state == "finished"


@pytest.mark.parametrize("search", [False, True])
def test_the_queue_starts_the_verb_of_the_command_line(tmp_path: Path, search: bool) -> None:
    from core.training.worker import job_command

    folder = add(tmp_path, "job")
    if search:
        (folder.path / "study.json").write_text("{}")

    assert job_command(folder, "train")[1:] == [
        "-m", "core", "tune" if search else "train", "--resume", "--queued", "--run", "job",
    ]  # fmt: skip
    assert job_command(folder, "evaluate")[1:] == ["-m", "core", "evaluate", "job"]


def owing(root: Path, *actions: str) -> RunFolder:
    folder = add_run(root, "run", RunConfig())
    (folder.path / "job.txt").write_text("\n".join(actions))
    return folder


def measuring(script: str) -> Callable[[RunFolder, str], list[str]]:
    """Commands of a worker whose evaluations run this text, with FOLDER for the run's."""

    def command(folder: RunFolder, task: str) -> list[str]:
        text = script.replace("FOLDER", str(folder.path))
        return fake(folder, task) if task == "train" else [sys.executable, "-c", text]

    return command


REPORT = "open('FOLDER/report.json', 'w').write('{}'); open('FOLDER/tries', 'a').write('x')"


def test_an_evaluation_is_owed_until_it_is_there(tmp_path: Path) -> None:
    """The worker has ended between training and evaluation; the run has finished alone."""
    folder = owing(tmp_path)
    folder.set_status("finished")

    Worker(tmp_path, command=measuring(REPORT)).work()
    Worker(tmp_path, command=measuring(REPORT)).work()

    assert (folder.path / "report.json").exists()
    assert (folder.path / "tries").read_text() == "x"


def test_a_killed_evaluation_is_tried_again_but_not_for_ever(tmp_path: Path) -> None:
    folder = owing(tmp_path, "finish")
    script = "import os, signal; open('FOLDER/tries', 'a').write('x'); os.kill(os.getpid(), 9)"

    Worker(tmp_path, command=measuring(script)).work()

    assert (folder.path / "tries").read_text() == "xxx"
    assert observe(folder).state == "finished"


def test_an_evaluation_that_cannot_be_made_is_not_tried_again(tmp_path: Path) -> None:
    folder = owing(tmp_path, "finish")
    script = "open('FOLDER/tries', 'a').write('x'); raise SystemExit('Error: No data.')"

    Worker(tmp_path, command=measuring(script)).work()

    assert (folder.path / "tries").read_text() == "x"
    observed = observe(folder)
    assert (observed.state, observed.reason) == (
        "finished", "It could not be measured: No data."
    )  # fmt: skip
