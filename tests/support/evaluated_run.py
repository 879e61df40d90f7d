"""A small network evaluated on generated pictures, as the pages find one on disk."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from core.data import prepare
from core.evaluation import evaluate_run
from core.labels import EMOTIONS
from core.models import Card, build, save_weights
from core.types import Image

TEST, TRAIN = 6, 20  # pictures a class


def level_of(label: str) -> int:
    """Grey value of a label's pictures."""
    return 40 + 30 * EMOTIONS.index(label)


def picture(label: str, generator: np.random.Generator) -> Image:
    """A grey square of noise whose brightness goes with the label, uint8 (64, 64)."""
    noise = generator.normal(level_of(label), 25, (8, 8))
    large = cv2.resize(noise, (64, 64), interpolation=cv2.INTER_NEAREST)
    return np.clip(large, 0, 255).astype(np.uint8)


def write_pictures(root: Path) -> Path:
    """A folder of class folders with a test and a train part."""
    generator = np.random.default_rng(1)
    for part, count in (("test", TEST), ("train", TRAIN)):
        for label in EMOTIONS:
            folder = root / part / label
            folder.mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(folder / f"{number:03d}.png"), picture(label, generator))
    return root


@dataclass(frozen=True)
class BrightnessAnswers:
    """Answers by brightness, as the labels go with it; with `blur` it errs at neighbours."""

    folder: Path
    card: Card
    blur: float
    labels: tuple[str, ...] = EMOTIONS

    def logits(self, pixels: Image) -> NDArray[np.float64]:
        """Logits float64 (N, 6) of grey squares, highest for the nearest level."""
        seen = pixels.reshape(len(pixels), -1).mean(axis=1) + self.blur
        levels = np.array([level_of(label) for label in EMOTIONS])
        logits: NDArray[np.float64] = -(((seen[:, None] - levels) / 12.0) ** 2)
        return logits


def write_run(folder: Path, data: Path, *, blur: float = 13.0) -> Path:
    """A network of a few channels, and the predictions of a scorer that errs in a known way."""
    folder.mkdir(parents=True)
    options = {"width": 4}
    torch.manual_seed(0)  # some draws leave a face without evidence, whose map is not drawn
    save_weights(build("gimefive", 6, **options).state_dict(), folder / "weights.safetensors")
    card = Card(
        model="gimefive",
        labels=EMOTIONS,
        model_options=options,
        data={"name": data.name, "split": "clean", "train": TRAIN * 6},
        title=f"Net {folder.name}",
    )
    card.save(folder / "card.json")
    evaluate_run(folder, data, model=BrightnessAnswers(folder, card, blur))
    return folder


def prepared(root: Path) -> Path:
    """The generated pictures, prepared below a data root."""
    prepare([write_pictures(root / "pictures")], root / "shapes", workers=1)
    return root / "shapes"
