"""A task that a tiny network can learn: three kinds of stripes."""

from typing import Any

import numpy as np
import torch

from core.training import RunFolder
from core.training.batches import Faces


def stripes(n: int, seed: int) -> Faces:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    images = rng.integers(0, 90, (n, 64, 64))
    images[labels == 0, ::4] += 120
    images[labels == 1, :, ::4] += 120
    return Faces(images.astype(np.uint8), labels.astype(np.int64))


def weights_of(folder: RunFolder) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(folder.last, weights_only=True)["model"]
    return state
