"""From maps to orders of pixels."""

import torch
from torch import Tensor
from torch.nn import functional


def enlarged(maps: Tensor, side: int) -> Tensor:
    """Maps at the input's size, bilinear, float32 (N, side, side).

    Args:
        maps: float32 (N, h, w).
        side: In pixels.
    """
    if maps.shape[-2:] == (side, side):
        return maps
    return functional.interpolate(
        maps[:, None], size=(side, side), mode="bilinear", align_corners=False
    )[:, 0]


def pixel_ranks(maps: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Each pixel's place in the order of evidence, divided by the number of pixels.

    Ranking, unlike a threshold at a percentile, takes exactly the wanted number of pixels however
    many have the same value; those are ordered by chance, so a blank map is a random order.

    Args:
        maps: float32 (N, h, w), most important where highest.
        side: Of the input, in pixels.
        generator: Orders pixels of the same value.

    Returns:
        float32 (N, side, side), 0 for the most important pixel, below 1 for the last.
    """
    values = enlarged(maps, side).reshape(len(maps), -1)
    shuffle = torch.randperm(values.shape[1], generator=generator)
    order = shuffle[values[:, shuffle].argsort(dim=1, descending=True, stable=True)]
    ranks = torch.empty_like(values)
    places = torch.arange(values.shape[1], dtype=values.dtype) / values.shape[1]
    ranks.scatter_(1, order, places.expand_as(values))
    return ranks.reshape(len(maps), side, side)
