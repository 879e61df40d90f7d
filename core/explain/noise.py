"""Noisy copies of faces, for maps that are averaged over them."""

from collections.abc import Iterator

import torch
from torch import Tensor

SEED = 20240229  # the same face gets the same map


def noisy_copies(rows: Tensor, copies: int, share: float) -> Iterator[Tensor]:
    """Faces with Gaussian noise (Smilkov et al. 2017, arXiv 1706.03825, section 3).

    Args:
        rows: float32 (N, C, S, S).
        copies: How many of each face.
        share: Standard deviation of the noise as a share of each face's own range of values.

    Yields:
        float32 (N, C, S, S), one copy of every face.
    """
    generator = torch.Generator(device=rows.device).manual_seed(SEED)
    reach = rows.amax(dim=(1, 2, 3), keepdim=True) - rows.amin(dim=(1, 2, 3), keepdim=True)
    for _ in range(copies):
        # One plane for all channels: the network's channels are copies of one grey picture,
        # and one for all rows, so that the map of a face does not depend on its neighbours.
        noise = torch.randn(
            (1, 1, *rows.shape[2:]), generator=generator, dtype=rows.dtype, device=rows.device
        )
        yield rows + share * reach * noise
