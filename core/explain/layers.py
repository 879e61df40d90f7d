"""The layers of a network that can be explained: those that give one feature map a pass."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.trace import Layer, frozen_view, traced
from core.types import FINE_CELLS, DefaultLayer

FEWEST_CELLS = 2  # a side, of a map that says where
INPUT = "input"  # the layer name of methods that explain pixels

# Behind a layer these leave a sum over its cells intact, up to the linear layers' own biases.
_ADD_NO_CELL_BIAS = {
    "MaxPool2d",
    "AvgPool2d",
    "AdaptiveAvgPool2d",
    "Dropout",
    "Flatten",
    "Identity",
    "ReLU",
    "Linear",
}


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What a network makes of reference faces on average, at one layer.

    Attributes:
        layer: Its name.
        weights: float32 (K, C, h / 2, w / 2), E[g A] / E[A] with g = dy_c / dA less its mean
            over the classes, over the faces and over two by two cells.
        offset: float32 (K, h, w), the weights times E[A], summed over the channels.
        faces: How many faces were averaged.
    """

    layer: str
    weights: Tensor
    offset: Tensor
    faces: int


def model_layers(model: nn.Module, sample: Tensor) -> list[Layer]:
    """Every layer that one pass meets, in the order in which they finish.

    Args:
        model: In eval mode.
        sample: float32 (N, C, S, S), any input of the right size.

    Raises:
        ExplainError: The model is in training mode.
    """
    return list(traced(model, sample).layers)


def explainable_layers(model: nn.Module, sample: Tensor) -> list[str]:
    """Names of all layers a map can be made of, first to last."""
    return [layer.name for layer in model_layers(model, sample) if layer.is_explainable]


def default_layer(model: nn.Module, sample: Tensor, rule: DefaultLayer) -> str:
    """The layer a method explains unless one is named.

    Args:
        model: In eval mode. One without an attribute `explain_layer`, built elsewhere, is taken as
            one pass finds it.
        sample: float32 (N, C, S, S).
        rule: See `MethodInfo.default_layer`.

    Raises:
        ExplainError: The network has no such layer.
    """
    if rule == "input":
        return INPUT
    if rule == "last":
        return last_convolution(model) if _is_declared(model) else _last_map(model, sample)
    if rule == "pooled":
        return _pooled_layer(model, sample)
    if rule == "reference":
        return reference_of(model).layer
    fitting = [name for name, side in _rectified(model, sample) if side >= FINE_CELLS]
    if not fitting and not _is_declared(model):
        return _last_map(model, sample, FINE_CELLS)
    if not fitting:
        raise ExplainError(
            f"{type(model).__name__} has no ReLU module with at least {FINE_CELLS}x{FINE_CELLS} "
            "cells. Name a layer, or choose another method."
        )
    return fitting[-1]


def is_complete_at(model: nn.Module, sample: Tensor, layer: str) -> bool:
    """Whether gradient times activation at this layer sums to the logit up to linear biases."""
    found = [entry for entry in model_layers(model, sample) if entry.is_leaf]
    names = [entry.name for entry in found]
    if layer not in names:
        return False
    place = names.index(layer)
    behind = {entry.kind for entry in found[place + 1 :]}
    return found[place].kind == "ReLU" and behind <= _ADD_NO_CELL_BIAS


def _rectified(model: nn.Module, sample: Tensor) -> list[tuple[str, int]]:
    """Layers that give the feature map of a ReLU, with their cells a side."""
    found = traced(model, sample)
    return [
        (layer.name, min(layer.shape[1:]))
        for layer in found.layers
        if layer.is_explainable and layer.name in found.rectified
    ]


def _is_declared(model: nn.Module) -> bool:
    """Whether a network says which layer to explain, as those of `core.models` do."""
    return isinstance(getattr(model, "explain_layer", None), str)


def _last_map(model: nn.Module, sample: Tensor, cells: int = FEWEST_CELLS) -> str:
    """The last layer with a feature map of so many cells a side, else with the most there are.

    What global average pooling takes in goes first; what pooling gives is a copy of another layer.
    """
    found = traced(model, sample)
    sides = {
        layer.name: layer.shape[1]
        for layer in found.layers
        if layer.is_explainable and not layer.kind.endswith("Pool2d")
    }
    if max(sides.values(), default=0) < FEWEST_CELLS:
        raise ExplainError(
            f"{type(model).__name__} has no layer with a feature map. Choose a method that "
            "explains pixels, for example occlusion."
        )
    fitting = [name for name, side in sides.items() if side >= min(cells, max(sides.values()))]
    return found.pooled if found.pooled in fitting else fitting[-1]


def _pooled_layer(model: nn.Module, sample: Tensor) -> str:
    name = traced(model, sample).pooled
    if name is None:
        raise ExplainError(
            f"{type(model).__name__} has no global average pooling. Choose another method, for "
            "example Grad-CAM."
        )
    return name


def carried_reference(model: nn.Module) -> Reference | None:
    """The reference that a network carries; None without one."""
    found = getattr(model, "reference", None)
    return found if isinstance(found, Reference) else None


def reference_of(model: nn.Module) -> Reference:
    """The reference that a network carries.

    Raises:
        ExplainError: It carries none.
    """
    found = carried_reference(model)
    if found is None:
        raise ExplainError(
            "Expected CAM needs the mean of reference faces, which this checkpoint does not keep. "
            "Make it with `python -m core faithfulness RUN`, or choose another method."
        )
    return found


def give_reference(model: nn.Module, reference: Reference | None) -> None:
    """Let a network carry a reference; None takes it away."""
    object.__setattr__(model, "reference", reference)


def feature_maps(model: nn.Module, batch: Tensor, layer: str) -> Tensor:
    """The output of any layer, float32 (N, C, h, w) for a feature map.

    Args:
        model: In eval mode.
        batch: float32 (N, C, S, S), normalised by Preprocess.
        layer: A name in `explainable_layers`.

    Raises:
        ExplainError: Training mode, no such layer, or one that does not run exactly once.
    """
    found = layer_outputs(model, batch, layer)
    check_feature_map(found, layer)
    return found[0]


def layer_outputs(model: nn.Module, batch: Tensor, layer: str) -> list[Tensor]:
    """What a layer gives in one pass, one tensor for each time it runs.

    Args:
        model: In eval mode.
        batch: float32 (N, C, S, S), normalised by Preprocess.
        layer: Any name in `model_layers`.

    Raises:
        ExplainError: Training mode, or no such layer.
    """
    view = frozen_view(model)
    found: list[Tensor] = []
    find_layer(view, layer).register_forward_hook(
        lambda _, __, output: found.append(output.clone())  # what follows may add to it in place
    )
    with torch.no_grad():
        view(batch)
    return found


def check_feature_map(found: list[Tensor], layer: str) -> None:
    """Refuse what is not exactly one (N, C, h, w).

    Raises:
        ExplainError: The outputs met in one pass are something else.
    """
    if len(found) != 1:
        raise ExplainError(
            f"Layer {layer!r} runs {len(found)} times in one pass, so it has no single feature "
            "map. Choose a layer that runs once."
        )
    if found[0].ndim != 4:
        raise ExplainError(
            f"Layer {layer!r} gives {tuple(found[0].shape)}, no feature map of (N, channels, "
            "height, width). Choose a convolution, batch norm, ReLU or pooling layer."
        )


def last_convolution(model: nn.Module) -> str:
    """Name of the last convolution, which the network itself declares.

    Raises:
        ExplainError: It declares none.
    """
    name = getattr(model, "explain_layer", None)
    if not isinstance(name, str):
        raise ExplainError(
            f"{type(model).__name__} does not say which layer to explain. Name one of its layers."
        )
    return name


def find_layer(model: nn.Module, name: str) -> nn.Module:
    """The module of that name.

    Raises:
        ExplainError: There is none.
    """
    try:
        return model.get_submodule(name)
    except AttributeError as error:
        raise ExplainError(
            f"{type(model).__name__} has no layer {name!r}. "
            f"Its last convolution is {getattr(model, 'explain_layer', 'not declared')!r}."
        ) from error
