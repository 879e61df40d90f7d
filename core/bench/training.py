"""Preparing pictures and training on them, each against a plain script that does the same."""

import hashlib
import shutil
import tempfile
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
import PIL.Image
import torch
import torchvision.transforms as transforms
from torch import nn

from core.bench.timing import Comparison, compare
from core.data import prepare
from core.labels import EMOTIONS
from core.models import build
from core.preprocess import IMAGENET_MEAN, IMAGENET_STD
from core.tabular import CsvWriter
from core.training import RunConfig, RunFolder

STEPS = 4
PLAIN_STEPS = 8
PLAIN_BATCH = 16
PICTURES = 1200
COPIES = 60  # of them saved a second time
SIDE = 96  # pixels
CLOSE = 4  # bits by which the hashes of near duplicates may differ


def bench(folder: Path) -> Comparison:
    """Faces a second of a few steps of both on generated faces, the same network `gimefive`.

    Args:
        folder: Unused; training needs no checkpoint.
    """
    from core.training.batches import Faces, TrainingData
    from core.training.trainer import Trainer

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


def preparing(folder: Path) -> Comparison:
    """Pictures a second of `prepare`, over the same generated pictures in class folders.

    Args:
        folder: Unused; preparing needs no checkpoint.
    """
    del folder
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        source, target, plain = place / "pictures", place / "prepared", place / "plain"
        _write_pictures(source)

        def ours() -> None:
            shutil.rmtree(target, ignore_errors=True)
            prepare([source], target)

        def baseline() -> None:
            shutil.rmtree(plain, ignore_errors=True)
            _plain_script(source, plain)

        return compare(
            ours,
            baseline,
            amounts=(PICTURES, PICTURES),
            rounds=3,
            unit="pictures/s",
            note=f"{PICTURES} JPEG files of {SIDE}x{SIDE}; ours also checks them, splits them and "
            "writes the audit; baseline: PIL and imagehash, one file at a time, every hash "
            "compared with every other, 64x64 PNG files and a table",
        )


def _write_pictures(root: Path) -> None:
    dice = np.random.default_rng(0)
    for number in range(PICTURES - COPIES):
        coarse = PIL.Image.fromarray(dice.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        place = root / "train" / EMOTIONS[number % len(EMOTIONS)]
        place.mkdir(parents=True, exist_ok=True)
        image = coarse.resize((SIDE, SIDE), PIL.Image.Resampling.BICUBIC)
        image.save(place / f"{number:05d}.jpg", quality=90)
        if number < COPIES:
            image.save(place / f"{number:05d}-copy.jpg", quality=70)


def _plain_script(root: Path, target: Path) -> None:
    """Resize, grey, hash, look for duplicates, write: what one would write in an hour."""
    target.mkdir()
    rows, hashes = [], []
    for path in sorted(root.rglob("*.jpg")):
        with PIL.Image.open(path) as picture:
            rgb = picture.convert("RGB")
        grey = rgb.resize((64, 64), PIL.Image.Resampling.BILINEAR).convert("L")
        name = f"{path.stem}_{path.parent.name}.png"
        grey.save(target / name)
        rows.append([name, path.parent.name, hashlib.sha256(rgb.tobytes()).hexdigest()])
        hashes.append(imagehash.phash(grey))
    near = [
        (one, other)
        for one, other in combinations(range(len(rows)), 2)
        if rows[one][2] == rows[other][2] or hashes[one] - hashes[other] <= CLOSE
    ]
    for name, content in (("labels.csv", rows), ("duplicates.csv", near)):
        with (target / name).open("w", newline="") as file:
            CsvWriter(file, "\r\n").writerows(content)
