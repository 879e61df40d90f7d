"""Does a map follow a face that is mirrored, moved or noisy?"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from core.explain.faithfulness.ranking import enlarged
from core.explain.faithfulness.similarity import mean_or_none, spearman

SHIFT_SHARE = 1 / 16  # of the side; 4 px of 64
NOISE_SHARE = 0.05  # of the face's own range of values

# batch (N, C, S, S) -> maps (N, h, w) of the classes explained
Explain = Callable[[Tensor], Tensor]


def stability(
    explain: Explain, batch: Tensor, generator: torch.Generator
) -> dict[str, float | None]:
    """Mean Spearman correlation of the map with that of a changed face, put back into place.

    Args:
        explain: The method, always for the same classes.
        batch: float32 (N, C, S, S).
        generator: Source of the noise.

    Returns:
        By change ("flip", "shift", "noise"), -1 to 1, 1 is stable; None where every map is blank.
    """
    side = batch.shape[-1]
    step = max(round(side * SHIFT_SHARE), 1)
    original = enlarged(explain(batch), side)
    mirrored = enlarged(explain(batch.flip(-1)), side).flip(-1)
    moved = functional.pad(batch, (step, 0, step, 0), mode="replicate")[..., :side, :side]
    shifted = enlarged(explain(moved), side)[..., step:, step:]
    reach = batch.amax(dim=(1, 2, 3), keepdim=True) - batch.amin(dim=(1, 2, 3), keepdim=True)
    plane = torch.randn((len(batch), 1, side, side), generator=generator, dtype=batch.dtype)
    noisy = enlarged(explain(batch + NOISE_SHARE * reach * plane), side)
    return {
        "flip": mean_or_none(spearman(original, mirrored)),
        "shift": mean_or_none(spearman(original[..., :-step, :-step], shifted)),
        "noise": mean_or_none(spearman(original, noisy)),
    }
