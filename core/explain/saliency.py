"""Gradients by the input: saliency and SmoothGrad, and noisy copies of a face to average over."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from core.explain.trace import ROWS, frozen_view

SEED = 20240229  # the same face gets the same map
NOISY_COPIES = 16  # SmoothGrad's paper sees little change beyond 50, most of it before 16
NOISE_SHARE = 0.15  # of the face's own range of values; the paper recommends 0.1 to 0.2
# (rows (n, C, S, S), targets (n,)) -> maps (n, S, S)
RowMethod = Callable[[Tensor, Tensor], Tensor]


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


def saliency(model: nn.Module, batch: Tensor, targets: Tensor, _: str) -> Tensor:
    """Saliency (Simonyan et al. 2014, arXiv 1312.6034, section 3.1)."""
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


def input_gradient(model: nn.Module, rows: Tensor, targets: Tensor) -> Tensor:
    """Derivative of each row's logit by its pixels.

    Args:
        model: In eval mode.
        rows: float32 (n, C, S, S).
        targets: int64 (n,).

    Returns:
        float32 (n, C, S, S).
    """
    with torch.inference_mode(False), torch.enable_grad():
        # Tensors born in inference mode may not take part in a graph; their clones may.
        inputs = rows.clone().requires_grad_()
        logits: Tensor = frozen_view(model)(inputs)
        scores = logits.gather(1, targets.clone()[:, None])
        (found,) = torch.autograd.grad(scores.sum(), inputs)  # rows do not mix
    return found


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
