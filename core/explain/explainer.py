"""One face, one method, a map for every class, and the map of what decides between two."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.cam import layer_gradients, signed_grad_cam_weighing
from core.explain.closed_form import closed_grad_cam, has_closed_form
from core.explain.layers import default_layer, is_complete_at
from core.explain.methods import EXPLAINERS, MethodInfo
from core.explain.trace import traced
from core.types import Explanation


def explain(
    model: nn.Module,
    batch: NDArray[np.float32] | Tensor,
    labels: Sequence[str],
    method: str,
    layer: str | None = None,
) -> Explanation:
    """Maps of one face for every class.

    Args:
        model: In eval mode; neither its mode, hooks nor gradients change, so threads may share it.
        batch: float32 (1, C, S, S), normalised by Preprocess.
        labels: Class names in the order of the logits.
        method: A name in `EXPLAINERS`.
        layer: A name in `explainable_layers`; None for the method's own choice.

    Raises:
        ConfigError: No such method.
        ExplainError: The method does not apply to this model or layer, the model is in training
            mode, or the labels do not fit its logits.
    """
    info = EXPLAINERS[method]
    inputs = _checked_input(batch)
    chosen = layer_of(model, inputs, info, layer)
    maps = all_class_maps(model, inputs, len(labels), method, chosen)
    return Explanation(
        method=method,
        layer=chosen,
        labels=tuple(labels),
        maps=maps[0].cpu().numpy().astype(np.float32, copy=False),
        signed=info.signed,
        complete=info.complete and (method != "hires_cam" or is_complete_at(model, inputs, chosen)),
    )


def signed_grad_cam(
    model: nn.Module,
    batch: NDArray[np.float32] | Tensor,
    labels: Sequence[str],
    layer: str | None = None,
) -> Explanation:
    """Grad-CAM before its last ReLU, for where that leaves nothing: also what speaks against.

    Args:
        model: As for `explain`.
        batch: float32 (1, C, S, S).
        labels: Class names in the order of the logits.
        layer: As for `explain`.

    Returns:
        Of method "grad_cam", signed.

    Raises:
        ExplainError: As for `explain`.
    """
    inputs = _checked_input(batch)
    chosen = layer_of(model, inputs, EXPLAINERS["grad_cam"], layer)
    _check_classes(model, inputs, len(labels))
    targets = torch.arange(len(labels), device=inputs.device)[None]
    maps = signed_grad_cam_weighing(layer_gradients(model, inputs, targets, chosen))[0]
    return Explanation("grad_cam", chosen, tuple(labels), maps.cpu().numpy(), signed=True)


def layer_of(model: nn.Module, batch: Tensor, info: MethodInfo, layer: str | None) -> str:
    """The layer to explain: the one named, else the method's default.

    Raises:
        ExplainError: The method explains no layers and one is named.
    """
    if layer is None:
        return default_layer(model, batch, info.default_layer)
    if not info.any_layer and layer != default_layer(model, batch, info.default_layer):
        raise ExplainError(
            f"{info.title} does not explain layer {layer!r}. Leave the layer out, or choose a "
            "method that takes any layer."
        )
    return layer


def all_class_maps(
    model: nn.Module, batch: Tensor, classes: int, method: str, layer: str
) -> Tensor:
    """Maps of every class for every row, float32 (N, K, h, w).

    Raises:
        ExplainError: The method does not apply, or `classes` is not the number of logits.
    """
    _check_classes(model, batch, classes)
    closed = method == "grad_cam" and layer == getattr(model, "explain_layer", None)
    if closed and has_closed_form(model):
        with torch.inference_mode():
            maps = cast(tuple[Tensor, Tensor], closed_grad_cam(model)(batch))[1]
        return maps.clone()  # outside inference mode, hence usable anywhere
    targets = torch.arange(classes, device=batch.device).expand(batch.shape[0], -1)
    return EXPLAINERS[method].maps(model, batch, targets, layer)


def _checked_input(batch: NDArray[np.float32] | Tensor) -> Tensor:
    inputs = torch.as_tensor(batch)
    if inputs.ndim != 4 or inputs.shape[0] != 1 or not inputs.is_floating_point():
        raise ExplainError(
            f"Found an input of {inputs.dtype} and shape {tuple(inputs.shape)}; expected float32 "
            "(1, C, S, S), one preprocessed face."
        )
    return inputs


def _check_classes(model: nn.Module, batch: Tensor, classes: int) -> None:
    logits = traced(model, batch).classes
    if logits != classes:
        raise ExplainError(
            f"The network gives {logits} logits, but {classes} labels were named. "
            "Use the labels of its own card."
        )


def contrast_map(explanation: Explanation, label: str, other: str) -> NDArray[np.float32]:
    """What speaks for one class rather than another.

    The maps of signed methods are linear in the logit explained, so the difference of two of them
    is the map of the difference of the logits.

    Args:
        explanation: Of a signed method.
        label: The class spoken for, positive.
        other: The class spoken against, negative.

    Returns:
        float32 (h, w).

    Raises:
        ExplainError: The method is not signed: its maps leave out what speaks against a class.
    """
    if not explanation.signed:
        title = EXPLAINERS[explanation.method].title
        raise ExplainError(
            f"{title} keeps only what speaks for an expression, so the difference of two of its "
            "maps is not what decides between them. Choose a signed method, for example HiResCAM."
        )
    difference: NDArray[np.float32] = explanation.map_of(label) - explanation.map_of(other)
    return difference
