"""Controls a map must beat, and whether it does."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from core.evaluation import Estimate

Verdict = Literal["beats its controls", "does not beat its controls"]
Sanity = Literal["passes", "partly", "fails", "unknown"]
HIGH = 0.5  # of Spearman's correlation: above it two maps are called alike
CELLS = 4  # a side of the random map, as many as the paper's Grad-CAM has
WIDTH = 0.25  # standard deviation of the blob, in sides
CONTROLS = ("random", "centre", "other_face")


def verdict(gap: Estimate, differences: Mapping[str, Estimate]) -> Verdict:
    """Whether insertion minus deletion is above zero and above every control.

    Args:
        gap: Of the method.
        differences: Of the method minus each control, paired by face.
    """
    lows = [gap.low, *(difference.low for difference in differences.values())]
    return "beats its controls" if min(lows) > 0 else "does not beat its controls"


def sanity(randomisation: Mapping[str, float | None]) -> Sanity:
    """What parameter randomisation says of a method.

    Args:
        randomisation: Mean Spearman correlation with the original map by stage, the last stage
            being the wholly random network; None where maps are blank.

    Returns:
        "fails" where the maps of the wholly random network still look alike, "passes" where those
        of no stage do, "partly" between.
    """
    known = [value for value in randomisation.values() if value is not None]
    if not known:
        return "unknown"
    if known[-1] > HIGH:
        return "fails"
    return "passes" if max(known) <= HIGH else "partly"


def random_maps(count: int, generator: torch.Generator) -> Tensor:
    """Random 4x4 maps, float32 (count, 4, 4)."""
    return torch.rand((count, CELLS, CELLS), generator=generator)


def centre_blob(side: int) -> Tensor:
    """A round blob in the middle, where an aligned face has its nose, float32 (side, side)."""
    offsets = (torch.arange(side) + 0.5) / side - 0.5
    distance = offsets[:, None] ** 2 + offsets[None, :] ** 2
    return torch.exp(-distance / (2 * WIDTH**2))


def other_faces(maps: Tensor) -> Tensor:
    """The same maps, each given to the next face, float32 (N, h, w)."""
    return maps.roll(1, dims=0)
