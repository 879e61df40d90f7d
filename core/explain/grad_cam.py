"""Grad-CAM for any network and any of its layers."""

from torch import Tensor, nn

from core.explain.gradients import layer_gradients
from core.explain.weighing import grad_cam_weighing


def grad_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, Eq. 1 and 2), on logits.

    Args:
        model: In eval mode.
        batch: float32 (N, C, S, S), normalised by Preprocess.
        targets: int64 (N, T), class indices a row.
        layer: Any layer with a feature map.

    Returns:
        float32 (N, T, h, w), at least 0, not stretched; zero where nothing speaks for the class.

    Raises:
        ExplainError: See `layer_gradients`.
    """
    return grad_cam_weighing(layer_gradients(model, batch, targets, layer))
