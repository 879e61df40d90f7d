"""A few pictures and an untrained network, to score the one by the other."""

from pathlib import Path

import numpy as np
import PIL.Image
import torch

from core.batch_inference import Request
from core.labels import EMOTIONS
from core.models import Card, build, save_weights

PART = 4  # files
FILES = 30
OPTIONS = {"depth": 2, "width": 4}


def small_run(folder: Path) -> Path:
    """A checkpoint of an untrained network in a folder, which is returned."""
    torch.manual_seed(3)
    save_weights(build("gimefive", 6, **OPTIONS).state_dict(), folder / "weights.safetensors")
    Card(model="gimefive", labels=EMOTIONS, model_options=OPTIONS).save(folder / "card.json")
    return folder


def small_request(run: Path, suffix: str = ".csv") -> Request:
    """What is asked of it: whole pictures."""
    return Request(str(run), "torch", "whole", suffix=suffix)


def prepared_pictures(root: Path) -> Path:
    """Thirty pictures in folders whose names sort otherwise as text than as parts of a path."""
    rng = np.random.default_rng(0)
    for number in range(FILES):
        folder = root / ("a", "a.b", "a/c")[number % 3]
        folder.mkdir(exist_ok=True, parents=True)
        pixels = rng.integers(0, 256, (64, 64), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    (root / "a" / "notes.txt").write_text("no picture")
    (root / "lost.png").symlink_to(root / "gone.png")
    (root / ".hidden").write_text("")
    return root
