"""A run ends in a state that tells: done, stopped, or failed with a sentence and its last save."""

import errno
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from striped_faces import stripes, weights_of

from core.data import Frames, find_frames, load_dataset
from core.errors import ConfigError, CoreError, DataError, TrainingError
from core.models import load_model
from core.process import ProcessId
from core.training import Augmentation, RunConfig, RunFolder, observe
from core.training import run_folder as run_folder_module
from core.training.batches import TrainingData
from core.training.records import sentence
from core.training.run import run_training, training_data
from core.training.trainer import Stopped, Trainer

NewFolder = Callable[[str, RunConfig], RunFolder]


def test_a_whole_run_leaves_a_complete_folder(
    stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")

    assert run_training(tiny, folder, data=stripes_data) == "finished"

    names = {path.name for path in folder.path.iterdir()}
    assert names == {
        "config.json", "metrics.jsonl", "steps.jsonl", "progress.json", "status.json", "train.log",
        "last.pt", "weights.safetensors", "reference.safetensors", "card.json",
    }  # fmt: skip
    status = folder.status()
    assert status["state"] == "finished"
    assert status["pid"] == os.getpid()
    assert "Epoch 3 of 3" in folder.log.read_text()


def test_reframing_needs_frames_that_somebody_looked_for(
    demo: Path, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny.replaced(data=str(demo), sources=(), augment=Augmentation(reframe=0.5))

    with pytest.raises(DataError, match="python -m core frame"):
        training_data(config)

    pictures = load_dataset(demo)
    n = len(pictures.images)
    unseen = Frames(np.zeros((n, 2, 3), np.float32), np.zeros(n, bool))
    monkeypatch.setattr("core.training.run.load_frames", lambda dataset: unseen)
    with pytest.raises(DataError, match="python -m core frame"):
        training_data(config)
    monkeypatch.undo()

    frame = np.arange(6, dtype=np.float32).reshape(2, 3)
    monkeypatch.setattr("core.data.frames.frame_map", lambda picture: frame)
    find_frames(pictures)
    try:
        frames = training_data(config).train.frames
    finally:
        (demo / "frames.npz").unlink()
    assert frames is not None
    assert frames.shape == (len(training_data(tiny.replaced(data=str(demo))).train.labels), 2, 3)


def test_a_full_disk_fails_the_run_and_keeps_its_last_save(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    whole, full = new_folder("whole", tiny), new_folder("full", tiny)
    run_training(tiny, whole, data=stripes_data)
    former, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(line: dict[str, float]) -> None:
        if line["epoch"] == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))

    try:
        with pytest.raises(CoreError, match="The disk is full"):
            run_training(tiny, full, data=stripes_data, on_epoch=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (former, hard))

    assert observe(full).state == "failed"
    assert "Free some space, then resume" in observe(full).reason
    assert torch.load(full.last, weights_only=True)["epoch"] == 1
    assert [path.name for path in full.path.iterdir() if path.name.endswith(".tmp")] == []
    load_model(full.path)

    assert run_training(tiny, full, resume=True, data=stripes_data) == "finished"
    for key, value in weights_of(whole).items():
        assert torch.equal(value, weights_of(full)[key]), key


def test_a_status_is_written_where_no_second_file_fits(
    tiny: RunConfig, new_folder: NewFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_folder("run", tiny)
    folder.set_status("running", "a reason that is rather longer than the next one will be")

    def no_space(path: Path, content: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_folder_module, "write_json", no_space)
    folder.set_status("failed", "The disk is full.")

    assert (observe(folder).state, observe(folder).reason) == ("failed", "The disk is full.")


def test_data_that_are_gone_fail_the_run(
    tiny: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    folder = RunFolder(tmp_path / "run")

    with pytest.raises(CoreError, match="no prepared data set"):
        run_training(tiny.replaced(data="holiday"), folder)

    assert observe(folder).state == "failed"
    assert "no prepared data set" in observe(folder).reason
    assert not folder.is_taken


def test_a_loss_that_is_no_number_fails_the_run(
    stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")
    # Each step the decay alone multiplies the weights by 1 - 10 * 1: they overflow in 40 steps.
    wild = tiny.replaced(
        learning_rate=10.0, weight_decay=1.0, decay_all=True, momentum=0.0, gradient_clip=0.0,
        ema=0.0, warmup=0.0, schedule="constant", epochs=50,
    )  # fmt: skip

    with pytest.raises(TrainingError, match=r"no number|not finite"):
        run_training(wild, folder, data=stripes_data)

    assert observe(folder).state == "failed"
    assert "Lower the learning rate" in observe(folder).reason


def test_memory_that_runs_out_is_called_so() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)

    assert sentence(caught.value).startswith("Memory ran out")
    assert sentence(MemoryError()).startswith("Memory ran out")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_called_so_also_where_torch_wraps_it(number: int) -> None:
    wrapped = RuntimeError("enforce fail at inline_container.cc")
    wrapped.__context__ = OSError(number, os.strerror(number))

    assert sentence(wrapped).startswith("The disk is full")


def test_other_faults_keep_their_name() -> None:
    refused = PermissionError(errno.EACCES, "Permission denied", "/runs/one/status.json")
    assert sentence(refused) == (
        "/runs/one/status.json cannot be read or written (Permission denied). Allow this user to "
        "read and write there, or choose another folder."
    )
    assert sentence(KeyError("depth")) == "The run ended with KeyError: 'depth'."


def test_a_stop_ends_the_run_and_is_forgotten(
    stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")

    def ask(line: dict[str, float]) -> None:
        folder.stop_request.touch()

    assert run_training(tiny, folder, data=stripes_data, on_epoch=ask) == "stopped"

    assert observe(folder).state == "stopped"
    assert len(list(folder.history())) == 1
    assert not folder.stop_request.exists()


def test_an_early_end_may_give_its_own_reason(
    stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")

    def judge(line: dict[str, float]) -> None:
        raise Stopped("Others did better.")

    assert run_training(tiny, folder, data=stripes_data, on_epoch=judge) == "stopped"
    assert observe(folder).reason == "Others did better."


def test_only_a_queued_run_obeys_a_stop_from_before_its_start(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    queued, by_hand = new_folder("queued", tiny), new_folder("by-hand", tiny)
    for folder in (queued, by_hand):
        folder.stop_request.touch()

    assert run_training(tiny, queued, keep_stop=True, data=stripes_data) == "stopped"
    assert run_training(tiny, by_hand, data=stripes_data) == "finished"


def test_two_processes_do_not_work_on_one_run(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder = new_folder("run", tiny)
    folder.set_status("running", **ProcessId.of(os.getppid()).to_json())

    with pytest.raises(TrainingError, match=f"in process {os.getppid()}"):
        run_training(tiny, folder, data=stripes_data)


def test_a_run_does_not_go_on_with_other_data(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder = new_folder("run", tiny)
    first = TrainingData(stripes_data.train, stripes_data.valid, {"data_hash": "a"})
    Trainer(tiny.replaced(epochs=1), first, folder).fit()

    second = TrainingData(stripes(96, 5), stripes_data.valid, {"data_hash": "b"})
    with pytest.raises(TrainingError, match="data set of run has changed"):
        Trainer(tiny, second, folder).restore()


def test_the_command_line_obeys_a_stop_within_two_seconds(
    demo: Path, tiny: RunConfig, own_runs: Path
) -> None:
    folder = RunFolder(own_runs / "run")
    folder.create(tiny.replaced(data=str(demo), epochs=10_000))
    command = [sys.executable, "-m", "core", "train", "--resume", "--run", "run"]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 200
    while not list(folder.history()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)

    folder.stop_request.touch()
    asked = time.monotonic()
    while observe(folder).state != "stopped":
        assert time.monotonic() < asked + 2
        time.sleep(0.02)

    assert process.wait(60) == 0
    assert folder.last.exists()


def test_of_two_trainings_of_one_name_the_second_is_refused_and_harms_nothing(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder = new_folder("run", tiny)
    refusals: list[str] = []

    def again(line: dict[str, float]) -> None:
        for resume in (True, False):
            with pytest.raises(CoreError) as refused:
                run_training(tiny, folder, data=stripes_data, resume=resume, new=not resume)
            refusals.append(str(refused.value))

    assert run_training(tiny, folder, data=stripes_data, on_epoch=again) == "finished"

    assert len(refusals) == 2 * tiny.epochs
    assert all(one.startswith("run is running already, in process") for one in refusals)
    assert [line["epoch"] for line in folder.history()] == [1, 2, 3]
    with pytest.raises(ConfigError, match="'run' exists"):
        run_training(tiny, folder, data=stripes_data, new=True)
    assert observe(folder).state == "finished"


def test_the_first_cause_is_told_where_the_disk_takes_not_even_the_state(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = new_folder("run", tiny)

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "last.pt")

    def fill(line: dict[str, float]) -> None:
        monkeypatch.setattr(run_folder_module, "write_json", refuse)
        monkeypatch.setattr(run_folder_module, "_overwrite", refuse)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "metrics.jsonl")

    with pytest.raises(CoreError, match="The disk is full"):
        run_training(tiny, folder, data=stripes_data, on_epoch=fill)

    assert "No space left on device" in folder.log.read_text()


def test_a_run_that_ended_between_an_epoch_and_its_save_loses_no_line(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = new_folder("run", tiny)
    told: list[int] = []

    def die(trainer: Trainer) -> None:
        if trainer.epoch == 2:
            raise KeyboardInterrupt
        save(trainer)

    save = Trainer.save
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save", die)
        with pytest.raises(KeyboardInterrupt):
            run_training(tiny, folder, data=stripes_data)
    state = run_training(
        tiny, folder, resume=True, data=stripes_data,
        on_epoch=lambda line: told.append(line["epoch"]),
    )  # fmt: skip

    assert state == "finished"
    assert told == [2, 3]
    assert [line["epoch"] for line in folder.history()] == [1, 2, 3]
