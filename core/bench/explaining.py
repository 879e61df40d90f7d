"""Grad-CAM maps of all six classes against one forward pass of the same network."""

from pathlib import Path

import numpy as np
import torch

from core.bench.timing import Comparison, compare
from core.models import load_model
from core.predict import Predictor

REPEATS = 20


def bench(folder: Path) -> Comparison:
    """Milliseconds for logits and six maps of one face; baseline: the plain forward pass.

    The ratio is below 1 by as much as the maps cost: 1 / ratio is their price in forward passes.

    Args:
        folder: Checkpoint folder.
    """
    model, card = load_model(folder)
    predictor = Predictor(folder)
    crop = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)

    def ours() -> None:
        for _ in range(REPEATS):
            predictor.explain(crop, "grad_cam")

    def baseline() -> None:
        with torch.inference_mode():
            for _ in range(REPEATS):
                model(torch.from_numpy(card.preprocess(crop)))

    return compare(
        ours,
        baseline,
        amounts=(REPEATS, REPEATS),
        note="one face, float32, eager: six Grad-CAM maps (with logits) against one forward pass",
    )
