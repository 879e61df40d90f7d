"""Does a map follow a face that is mirrored, moved or noisy?"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from core.explain import enlarged
from core.faithfulness.randomisation import mean_or_none, spearman

SHIFT_SHARE = 1 / 16  # of the side; 4 px of 64
NOISE_SHARE = 0.05  # of the face's own range of values


def changed_faces(batch: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """The faces mirrored ("flip"), moved right and down ("shift") and with noise ("noise").

    Args:
        batch: float32 (N, C, S, S).
        generator: Source of the noise.
    """
    side = batch.shape[-1]
    step = _step(side)
    moved = functional.pad(batch, (step, 0, step, 0), mode="replicate")[..., :side, :side]
    reach = batch.amax(dim=(1, 2, 3), keepdim=True) - batch.amin(dim=(1, 2, 3), keepdim=True)
    plane = torch.randn((len(batch), 1, side, side), generator=generator, dtype=batch.dtype)
    noisy = batch + NOISE_SHARE * reach * plane
    return {"flip": batch.flip(-1), "shift": moved, "noise": noisy}


def stability(
    maps: Tensor, explain: Callable[[str, Tensor], Tensor], changed: Mapping[str, Tensor]
) -> dict[str, float | None]:
    """Mean Spearman correlation of the map with that of a changed face, put back into place.

    Args:
        maps: float32 (N, h, w), of the faces as they are.
        explain: Maps (N, h, w) for the same classes, of a change's name and its faces.
        changed: From `changed_faces`.

    Returns:
        By change ("flip", "shift", "noise"), -1 to 1, 1 is stable; None where every map is blank.
    """
    side = changed["flip"].shape[-1]
    step = _step(side)
    original = enlarged(maps, side)
    mirrored, shifted, noisy = (
        enlarged(explain(name, changed[name]), side) for name in ("flip", "shift", "noise")
    )
    kept = original[..., :-step, :-step]
    return {
        "flip": mean_or_none(spearman(original, mirrored.flip(-1))),
        "shift": mean_or_none(spearman(kept, shifted[..., step:, step:])),
        "noise": mean_or_none(spearman(original, noisy)),
    }


def _step(side: int) -> int:
    return max(round(side * SHIFT_SHARE), 1)
