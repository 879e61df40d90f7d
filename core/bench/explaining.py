"""What an explanation costs: the maps of all classes, and everything said of a face."""

from pathlib import Path

import numpy as np
import torch
from skimage.data import data_dir
from torch import Tensor, nn

from core.bench.timing import Comparison, compare
from core.explain import (
    fit_masks,
    load_explained,
    occlude_regions,
    recommended_method,
    region_report,
)
from core.faces import find_faces, regions
from core.images import read_image
from core.predict import Predictor
from core.types import Face

REPEATS = 20
WHOLE_REPEATS = 3
WANTED = 0.3  # seconds for everything said of a face, on two cores


def bench(folder: Path) -> Comparison:
    """Milliseconds for logits and six maps of one face; baseline: the plain forward pass.

    The ratio is below 1 by as much as the maps cost: 1 / ratio is their price in forward passes.

    Args:
        folder: Checkpoint folder.
    """
    model, card = load_explained(folder)
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


def whole(folder: Path) -> Comparison:
    """Milliseconds for all that is said of one found face by the recommended method.

    Maps of all classes, regions, the effects of hiding each region and the sentence; baseline: the
    same maps by one forward and backward pass a class, and one forward pass a hidden region.

    Args:
        folder: Checkpoint folder.
    """
    predictor = Predictor(folder)
    method = recommended_method(folder)
    face = find_faces(read_image(Path(data_dir) / "astronaut.png")).faces[0]
    preprocess = predictor.card.preprocess
    batch = torch.from_numpy(preprocess(face.crop))

    def ours() -> None:
        for _ in range(WHOLE_REPEATS):
            region_report(
                predictor.model,
                batch,
                fit_masks(_regions(face), preprocess),
                predictor.labels,
                explanation=predictor.explain(face.crop, method),
                temperature=predictor.card.temperature,
            )

    def baseline() -> None:
        for _ in range(WHOLE_REPEATS):
            _one_by_one(predictor.model, batch, fit_masks(_regions(face), preprocess))

    return compare(
        ours,
        baseline,
        amounts=(WHOLE_REPEATS, WHOLE_REPEATS),
        note=f"one found face, float32, eager: {method} for all classes, regions, hidden regions "
        f"and the sentence, wanted below {1000 * WANTED:.0f} ms on two cores; baseline: a forward "
        "and backward pass a class and a forward pass a hidden region",
    )


def _regions(face: Face) -> dict[str, np.ndarray]:
    if face.crop_landmarks is None:
        raise ValueError("the sample photo's face has no landmarks")
    return regions(face.crop_landmarks, face.crop.shape[0])


def _one_by_one(model: nn.Module, batch: Tensor, masks: dict[str, np.ndarray]) -> None:
    """The plain way, pass after pass."""
    pixels = batch.clone().requires_grad_()
    for label in range(model(batch).shape[1]):
        torch.autograd.grad(model(pixels)[0, label], pixels)
    for name, mask in masks.items():
        occlude_regions(model, batch, {name: mask})
