"""Gradients of logits with respect to a layer: trunk without a graph, head with one."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.frozen import frozen_view
from core.explain.layers import check_feature_map, find_layer


@dataclass(frozen=True, slots=True, eq=False)
class LayerGradients:
    """A layer's feature maps and what each logit makes of them.

    Attributes:
        activations: float32 (N, C, h, w).
        gradients: float32 (T, N, C, h, w), dy / dA for the T targets of each row.
        logits: float32 (N, K).
    """

    activations: Tensor
    gradients: Tensor
    logits: Tensor


def layer_gradients(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> LayerGradients:
    """Differentiate logits by the output of any layer.

    The trunk up to the layer runs without a graph, so the cost is one forward pass and one backward
    pass through the head for all targets together.

    Args:
        model: In eval mode; neither its mode, hooks nor gradients change.
        batch: float32 (N, C, S, S), normalised by Preprocess.
        targets: int64 (N, T), class indices a row.
        layer: Name of a module that gives (N, C, h, w) once a pass.

    Raises:
        ExplainError: Training mode, no such layer, or a layer without exactly one feature map.
    """
    view = frozen_view(model)
    found: list[Tensor] = []

    def cut(_: nn.Module, __: object, output: Tensor) -> Tensor:
        found.append(output.detach().requires_grad_())
        torch.set_grad_enabled(True)  # from here on; the caller's mode returns with the `with`
        return found[-1].clone()  # a leaf may not be changed in place by the next module

    find_layer(view, layer).register_forward_hook(cut)
    with torch.inference_mode(False):
        # A tensor born in inference mode may not take part in a graph; its clone may.
        inputs = batch.clone() if batch.is_inference() else batch
        with torch.no_grad():
            logits: Tensor = view(inputs)
        check_feature_map(found, layer)
        with torch.enable_grad():
            gradients = _gradients(logits, targets, found[0])
    return LayerGradients(found[0].detach(), gradients, logits.detach())


def _gradients(logits: Tensor, targets: Tensor, activations: Tensor) -> Tensor:
    """Derivative dy / dA for every column of `targets`, float32 (T, N, C, h, w).

    One column at a time is as fast as all at once (`is_grads_batched`), which makes torch import
    sympy, more than a second, before its first answer.
    """
    columns = targets.T.clone()  # born in inference mode, they could not take part in a graph
    scores = [logits.gather(1, column[:, None]).sum() for column in columns]  # rows do not mix
    last = len(scores) - 1
    return torch.stack(
        [
            torch.autograd.grad(score, activations, retain_graph=number < last)[0]
            for number, score in enumerate(scores)
        ]
    )
