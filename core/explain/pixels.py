"""Methods that ask every pixel: gradients by the input, and hiding by windows.

All take (model, batch, targets, layer) as `grad_cam` does and return float32 (N, T, S, S).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.explain.fill import blurred
from core.explain.frozen import frozen_view
from core.explain.noise import noisy_copies

NOISY_COPIES = 16  # SmoothGrad's paper sees little change beyond 50, most of it before 16
NOISE_SHARE = 0.15  # of the face's own range of values; the paper recommends 0.1 to 0.2
ROWS = 64  # network inputs a pass
WINDOWS = 4  # occlusion windows side by side; they move by half a window


# (rows (n, C, S, S), targets (n,)) -> maps (n, S, S)
RowMethod = Callable[[Tensor, Tensor], Tensor]


def saliency(model: nn.Module, batch: Tensor, targets: Tensor, _: str) -> Tensor:
    """Saliency (Simonyan et al. 2014, arXiv 1312.6034, section 3.1), by Captum."""
    return by_rows(
        batch, targets, lambda rows, wanted: largest(input_gradient(model, rows, wanted))
    )


def smooth_grad(model: nn.Module, batch: Tensor, targets: Tensor, _: str) -> Tensor:
    """SmoothGrad (Smilkov et al. 2017, arXiv 1706.03825): gradients averaged over noisy copies."""

    def smooth(rows: Tensor, wanted: Tensor) -> Tensor:
        total = torch.zeros_like(rows)
        for copy in noisy_copies(rows, NOISY_COPIES, NOISE_SHARE):
            total += input_gradient(model, copy, wanted)
        return largest(total / NOISY_COPIES)

    return by_rows(batch, targets, smooth)


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


def input_gradient(model: nn.Module, rows: Tensor, targets: Tensor) -> Tensor:
    """Derivative of each row's logit by its pixels, by Captum.

    Args:
        model: In eval mode.
        rows: float32 (n, C, S, S).
        targets: int64 (n,).

    Returns:
        float32 (n, C, S, S).
    """
    from captum.attr import Saliency  # takes seconds, which Grad-CAM need not wait for

    with torch.inference_mode(False), torch.enable_grad():
        inputs = rows.clone().requires_grad_()
        found: Tensor = Saliency(frozen_view(model)).attribute(
            inputs, target=targets.clone(), abs=False
        )
    return found.detach()


def largest(gradient: Tensor) -> Tensor:
    """Largest absolute value over the channels, (n, S, S)."""
    return gradient.abs().amax(dim=1)


def by_rows(batch: Tensor, targets: Tensor, method: RowMethod) -> Tensor:
    """Apply a method of single (face, class) rows to all pairs, float32 (N, T, S, S)."""
    count = targets.shape[1]
    rows = torch.split(batch.repeat_interleave(count, dim=0), ROWS)
    classes = torch.split(targets.reshape(-1), ROWS)
    parts = [method(part, wanted) for part, wanted in zip(rows, classes, strict=True)]
    maps = torch.cat(parts)
    return maps.reshape(len(batch), count, *batch.shape[2:])
