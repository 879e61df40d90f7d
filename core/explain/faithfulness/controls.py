"""Maps that know nothing of the face: what an explanation has to beat."""

import torch
from torch import Tensor

CELLS = 4  # a side of the random map, as many as the paper's Grad-CAM has
WIDTH = 0.25  # standard deviation of the blob, in sides
CONTROLS = ("random", "centre", "other_face")


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
