"""What may change when a run is gone on with, and what a refusal leaves as it was."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from striped_faces import weights_of

from core.errors import ConfigError, CoreError, DataError
from core.training import RunConfig, RunFolder
from core.training.batches import TrainingData
from core.training.run import run_training
from core.training.trainer import Stopped, Trainer


@pytest.fixture
def done(demo: Path, tiny: RunConfig, tmp_path: Path) -> RunFolder:
    """A finished run of one epoch on the prepared drawings."""
    folder = RunFolder.named(tmp_path, "run")
    run_training(tiny.replaced(data=str(demo), epochs=1), folder)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_settings_that_say_what_was_learnt_cannot_change(done: RunFolder) -> None:
    config, status = done.config(), done.status()
    late: list[dict[str, object]] = [
        {"initial": "default"},
        {"optimiser": "adam"},
        {"model": "vgg", "model_options": {}},
        {"model_options": {"depth": 2, "width": 8}},
        {"split": "published"},
        {"sources": ("raf_db",)},
        {"class_set": "seven"},
        {"teacher": "default"},
        {"teacher_share": 0.7},
        {"rater_share": 0.5},
    ]

    for settings in late:
        with pytest.raises(ConfigError, match=f"{next(iter(settings))} of run cannot become"):
            run_training(config.replaced(**settings), done, resume=True)

    assert done.config() == config
    assert done.status() == status


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_goes_on_with_more_epochs(done: RunFolder) -> None:
    run_training(done.config().replaced(epochs=2), done, resume=True)

    assert done.config().epochs == 2
    assert len(list(done.history())) == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_finished_run_stays_finished_where_going_on_is_refused(
    done: RunFolder, tmp_path: Path
) -> None:
    status, config = done.status(), done.config()

    with pytest.raises(DataError):
        run_training(config.replaced(data=str(tmp_path / "gone"), epochs=2), done, resume=True)

    assert done.status() == status
    assert done.config() == config


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_finished_run_stays_finished_where_it_is_stopped_before_it_goes_on(
    done: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(config: RunConfig) -> TrainingData:
        raise Stopped

    status, config = done.status(), done.config()
    monkeypatch.setattr("core.training.run.training_data", stopped)

    assert run_training(config.replaced(epochs=2), done, resume=True) == "stopped"

    assert done.status() == status
    assert done.config() == config


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_that_went_on_and_failed_has_failed(
    done: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Trainer) -> None:
        raise RuntimeError("something broke")

    monkeypatch.setattr(Trainer, "fit", broken)

    with pytest.raises(CoreError, match="something broke"):
        run_training(done.config().replaced(epochs=2), done, resume=True)

    assert done.status()["state"] == "failed"


def test_an_average_that_is_asked_for_late_begins_with_what_was_learnt(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: Callable[[str, RunConfig], RunFolder]
) -> None:
    folder = new_folder("run", tiny)
    Trainer(tiny.replaced(ema=0.0, epochs=1), stripes_data, folder).fit()
    learnt = weights_of(folder)

    trainer = Trainer(tiny.replaced(ema=0.9, epochs=2), stripes_data, folder, resume=True)
    trainer.restore()

    assert trainer.average is not None
    assert trainer.average.steps == 0
    for key, value in learnt.items():
        assert torch.equal(trainer.average.state[key], value)
    trainer.fit()
    assert trainer.average.steps == trainer.batches.steps
