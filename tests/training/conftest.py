"""Fixtures of the training tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from few_drawings import prepare_few
from striped_faces import stripes

from core.training import FLIP_ONLY, RunConfig, RunFolder
from core.training.batches import TrainingData

TINY = {"depth": 2, "width": 4}


@pytest.fixture
def stripes_data() -> TrainingData:
    return TrainingData(stripes(96, 0), stripes(48, 1), {"name": "stripes"})


@pytest.fixture
def tiny() -> RunConfig:
    return RunConfig(
        model_options=TINY, epochs=3, batch_size=16, learning_rate=0.02, precision="32-true",
        augment=FLIP_ONLY, accelerator="cpu", ema=0.9, label_smoothing=0.0, class_weighting=0.0,
    )  # fmt: skip


@pytest.fixture
def new_folder(tmp_path: Path) -> Callable[[str, RunConfig], RunFolder]:
    def make(name: str, config: RunConfig) -> RunFolder:
        folder = RunFolder.named(tmp_path, name)
        folder.create(config)
        return folder

    return make


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared drawings."""
    return prepare_few(tmp_path_factory.mktemp("prepared") / "demo")
