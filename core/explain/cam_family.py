"""Relatives of Grad-CAM that weigh a layer's feature maps, for any network and any layer.

All take (model, batch, targets, layer) as `grad_cam` does and return float32 (N, T, h, w).
"""

import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.gradients import layer_gradients
from core.explain.layers import feature_maps, find_layer
from core.explain.noise import noisy_copies
from core.explain.trace import traced
from core.explain.weighing import grad_cam_pp_weighing, hires_cam_weighing, layer_cam_weighing

NOISY_COPIES = 8
NOISE_SHARE = 0.08  # of the face's own range of values
ROWS = 64  # network inputs a pass


def grad_cam_pp(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Grad-CAM++, see `grad_cam_pp_weighing`."""
    return grad_cam_pp_weighing(layer_gradients(model, batch, targets, layer))


def hires_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """HiResCAM, see `hires_cam_weighing`."""
    return hires_cam_weighing(layer_gradients(model, batch, targets, layer))


def smooth_hires_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """HiResCAM averaged over noisy copies of the face, as SmoothGrad does with gradients."""
    count = max(1, ROWS // len(batch))  # copies a pass
    copies = list(noisy_copies(batch, NOISY_COPIES, NOISE_SHARE))
    total: Tensor | float = 0.0
    for start in range(0, NOISY_COPIES, count):
        some = copies[start : start + count]
        maps = hires_cam(model, torch.cat(some), targets.repeat(len(some), 1), layer)
        total = total + maps.reshape(len(some), len(batch), *maps.shape[1:]).sum(dim=0)
    return torch.as_tensor(total / NOISY_COPIES)


def layer_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Layer-CAM, see `layer_cam_weighing`."""
    return layer_cam_weighing(layer_gradients(model, batch, targets, layer))


def activation(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Mean absolute activation of a layer, the same for every class."""
    strength = feature_maps(model, batch, layer).abs().mean(dim=1)  # (N, h, w)
    return strength[:, None].expand(-1, targets.shape[1], -1, -1).clone()


def cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """CAM (Zhou et al. 2016, arXiv 1512.04150, Eq. 2), divided by the number of cells.

    So divided, the cells of a map sum to the class's logit minus its bias.

    Raises:
        ExplainError: The pooled features reach the logits through more than one linear layer.
    """
    weights = _class_weights(model, batch)
    maps = feature_maps(model, batch, layer)
    cells = maps.shape[2] * maps.shape[3]
    if weights is None:
        rows = torch.arange(len(maps), device=maps.device)[:, None]
        return maps[rows, targets] / cells
    return torch.einsum("ntc,nchw->nthw", weights[targets], maps) / cells


def _class_weights(model: nn.Module, batch: Tensor) -> Tensor | None:
    """Weights (K, C) from pooled features to logits; None where the features are the logits."""
    parts = [find_layer(model, name) for name in traced(model, batch).head]
    acting = [part for part in parts if not isinstance(part, nn.Dropout | nn.Flatten | nn.Identity)]
    if not acting:
        return None
    if len(acting) == 1 and isinstance(acting[0], nn.Linear):
        return acting[0].weight.detach()
    raise ExplainError(
        f"CAM needs global average pooling followed by one linear layer; {type(model).__name__} "
        f"has {', '.join(type(part).__name__ for part in acting)} behind it. "
        "Use Grad-CAM, which generalises CAM to such heads."
    )
