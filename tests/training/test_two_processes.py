"""Two processes that share each batch learn what one alone learns, however they are started."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from striped_faces import weights_of

from core import paths
from core.training import FLIP_ONLY, RunConfig, RunFolder
from core.training.batches import TrainingData
from core.training.trainer import Trainer

SCRIPT = Path(__file__).with_name("striped_run.py")
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
NewFolder = Callable[[str, RunConfig], RunFolder]


@pytest.fixture
def shared() -> RunConfig:
    """No batch norm, whose statistics are a process's own, and no dropout."""
    return RunConfig(
        model="gimefive_nobn", model_options={"depth": 2, "width": 4, "head_dropout": 0.0},
        epochs=2, batch_size=16, learning_rate=0.02, precision="32-true", augment=FLIP_ONLY,
        accelerator="cpu", ema=0.9, class_weighting=0.5,
    )  # fmt: skip


def train(folder: RunFolder, *launcher: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, str(SCRIPT), str(folder.path)]
    process = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=500
    )
    assert process.returncode == 0, process.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("devices", "launcher"), [(2, []), (1, TORCHRUN)])
def test_two_processes_by_configuration_or_torchrun_equal_one(
    stripes_data: TrainingData,
    shared: RunConfig,
    new_folder: NewFolder,
    devices: int,
    launcher: list[str],
) -> None:
    alone = new_folder("alone", shared)
    Trainer(shared, stripes_data, alone).fit()
    together = new_folder("together", shared.replaced(devices=devices))

    train(together, *launcher)

    assert (together.path / "world").read_text() == "2"
    for key, value in weights_of(alone).items():
        torch.testing.assert_close(weights_of(together)[key], value, rtol=1e-4, atol=1e-6)
    for one, two in zip(alone.history(), together.history(), strict=True):
        assert two["train_loss"] == pytest.approx(one["train_loss"], rel=1e-5)
        assert two["train_accuracy"] == pytest.approx(one["train_accuracy"])
        assert two["valid_loss"] == pytest.approx(one["valid_loss"], rel=1e-5)


def test_torchrun_overrules_the_configured_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.processes_here(3, 2) == (3, 2)

    for name, value in (
        ("TORCHELASTIC_RUN_ID", "x"), ("LOCAL_WORLD_SIZE", "4"), ("WORLD_SIZE", "12"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)

    assert paths.processes_here(1, 1) == (4, 3)


@pytest.mark.parametrize("name", ["RANK", "NODE_RANK", "LOCAL_RANK"])
def test_only_the_first_process_is_first(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert paths.is_first_process()

    monkeypatch.setenv(name, "0")
    assert paths.is_first_process()

    monkeypatch.setenv(name, "1")
    assert not paths.is_first_process()
