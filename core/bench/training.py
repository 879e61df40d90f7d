"""Faces a second of our training against a plain loop over files."""

import tempfile
from pathlib import Path

import numpy as np
import PIL.Image
import torch
import torchvision.transforms as transforms
from torch import nn

from core.bench.timing import Comparison, compare
from core.models import build
from core.preprocess import IMAGENET_MEAN, IMAGENET_STD
from core.training import RunConfig, RunFolder

STEPS = 4
PLAIN_STEPS = 8
PLAIN_BATCH = 16


def bench(folder: Path) -> Comparison:
    """Compare a few steps of both on generated faces, the same network `gimefive`.

    Args:
        folder: Unused; training needs no checkpoint.
    """
    from core.training.batches import Faces
    from core.training.trainer import Trainer, TrainingData

    del folder
    rng = np.random.default_rng(0)
    config = RunConfig(model="gimefive", epochs=1, accelerator="cpu")
    images = rng.integers(0, 256, (STEPS * config.batch_size, 64, 64), dtype=np.uint8)
    faces = Faces(images, rng.integers(0, 6, len(images)))
    with tempfile.TemporaryDirectory() as place:
        run = RunFolder(Path(place) / "run")
        run.create(config)
        trainer = Trainer(config, TrainingData(faces, faces, {}), run)
        order = trainer.batches.order(0)

        def ours() -> None:
            for step in range(STEPS):
                trainer.one_step(step, order)

        files = _files(Path(place), images[: PLAIN_BATCH * PLAIN_STEPS])
        plain = _PlainLoop(files)
        result = compare(
            ours,
            plain.run,
            amounts=(len(images), len(files)),
            rounds=3,
            unit="faces/s",
            note="",
        )
        share = trainer.sums.means()["input_share"]
    note = (
        f"gimefive, forward and backward; input pipeline {share:.1%} of a step; baseline: PIL one "
        f"file at a time in the process, float32, batch {PLAIN_BATCH}, flip, SGD"
    )
    return Comparison(result.ours, result.baseline, result.ratio, result.unit, note)


def _files(folder: Path, images: np.ndarray) -> list[Path]:
    paths = []
    for number, image in enumerate(images):
        path = folder / f"{number}.jpg"
        PIL.Image.fromarray(image).convert("RGB").save(path)
        paths.append(path)
    return paths


class _PlainLoop:
    """The paper's training loop, written from its description."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.model = build("gimefive").train()
        self.optimiser = torch.optim.SGD(
            self.model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4
        )
        self.loss = nn.CrossEntropyLoss()
        self.transform = transforms.Compose(
            [
                transforms.Resize((64, 64)),
                transforms.Grayscale(num_output_channels=3),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
            ]
        )

    def run(self) -> None:
        """One pass over the files."""
        for start in range(0, len(self.files), PLAIN_BATCH):
            batch = []
            for path in self.files[start : start + PLAIN_BATCH]:
                with PIL.Image.open(path) as picture:
                    batch.append(self.transform(picture))
            targets = torch.zeros(len(batch), dtype=torch.long)
            self.optimiser.zero_grad()
            self.loss(self.model(torch.stack(batch)), targets).backward()
            self.optimiser.step()
