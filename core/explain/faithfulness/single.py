"""The deletion and insertion test of one face's map, on demand."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.explain.faithfulness.controls import centre_blob, random_maps
from core.explain.faithfulness.curves import Curves, curve_ends, curves
from core.explain.faithfulness.ranking import pixel_ranks
from core.explain.faithfulness.scoring import exact_scorer
from core.types import Explanation

RANDOM_MAPS = 8  # averaged, since one face has no other faces to average over
INNER = 7
SEED = 20240229


@dataclass(frozen=True, slots=True, eq=False)
class FaceTest:
    """How one map does on its own face.

    Attributes:
        curves: Of the map, one row.
        gap: Insertion minus deletion, -1 to 1.
        random: Mean gap of random maps on the same face.
        centre: Gap of the fixed centre blob.
        is_blank: Whether the map holds no evidence, so that its pixels were ordered by chance.
    """

    curves: Curves
    gap: float
    random: float
    centre: float
    is_blank: bool


def check_face(model: nn.Module, batch: Tensor, explanation: Explanation, label: str) -> FaceTest:
    """Delete and insert by the map of one class, beside random maps and the centre blob.

    Args:
        model: In eval mode.
        batch: float32 (1, C, S, S), the face explained.
        explanation: Of that face.
        label: The class whose map is tested.

    Raises:
        ExplainError: The model is in training mode.
    """
    side = batch.shape[-1]
    generator = torch.Generator().manual_seed(SEED)
    own = torch.from_numpy(explanation.map_of(label).copy())[None]
    knowing_nothing = torch.cat(
        [
            pixel_ranks(centre_blob(side)[None], side, generator),
            pixel_ranks(random_maps(RANDOM_MAPS, generator), side, generator),
        ]
    )
    ranks = torch.cat([pixel_ranks(own, side, generator), knowing_nothing])
    rows = batch.expand(len(ranks), -1, -1, -1)
    targets = torch.full((len(ranks),), explanation.labels.index(label))
    score = exact_scorer(model).score
    ends = curve_ends(score, rows, targets)
    found = curves(score, rows, targets, ranks, ends, INNER)
    gaps: NDArray[np.float64] = found.gap
    return FaceTest(
        curves=Curves(found.fractions, found.inserted[:1], found.deleted[:1]),
        gap=float(gaps[0]),
        random=float(gaps[2:].mean()),
        centre=float(gaps[1]),
        is_blank=explanation.is_blank(label),
    )
