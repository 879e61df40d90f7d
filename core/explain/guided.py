"""Guided backpropagation and guided Grad-CAM."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ExplainError
from core.explain.cam import grad_cam
from core.explain.saliency import by_rows, input_gradient, largest
from core.explain.trace import frozen_view, functional_relus

_OTHER_ACTIVATIONS = frozenset(
    ("SiLU", "GELU", "Hardswish", "ReLU6", "Mish", "ELU", "SELU", "CELU", "LeakyReLU", "PReLU")
)


class _GuidedReLU(torch.autograd.Function):
    """ReLU whose backward pass lets positive gradients through only."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ANN401 - torch's own signature
        ctx.save_for_backward(values)
        return values.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        (values,) = ctx.saved_tensors
        passed: Tensor = gradients[0].clamp(min=0) * (values > 0)
        return passed


class _GuidedModule(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        result: Tensor = _GuidedReLU.apply(values)
        return result


def guided_backprop(model: nn.Module, batch: Tensor, targets: Tensor, _: str) -> Tensor:
    """Guided backpropagation (Springenberg et al. 2015, arXiv 1412.6806, section 3.4).

    The ReLU modules of a private view are exchanged, so nothing is hooked into the network.

    Args:
        model: In eval mode, with every ReLU a module of its own.
        batch: float32 (N, C, S, S).
        targets: int64 (N, T).

    Returns:
        float32 (N, T, S, S), the largest absolute value over the channels.

    Raises:
        ExplainError: The network computes a ReLU outside of a module, where the rule cannot be
            changed and the map would silently equal plain saliency, or has other activations, for
            which there is no rule.
    """
    kinds = {type(module).__name__ for module in model.modules()}
    others = sorted(kinds & _OTHER_ACTIVATIONS)
    if others:
        raise ExplainError(
            f"Guided backpropagation is a rule for ReLUs; {type(model).__name__} has "
            f"{' and '.join(others)}. Choose another method, for example saliency."
        )
    hidden = functional_relus(model, batch)
    if hidden:
        raise ExplainError(
            f"{type(model).__name__} computes {hidden} of its ReLUs by a function, not by an "
            "nn.ReLU module, so guided backpropagation would equal plain saliency. "
            "Choose saliency, or build the network from ReLU modules."
        )
    guided = _with_guided_relus(model)
    return by_rows(
        batch, targets, lambda rows, wanted: largest(input_gradient(guided, rows, wanted))
    )


def guided_grad_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Guided Grad-CAM (Selvaraju et al. 2017, section 3.2): the bilinear map times the gradient.

    Returns:
        float32 (N, T, S, S).

    Raises:
        ExplainError: See `guided_backprop` and `grad_cam`.
    """
    coarse = grad_cam(model, batch, targets, layer)
    fine = functional.interpolate(
        coarse, size=batch.shape[-2:], mode="bilinear", align_corners=False
    )
    return fine * guided_backprop(model, batch, targets, layer)


def _with_guided_relus(model: nn.Module) -> nn.Module:
    view = frozen_view(model)
    for module in list(view.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, _GuidedModule().eval())
    return view
