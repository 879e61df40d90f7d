"""Faces a second of `classify` against a loop that takes one file at a time."""

import tempfile
from pathlib import Path

import numpy as np
import PIL.Image
import torch
import torchvision.transforms as transforms

from core.batch_inference import Request, score_all
from core.bench.timing import Comparison, compare
from core.models import load_model
from core.predict import Predictor
from core.preprocess import IMAGENET_MEAN, IMAGENET_STD

FILES = 512
ROUNDS = 3


def bench(folder: Path) -> Comparison:
    """Compare both ways over the same generated JPEG files of 64 x 64 pixels.

    Args:
        folder: Checkpoint folder.
    """
    predictor = Predictor(folder)
    model, _ = load_model(folder)
    with tempfile.TemporaryDirectory() as place:
        files = _pictures(Path(place))

        def ours() -> None:
            request = Request(str(folder), faces="whole")
            score_all(files, str(Path(place) / "scores.csv"), request)

        def baseline() -> None:
            _one_at_a_time(files[: FILES // 8], model)

        return compare(
            ours,
            baseline,
            amounts=(FILES, FILES // 8),
            rounds=ROUNDS,
            unit="faces/s",
            note=f"engine {predictor.engine}; {FILES} JPEG files of 64x64; baseline: PIL, "
            "torchvision transforms and an eager float32 forward, one file at a time",
        )


def _pictures(folder: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    files = []
    for number in range(FILES):
        coarse = PIL.Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        path = folder / f"{number:04d}.jpg"
        coarse.resize((64, 64), PIL.Image.Resampling.BICUBIC).save(path, quality=90)
        files.append(path)
    return files


def _one_at_a_time(files: list[Path], model: torch.nn.Module) -> list[int]:
    """The paper's way of scoring a folder, written from its description."""
    transform = transforms.Compose(
        [
            transforms.Resize((64, 64)),
            transforms.Grayscale(num_output_channels=3),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    answers = []
    with torch.no_grad():
        for path in files:
            with PIL.Image.open(path) as picture:
                batch = transform(picture)[None]
            answers.append(int(torch.softmax(model(batch), dim=1).argmax()))
    return answers
