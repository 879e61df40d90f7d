"""How Grad-CAM and its relatives weigh a layer's feature maps by their gradients."""

from collections.abc import Callable

import torch
from torch import Tensor

from core.explain.gradients import LayerGradients

# float32 (N, T, h, w) from feature maps and gradients
Weighing = Callable[[LayerGradients], Tensor]


def grad_cam_weighing(found: LayerGradients) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, Eq. 1 and 2), on logits."""
    weights = found.gradients.mean(dim=(3, 4))  # (T, N, C)
    return torch.relu(torch.einsum("tnc,nchw->nthw", weights, found.activations))


def grad_cam_pp_weighing(found: LayerGradients) -> Tensor:
    """Grad-CAM++ (Chattopadhay et al. 2018, arXiv 1710.11063, Eq. 5, 10 and 19).

    The paper's score is exp(y_c); its derivatives are exp(y_c) times powers of g, and the factor,
    equal for all cells, is left out.
    """
    gradient, maps = found.gradients, found.activations  # (T, N, C, h, w), (N, C, h, w)
    square = gradient**2
    share = 2 * square + maps.sum(dim=(2, 3), keepdim=True) * square * gradient
    alpha = torch.where(share != 0, square / torch.where(share != 0, share, 1), 0)
    weights = (alpha * torch.relu(gradient)).sum(dim=(3, 4))  # (T, N, C)
    return torch.relu(torch.einsum("tnc,nchw->nthw", weights, maps))


def hires_cam_weighing(found: LayerGradients) -> Tensor:
    """HiResCAM (Draelos and Carin 2020, arXiv 2011.08891, Eq. 3), signed: no final ReLU."""
    return torch.einsum("tnchw,nchw->nthw", found.gradients, found.activations)


def layer_cam_weighing(found: LayerGradients) -> Tensor:
    """Layer-CAM (Jiang et al. 2021, Eq. 5 and 6)."""
    positive = torch.relu(found.gradients)
    return torch.relu(torch.einsum("tnchw,nchw->nthw", positive, found.activations))


WEIGHINGS: dict[str, Weighing] = {
    "grad_cam": grad_cam_weighing,
    "grad_cam_pp": grad_cam_pp_weighing,
    "hires_cam": hires_cam_weighing,
    "layer_cam": layer_cam_weighing,
}
