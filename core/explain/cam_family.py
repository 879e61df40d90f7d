"""Relatives of Grad-CAM that weigh a layer's feature maps, for any network and any layer.

All take (model, batch, targets, layer) as `grad_cam` does and return float32 (N, T, h, w).
"""

import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.gradients import layer_gradients
from core.explain.layers import feature_maps, find_layer
from core.explain.trace import traced


def grad_cam_pp(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Grad-CAM++ (Chattopadhay et al. 2018, arXiv 1710.11063, Eq. 5, 10 and 19).

    The paper's score is exp(y_c); its derivatives are exp(y_c) times powers of g, and the factor,
    equal for all cells, is left out.
    """
    found = layer_gradients(model, batch, targets, layer)
    gradient, maps = found.gradients, found.activations  # (T, N, C, h, w), (N, C, h, w)
    square = gradient**2
    share = 2 * square + maps.sum(dim=(2, 3), keepdim=True) * square * gradient
    alpha = torch.where(share != 0, square / torch.where(share != 0, share, 1), 0)
    weights = (alpha * torch.relu(gradient)).sum(dim=(3, 4))  # (T, N, C)
    return torch.relu(torch.einsum("tnc,nchw->nthw", weights, maps))


def hires_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """HiResCAM (Draelos and Carin 2020, arXiv 2011.08891, Eq. 3), signed: no final ReLU."""
    found = layer_gradients(model, batch, targets, layer)
    return torch.einsum("tnchw,nchw->nthw", found.gradients, found.activations)


def layer_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Layer-CAM (Jiang et al. 2021, Eq. 5 and 6)."""
    found = layer_gradients(model, batch, targets, layer)
    positive = torch.relu(found.gradients)
    return torch.relu(torch.einsum("tnchw,nchw->nthw", positive, found.activations))


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
