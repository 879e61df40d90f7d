"""The loop learns, resumes to the bit, stops when asked and tells why it fails."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from striped_faces import stripes, weights_of

from core.errors import TrainingError
from core.models import load_model
from core.training import RunConfig, RunFolder
from core.training.batches import Faces, TrainingData
from core.training.trainer import Stopped, Trainer

WIDER = {"depth": 2, "width": 8, "head_dropout": 0.0}
NewFolder = Callable[[str, RunConfig], RunFolder]


def test_a_tiny_network_learns_stripes(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    config = tiny.replaced(epochs=12, learning_rate=0.05, model_options=WIDER)
    folder = new_folder("run", config)

    Trainer(folder.config(), stripes_data, folder).fit()

    history = list(folder.history())
    assert [line["epoch"] for line in history] == list(range(1, 13))
    assert history[-1]["valid_accuracy"] > 0.9
    assert history[-1]["train_loss"] < history[0]["train_loss"] / 2


def test_the_kept_weights_have_the_best_validation_accuracy(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder = new_folder("run", tiny)
    Trainer(tiny, stripes_data, folder).fit()

    model, card = load_model(folder.path)
    valid = stripes_data.valid
    with torch.inference_mode():
        logits = model(torch.from_numpy(card.preprocess.normalise(valid.images)))
    accuracy = float((logits.argmax(1).numpy() == valid.labels).mean())

    best = max(line["valid_accuracy"] for line in folder.history())
    assert card.metrics["valid_accuracy"] == best
    assert accuracy == pytest.approx(best, abs=1.5 / len(valid.labels))  # half precision on disk


def test_stopping_and_resuming_gives_the_weights_of_an_uninterrupted_run(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    whole, broken = new_folder("whole", tiny), new_folder("broken", tiny)
    Trainer(tiny, stripes_data, whole).fit()
    # Asked before each of six steps, once in validation, and before two steps more.
    asked = iter([False] * 9 + [True] * 99)
    with pytest.raises(Stopped):
        Trainer(tiny, stripes_data, broken, stop=lambda: next(asked)).fit()

    trainer = Trainer(tiny, stripes_data, broken)
    trainer.restore()
    assert (trainer.epoch, trainer.step) == (1, 2)  # six steps an epoch, stopped before the ninth
    trainer.fit()

    for key, value in weights_of(whole).items():
        assert torch.equal(value, weights_of(broken)[key]), key
    losses = [[line["train_loss"] for line in folder.history()] for folder in (whole, broken)]
    assert losses[0] == losses[1]


def test_a_stop_in_validation_loses_no_step(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    whole, broken = new_folder("whole", tiny), new_folder("broken", tiny)
    Trainer(tiny, stripes_data, whole).fit()
    asked = iter([False] * 6 + [True] * 99)
    with pytest.raises(Stopped):
        Trainer(tiny, stripes_data, broken, stop=lambda: next(asked)).fit()
    assert list(broken.history()) == []

    trainer = Trainer(tiny, stripes_data, broken)
    trainer.restore()
    trainer.fit()

    for key, value in weights_of(whole).items():
        assert torch.equal(value, weights_of(broken)[key]), key
    assert [line["train_loss"] for line in whole.history()] == [
        line["train_loss"] for line in broken.history()
    ]


@pytest.mark.slow
def test_a_killed_run_continues_to_the_same_weights(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    torch.set_num_threads(1)  # as in the other process: sums to the bit
    whole, killed = new_folder("whole", tiny), new_folder("killed", tiny)
    script = Path(__file__).with_name("striped_run.py")
    # Seven questions an epoch: killed in the second, with two steps done since the last save.
    command = [sys.executable, str(script), str(killed.path), "9"]
    process = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert process.returncode == -signal.SIGKILL
    assert [line["epoch"] for line in killed.history()] == [1]
    assert torch.load(killed.last, weights_only=True)["epoch"] == 1

    trainer = Trainer(tiny, stripes_data, killed)
    trainer.restore()
    trainer.fit()
    Trainer(tiny, stripes_data, whole).fit()

    assert [line["epoch"] for line in killed.history()] == [1, 2, 3]
    for key, value in weights_of(whole).items():
        assert torch.equal(value, weights_of(killed)[key]), key


def test_early_stopping_waits_for_its_patience(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    config = tiny.replaced(epochs=30, patience=2, learning_rate=1e-8, ema=0.0)  # never better
    folder = new_folder("run", config)

    Trainer(config, stripes_data, folder).fit()

    lines = list(folder.history())
    best = max(
        range(len(lines)), key=lambda i: (lines[i]["valid_accuracy"], -lines[i]["valid_loss"])
    )
    assert len(lines) == best + 3 < 30


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_weights(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder = new_folder("run", tiny)
    trainer = Trainer(tiny, stripes_data, folder)
    trainer.batches.weights[:] = 1.0
    ends = iter([1.0] * 7 + [float("nan")] * 9)
    original = trainer.batches.batch

    def poisoned(epoch: int, step: int, order: torch.Tensor) -> tuple[torch.Tensor, ...]:
        inputs, targets, weights, known = original(epoch, step, order)
        return inputs, targets, weights * next(ends), known

    trainer.batches.batch = poisoned  # type: ignore[method-assign, assignment]
    with pytest.raises(TrainingError, match="epoch 2, step 2"):
        trainer.fit()

    assert load_model(folder.path)[1].metrics["epoch"] == 1


@pytest.mark.parametrize("lost", [1e30, 1e5])  # the second is finite, but not as it is stored
def test_an_epoch_whose_last_step_loses_the_weights_leaves_those_before(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder, lost: float
) -> None:
    config, steps = tiny.replaced(ema=0.0), iter(range(1, 99))
    folder = new_folder("run", config)
    trainer = Trainer(config, stripes_data, folder)

    def explode(*_: object) -> None:
        if next(steps) == 12:  # the last of the second epoch
            [one.data.fill_(lost) for one in trainer.network.parameters()]

    trainer.optimiser.optimizer.register_step_post_hook(explode)
    with pytest.raises(TrainingError, match=r"after epoch 2 are not finite\. Lower the learning"):
        trainer.fit()

    assert load_model(folder.path)[1].metrics["epoch"] == 1
    again = Trainer(config, stripes_data, folder)
    again.restore()
    again.fit()
    assert [line["epoch"] for line in folder.history()] == [1, 2, 3]


def test_settings_of_another_network_cannot_resume(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder = new_folder("run", tiny)
    Trainer(tiny.replaced(epochs=1), stripes_data, folder).fit()

    other = tiny.replaced(model_options={"depth": 2, "width": 8})
    with pytest.raises(TrainingError, match="does not fit"):
        Trainer(other, stripes_data, folder).restore()


@pytest.mark.parametrize("content", [b"", b"no zip", "code", {"model": 1}, [1]], ids=repr)
def test_a_last_file_of_another_kind_is_refused_without_torchs_advice(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder, content: object
) -> None:
    folder = new_folder("run", tiny)
    trainer = Trainer(tiny, stripes_data, folder)
    if isinstance(content, bytes):
        folder.last.write_bytes(content)
    else:
        torch.save(print if content == "code" else content, folder.last)

    with pytest.raises(TrainingError, match="of run is damaged") as refused:
        trainer.restore()

    assert "weights_only" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_progress_is_written_while_an_epoch_runs(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.training.progress.PROGRESS_SECONDS", 3600.0)  # the first step alone
    folder = new_folder("run", tiny)
    seen: list[dict[str, float]] = []

    Trainer(tiny.replaced(epochs=1), stripes_data, folder, on_progress=seen.append).fit()

    assert seen[0]["steps"] == 6
    assert folder.progress()["faces_per_second"] > 0
    steps = list(folder.step_history())
    assert [line["at"] for line in steps] == [pytest.approx(1 / 6), 1]
    assert all(0 < line["loss"] < 3 and line["learning_rate"] > 0 for line in steps)


def test_every_epoch_is_told_as_it_is_written(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder = new_folder("run", tiny)
    told: list[dict[str, float]] = []

    Trainer(tiny, stripes_data, folder, on_epoch=told.append).fit()

    assert told == list(folder.history())
    assert len(told) == 3


def test_the_data_are_left_as_they_were(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    Trainer(tiny.replaced(epochs=1), stripes_data, new_folder("run", tiny)).fit()

    np.testing.assert_array_equal(stripes_data.train.images, stripes(96, 0).images)


def test_a_run_starts_from_the_weights_of_another(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    first = new_folder("first", tiny)
    Trainer(tiny, stripes_data, first).fit()
    still = tiny.replaced(initial="first", learning_rate=1e-8, epochs=1, weight_decay=0.0, ema=0.0)
    second = new_folder("second", still)
    trainer = Trainer(still, stripes_data, second)
    trainer.fit()

    learnt, _ = load_model(first.path)
    parameters = dict(trainer.network.named_parameters())
    for name, value in learnt.named_parameters():
        torch.testing.assert_close(parameters[name], value, rtol=0, atol=1e-5)
    assert load_model(second.path)[1].data["initial"]["checkpoint"] == "first"


def test_a_run_goes_on_without_the_checkpoint_that_it_began_from(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    first = new_folder("first", tiny)
    Trainer(tiny.replaced(epochs=1), stripes_data, first).fit()
    second = new_folder("second", tiny.replaced(initial="first"))
    asked = iter([False] * 5)
    with pytest.raises(Stopped):
        Trainer(second.config(), stripes_data, second, stop=lambda: next(asked, True)).fit()
    shutil.rmtree(first.path)

    trainer = Trainer(second.config(), stripes_data, second, resume=True)
    trainer.restore()
    trainer.fit()

    assert trainer.card().data["initial"]["checkpoint"] == "first"
    assert len(list(second.history())) == 3


def test_weights_of_another_network_are_refused(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    Trainer(tiny, stripes_data, new_folder("first", tiny)).fit()
    other = tiny.replaced(initial="first", model_options=WIDER)

    with pytest.raises(TrainingError, match="same network, options and classes"):
        Trainer(other, stripes_data, new_folder("second", other))


def test_the_start_is_kept_where_no_epoch_is_better(
    stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    learnt = RunFolder.named(tmp_path, "learnt")
    learnt.create(tiny.replaced(epochs=12, learning_rate=0.05, model_options=WIDER))
    Trainer(learnt.config(), stripes_data, learnt).fit()
    ruined = RunFolder.named(tmp_path, "ruined")
    ruined.create(learnt.config().replaced(initial="learnt", epochs=2))
    train = stripes_data.train
    wrong = Faces(train.images, (train.labels + 1) % (train.labels.max() + 1))

    Trainer(ruined.config(), TrainingData(wrong, stripes_data.valid, {}), ruined).fit()

    start, kept = (load_model(folder.path)[0].state_dict() for folder in (learnt, ruined))
    assert all(torch.equal(start[name], kept[name]) for name in start)
    _, card = load_model(ruined.path)
    assert card.metrics["epoch"] == 0
    assert card.metrics["valid_accuracy"] > max(line["valid_accuracy"] for line in ruined.history())


def test_an_epoch_that_beats_the_start_takes_its_place(
    stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    poor = RunFolder.named(tmp_path, "poor")
    poor.create(tiny.replaced(epochs=1, learning_rate=1e-6, model_options=WIDER))
    Trainer(poor.config(), stripes_data, poor).fit()
    better = RunFolder.named(tmp_path, "better")
    better.create(poor.config().replaced(initial="poor", epochs=12, learning_rate=0.05))

    Trainer(better.config(), stripes_data, better).fit()

    _, card = load_model(better.path)
    assert card.metrics["epoch"] > 0
    assert card.metrics["valid_accuracy"] > 0.9
