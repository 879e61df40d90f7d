"""Distillation: what the teachers answer becomes part of the target, and the card names them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from striped_faces import stripes
from torch import nn

from core.errors import CheckpointError, TrainingError
from core.models import Card, build, load_model, save_weights
from core.preprocess import Preprocess
from core.training import RunConfig, RunFolder
from core.training.batches import TrainingData
from core.training.distillation import taught
from core.training.run import run_training
from core.training.trainer import Stopped

OPTIONS = {"width": 8}


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    return tmp_path


def stored(name: str, runs: Path, seed: int, preprocess: Preprocess | None = None) -> nn.Module:
    torch.manual_seed(seed)
    network = build("resnet14", 6, **OPTIONS).eval()
    preprocess = preprocess or Preprocess()
    (runs / name).mkdir()
    save_weights(network.state_dict(), runs / name / "weights.safetensors")
    data = {"name": "faces", "data_hash": "same", "split": "clean"}
    Card("resnet14", RunConfig().labels, preprocess, OPTIONS, data).save(runs / name / "card.json")
    return load_model(runs / name)[0]


def expected(network: nn.Module, images: np.ndarray, preprocess: Preprocess) -> torch.Tensor:
    inputs = torch.from_numpy(preprocess.normalise(images))
    with torch.inference_mode():
        logits = torch.stack([network(inputs), network(inputs.flip(3))]).mean(dim=0)
    return logits.softmax(dim=1)


def test_teachers_give_their_mean_probabilities_over_picture_and_mirror(
    runs: Path, stripes_data: TrainingData, tiny: RunConfig
) -> None:
    members = [stored("one", runs, 1), stored("two", runs, 2)]

    data = taught(stripes_data, tiny.replaced(teacher="one+two"))

    images = stripes_data.train.images
    one, two = (expected(member, images, Preprocess()) for member in members)
    assert data.train.answers is not None
    np.testing.assert_allclose(data.train.answers, ((one + two) / 2).numpy(), atol=1e-5)
    np.testing.assert_array_equal(data.train.labels, stripes_data.train.labels)
    assert data.valid is stripes_data.valid
    assert data.facts["teacher"] == {
        "checkpoint": "one+two", "name": "faces", "data_hash": "same", "split": "clean",
        "sources": [],
    }  # fmt: skip


def test_a_teacher_sees_the_faces_in_its_own_size(
    runs: Path, stripes_data: TrainingData, tiny: RunConfig
) -> None:
    small = Preprocess(size=48, crop=48)
    network = stored("small", runs, 3, small)

    answers = taught(stripes_data, tiny.replaced(teacher="small")).train.answers

    images = np.stack([small.pixels(image) for image in stripes_data.train.images])
    assert answers is not None
    np.testing.assert_allclose(answers, expected(network, images, small).numpy(), atol=1e-5)


def test_a_student_of_nothing_but_answers_learns_them(
    runs: Path, stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path
) -> None:
    """The labels of the training faces are shuffled; the teacher knows the true ones."""
    wider = tiny.replaced(
        epochs=12,
        learning_rate=0.05,
        model_options={"depth": 2, "width": 8, "head_dropout": 0.0},
    )
    run_training(wider, RunFolder(tmp_path / "teacher"), data=stripes_data)
    shuffled = stripes(96, 0)
    np.random.default_rng(3).shuffle(shuffled.labels)
    wrong = TrainingData(shuffled, stripes_data.valid, {"name": "shuffled"})

    reached = {}
    for share in (0.0, 1.0):
        folder = RunFolder(tmp_path / f"share-{share:g}")
        run_training(wider.replaced(teacher="teacher", teacher_share=share), folder, data=wrong)
        reached[share] = list(folder.history())[-1]["valid_loss"]

    assert reached[1.0] < 0.1 < 0.9 < reached[0.0]
    assert "teacher answered 96 faces" in (tmp_path / "share-1" / "train.log").read_text()
    assert load_model(tmp_path / "share-1")[1].data["teacher"]["checkpoint"] == "teacher"


def test_a_teacher_of_other_classes_is_refused(
    runs: Path, stripes_data: TrainingData, tiny: RunConfig
) -> None:
    stored("six", runs, 1)

    with pytest.raises(TrainingError, match="its teacher 'six' answers happiness, surprise"):
        taught(stripes_data, tiny.replaced(teacher="six", class_set="seven"))


def test_a_teacher_that_is_not_here_is_told(stripes_data: TrainingData, tiny: RunConfig) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint 'nobody'"):
        taught(stripes_data, tiny.replaced(teacher="nobody"))


def test_asking_can_be_stopped(runs: Path, stripes_data: TrainingData, tiny: RunConfig) -> None:
    stored("one", runs, 1)

    with pytest.raises(Stopped):
        taught(stripes_data, tiny.replaced(teacher="one"), lambda: True)
