"""Jobs wait in their folders; states tell the truth even where a process could not."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.checkpoints import SHIPPED_TITLES
from core.cli import main
from core.errors import ConfigError, TrainingError
from core.process import ProcessId
from core.training import (
    RunConfig,
    RunFolder,
    Search,
    WorkerLock,
    add_run,
    delete_job,
    enqueue,
    list_jobs,
    list_runs,
    observe,
    request_stop,
    stop_worker,
    waiting,
)
from core.training.batches import TrainingData
from core.training.queue import Job, owed
from core.training.run import run_training
from core.training.tuning.space import Choice


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return add_run(tmp_path, "run", RunConfig(epochs=3))


def running(folder: RunFolder, process: ProcessId) -> None:
    folder.set_status("running", **process.to_json())


def ended_process() -> ProcessId:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessId.of(process.pid)
    process.communicate(b"\n")
    return identity


def test_a_new_run_is_queued_with_its_configuration(folder: RunFolder) -> None:
    assert observe(folder).state == "queued"
    assert folder.config().epochs == 3
    assert [one.name for one in waiting(folder.path.parent)] == ["run"]


def test_a_name_is_used_once(folder: RunFolder) -> None:
    with pytest.raises(ConfigError, match="exists"):
        add_run(folder.path.parent, "run", RunConfig())


def test_the_oldest_waits_first(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        add_run(tmp_path, name, RunConfig())

    assert [one.name for one in waiting(tmp_path)] == ["b", "a", "c"]


def test_a_run_of_a_living_process_is_running(folder: RunFolder) -> None:
    folder.set_status("running")

    assert observe(folder).state == "running"
    assert observe(folder).process == ProcessId.of()


def test_a_run_whose_process_is_gone_is_interrupted(folder: RunFolder) -> None:
    running(folder, ended_process())

    assert observe(folder).state == "interrupted"
    assert "gone" in observe(folder).reason


def test_another_process_with_the_same_number_is_not_believed(folder: RunFolder) -> None:
    now = ProcessId.of()
    running(folder, ProcessId(now.pid, now.created - 60, now.host))

    assert observe(folder).state == "interrupted"


def test_without_its_begin_a_process_must_be_older_than_the_status(folder: RunFolder) -> None:
    now = ProcessId.of()
    folder.set_status("running", created=0.0)
    assert observe(folder).state == "running"

    folder.set_status("running", created=0.0, time=now.created - 60)
    assert observe(folder).state == "interrupted"


def test_another_machine_is_believed_as_long_as_it_gives_signs_of_life(folder: RunFolder) -> None:
    running(folder, ProcessId(1, 1.0, "elsewhere"))
    assert observe(folder).state == "running"

    folder.set_status("running", **ProcessId(1, 1.0, "elsewhere").to_json(), time=1000.0)
    assert observe(folder).state == "interrupted"


def test_a_stopped_run_is_queued_again_behind_the_others(folder: RunFolder) -> None:
    add_run(folder.path.parent, "other", RunConfig())
    request_stop(folder)
    assert observe(folder).state == "stopped"

    enqueue(folder)

    assert [one.name for one in waiting(folder.path.parent)] == ["other", "run"]
    assert not folder.stop_request.exists()


@pytest.mark.parametrize("evaluate", [True, False])
def test_a_run_queued_again_is_measured_as_was_chosen_before(
    tmp_path: Path, *, evaluate: bool
) -> None:
    folder = add_run(tmp_path, "run", RunConfig(), evaluate=evaluate)
    request_stop(folder)

    enqueue(folder)

    job = Job.of(folder)
    assert job is not None
    assert job.evaluate is evaluate


def test_a_search_that_the_queue_did_not_begin_is_not_measured(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "search")
    Search({"epochs": Choice((1, 2))}, RunConfig()).save(folder)
    folder.set_status("stopped")

    enqueue(folder)
    folder.set_status("finished")

    assert owed(tmp_path) == []


@pytest.mark.parametrize("state", ["queued", "running", "finished"])
def test_what_works_or_is_done_is_not_queued(folder: RunFolder, state: str) -> None:
    folder.set_status(state)

    with pytest.raises(TrainingError, match=f"run is {state}"):
        enqueue(folder)


def test_stopping_a_running_run_leaves_a_file_for_its_process(folder: RunFolder) -> None:
    folder.set_status("running")

    request_stop(folder)

    assert folder.stop_request.exists()
    assert observe(folder).state == "running"


def test_stopping_an_interrupted_run_keeps_it_from_being_taken_up(folder: RunFolder) -> None:
    running(folder, ended_process())

    request_stop(folder)

    assert observe(folder).state == "stopped"
    assert waiting(folder.path.parent) == []


@pytest.mark.parametrize("state", ["finished", "failed", "stopped"])
def test_there_is_nothing_to_stop_in_a_run_that_ended(folder: RunFolder, state: str) -> None:
    folder.set_status(state)

    with pytest.raises(TrainingError, match="nothing to stop"):
        request_stop(folder)


def test_a_run_that_is_not_there_cannot_be_stopped(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="core queue list"):
        request_stop(RunFolder(tmp_path / "gone"))


def test_deleting_takes_the_folder(folder: RunFolder) -> None:
    request_stop(folder)

    delete_job(folder)

    assert not folder.path.exists()
    assert list_jobs(folder.path.parent) == []


def test_what_works_is_no_run_or_serves_the_app_is_not_deleted(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingError, match="Stop it first"):
        delete_job(folder)

    (tmp_path / "holiday").mkdir()
    with pytest.raises(TrainingError, match="no run"):
        delete_job(RunFolder(tmp_path / "holiday"))

    monkeypatch.setattr("core.checkpoints.SHIPPED", tmp_path / "shipped")
    for name in SHIPPED_TITLES:  # those without weights, too
        shipped = RunFolder(tmp_path / "shipped" / name)
        shipped.create(RunConfig())
        with pytest.raises(TrainingError, match="comes with the app; it is kept"):
            delete_job(shipped)
    own = RunFolder(tmp_path / name)
    own.create(RunConfig())
    delete_job(own)
    assert not own.path.exists()


def test_of_several_runs_each_is_done_whatever_becomes_of_the_others(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["core", "queue", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    for name in ("done", "waits", "waits-too"):
        add_run(own_runs, name, RunConfig())
    RunFolder(own_runs / "done").set_status("finished")

    code = command("stop", "waits", "done", "waits-too")
    said = capsys.readouterr()

    assert (code, observe(RunFolder(own_runs / "waits-too")).state) == (1, "stopped")
    assert "waits was asked to stop.\nwaits-too was asked to stop." in said.out
    assert "done is finished; there is nothing to stop" in said.err
    assert command("remove", "no-run", "waits", "done") == 1
    assert [folder.name for folder in list_jobs(own_runs)] == ["waits-too"]


def test_a_network_that_cannot_be_built_is_not_queued(tmp_path: Path) -> None:
    for changes in (
        {"model": "no-such"}, {"model_options": {"widht": 8}},
        {"model_options": {"head_dropout": 3}},
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            add_run(tmp_path, "slip", RunConfig(**changes))

    assert list_jobs(tmp_path) == []
    add_run(tmp_path, "fine", RunConfig(model="torchvision:regnet_y_400mf"))


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_a_run_that_has_lost_what_it_would_go_on_from_is_not_begun_anew(
    tmp_path: Path, stripes_data: TrainingData, epochs: int
) -> None:
    folder, config = RunFolder(tmp_path / "lost"), RunConfig(epochs=3)
    folder.create(config)
    for epoch in range(1, epochs + 1):
        folder.append_metrics({"epoch": epoch, "valid_accuracy": 0.5, "valid_macro_f1": 0.5})
    folder.weights.write_bytes(b"learned")
    folder.set_status("finished" if epochs < 2 else "stopped")
    if not epochs:  # weights that were joined only: nothing is lost by going on with them
        assert run_training(config, folder, resume=True, data=stripes_data, stop=lambda: True)
        return
    before = folder.metrics.read_text(), folder.status()

    with pytest.raises(TrainingError, match=r"no last\.pt, .* --set initial=lost"):
        run_training(config, folder, resume=True, data=stripes_data)

    assert (folder.metrics.read_text(), folder.status()) == before
    assert folder.weights.read_bytes() == b"learned"


def test_runs_are_listed_with_the_latest_change_first(tmp_path: Path) -> None:
    first = add_run(tmp_path, "first", RunConfig())
    add_run(tmp_path, "second", RunConfig())
    first.set_status("failed", "for a reason")
    (tmp_path / "no-run").mkdir()

    assert [one.name for one in list_runs(tmp_path)] == ["first", "second"]


def test_one_worker_holds_the_lock(tmp_path: Path) -> None:
    first, second = WorkerLock(tmp_path), WorkerLock(tmp_path)

    with first:
        assert second.is_held()
        assert second.holder()["pid"] == ProcessId.of().pid
        with pytest.raises(TrainingError, match=r"queue stop"), second:
            pass

    assert not second.is_held()
    assert not second.has_crashed()
    with second:
        assert first.is_held()


HOLDER = """
import sys
from pathlib import Path
from core.training import WorkerLock
lock = WorkerLock(Path(sys.argv[1]))
assert lock.acquire()
print("held", flush=True)
input()
"""


def test_a_killed_worker_leaves_no_lock_but_a_trace(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    lock = WorkerLock(tmp_path)
    assert lock.is_held()
    assert not lock.has_crashed()

    process.kill()
    process.communicate()

    assert not lock.is_held()
    assert lock.has_crashed()
    with lock:
        assert not lock.has_crashed()


def test_without_a_worker_there_is_none_to_stop(tmp_path: Path) -> None:
    assert not stop_worker(tmp_path)


def test_a_stop_of_the_queue_puts_the_run_back_and_one_of_a_user_does_not(
    stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create(tiny)

    def stopped_by(*askers: bool) -> str:
        for for_queue in askers:
            folder.ask_to_stop(for_queue=for_queue)
        return run_training(tiny, folder, resume=True, keep_stop=True, data=stripes_data)

    assert stopped_by(True) == "queued"
    assert not folder.stop_request.exists()
    assert stopped_by(False, True) == "stopped"
    assert stopped_by(True, False) == "stopped"
