"""Occlusion by windows, and the ways to take information out of a picture."""

from functools import cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn
from torch.nn import functional

from core.explain.trace import ROWS, frozen_view

BLUR_SHARE = 1 / 8  # standard deviation of the blur, in sides: no feature of a face survives it
SMOOTH_SHARE = 1 / 16  # the same for maps: no speckle survives it, a brow or an eye does
WINDOWS = 4  # occlusion windows side by side; they move by half a window

Edge = Literal["mirror", "nearest"]  # what lies behind the outermost cells, as SciPy names it


def blurred(batch: Tensor) -> Tensor:
    """The faces without detail, float32 (N, C, S, S).

    Args:
        batch: float32 (N, C, S, S).
    """
    return _gaussian(batch, int(batch.shape[-1]) * BLUR_SHARE, "mirror")


def smoothed(maps: Tensor) -> Tensor:
    """Maps of which a reader sees every detail, float (N, T, h, w).

    A Gaussian of a sixteenth of the side; behind the edge the outermost cells go on.

    Args:
        maps: float (N, T, h, w).
    """
    return _gaussian(maps, int(maps.shape[-1]) * SMOOTH_SHARE, "nearest")


def _gaussian(planes: Tensor, deviation: float, edge: Edge) -> Tensor:
    """Planes (N, C, h, w) blurred; deviation in cells."""
    down, across = (
        torch.from_numpy(_gaussian_matrix(int(side), deviation, edge)).to(planes)
        for side in planes.shape[-2:]
    )
    return down @ planes @ across.T


@cache
def _gaussian_matrix(cells: int, deviation: float, edge: Edge) -> NDArray[np.float32]:
    """The share of each cell of a line in each blurred one, float32 (cells, cells).

    Products with it take a fifth of the time of convolutions of single planes.
    """
    reach = min(max(round(3 * deviation), 1), cells - 1)
    units = np.eye(cells, dtype=np.float32)
    shares = gaussian_filter1d(units, deviation, axis=0, mode=edge, radius=reach)
    return np.asarray(shares, np.float32)


def filled(batch: Tensor, known: Tensor) -> Tensor:
    """The faces with their unknown pixels filled smoothly from the known ones.

    Push and pull over a pyramid (Gortler et al. 1996, section 3.4): each level averages the known
    pixels of the finer one, and holes take the value of the coarser level, interpolated.  It stands
    in for the linear imputation of ROAD (Rong et al. 2022) at a hundredth of its cost.

    Args:
        batch: float32 (N, C, S, S).
        known: bool (N, S, S); a face without any known pixel becomes 0, the mean grey.

    Returns:
        float32 (N, C, S, S); known pixels are as they were.
    """
    weight = known[:, None].to(batch.dtype)
    return _pulled(batch * weight, weight)


def _pulled(values: Tensor, weight: Tensor) -> Tensor:
    """Fill one level; `values` are zero where `weight` is."""
    if values.shape[-1] == 1:
        return values
    total = functional.avg_pool2d(values, 2, ceil_mode=True)
    share = functional.avg_pool2d(weight, 2, ceil_mode=True)
    coarse_known = (share > 0).to(values.dtype)
    coarse = _pulled(total / share.clamp(min=1e-9) * coarse_known, coarse_known)
    smooth = functional.interpolate(
        coarse, size=values.shape[-2:], mode="bilinear", align_corners=False
    )
    return values + (1 - weight) * smooth


def occlusion(model: nn.Module, batch: Tensor, targets: Tensor, _: str) -> Tensor:
    """Occlusion (Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2), on logits.

    A blurred window of a quarter of the side moves in steps of an eighth; a pixel gets the mean
    drop of the windows that cover it.  One pass serves all classes.
    """
    side = batch.shape[-1]
    size, step = side // WINDOWS, max(side // (2 * WINDOWS), 1)
    starts = list(range(0, side - size + 1, step))
    if starts[-1] != side - size:
        starts.append(side - size)  # the last window ends at the edge
    windows = torch.zeros(len(starts) ** 2, side, side, dtype=torch.bool, device=batch.device)
    for number, (top, left) in enumerate((top, left) for top in starts for left in starts):
        windows[number, top : top + size, left : left + size] = True
    covering = windows.to(batch.dtype)
    maps = []
    with torch.no_grad():
        view = frozen_view(model)
        whole = view(batch)  # (N, K)
        for face, hidden, logits, wanted in zip(batch, blurred(batch), whole, targets, strict=True):
            rows = torch.where(windows[:, None], hidden, face)  # (windows, C, S, S)
            rows = rows.contiguous(memory_format=torch.channels_last)  # quicker on CPUs
            drops = logits - torch.cat([view(part) for part in torch.split(rows, ROWS)])
            maps.append(torch.einsum("wt,wij->tij", drops[:, wanted], covering))
    return torch.stack(maps) / covering.sum(dim=0)
