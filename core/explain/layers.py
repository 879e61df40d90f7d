"""The layers of a network that can be explained: those that give one feature map a pass."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.frozen import frozen_view
from core.explain.method import DefaultLayer

INPUT = "input"  # the layer name of methods that explain pixels
FINE_CELLS = 16  # cells a side; from here on brow, eye and mouth lie in cells of their own


@dataclass(frozen=True, slots=True)
class Layer:
    """One module as a forward pass meets it.

    Attributes:
        name: As `model.get_submodule` resolves it.
        kind: Class name of the module.
        shape: Of its output without the batch, for example (256, 16, 16).
        calls: How often one pass uses it; maps exist for exactly one.
        is_leaf: Whether it has no parts of its own.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    calls: int
    is_leaf: bool

    @property
    def is_explainable(self) -> bool:
        """Whether it gives one feature map (channels, height, width) a pass."""
        return self.calls == 1 and len(self.shape) == 3


def layers(model: nn.Module, sample: Tensor) -> list[Layer]:
    """Every layer that one pass meets, in the order in which they finish.

    Args:
        model: In eval mode.
        sample: float32 (N, C, S, S), any input of the right size.

    Raises:
        ExplainError: The model is in training mode.
    """
    return list(_traced(model, sample)[:-1])


def class_count(model: nn.Module, sample: Tensor) -> int:
    """Number of logits K the network gives for such an input."""
    return _traced(model, sample)[-1].shape[0]


# A network's structure does not change once it is built, and tracing it costs a forward pass.
_TRACES: WeakKeyDictionary[nn.Module, dict[torch.Size, tuple[Layer, ...]]] = WeakKeyDictionary()


def _traced(model: nn.Module, sample: Tensor) -> tuple[Layer, ...]:
    """Layers in the order in which they finish; the last is the network itself."""
    known = _TRACES.setdefault(model, {})
    size = sample.shape[1:]
    if size not in known:
        known[size] = _trace(model, sample)
    return known[size]


def _trace(model: nn.Module, sample: Tensor) -> tuple[Layer, ...]:
    view = frozen_view(model)
    found: dict[str, Layer] = {}

    for name, module in view.named_modules():

        def record(module: nn.Module, _: object, output: object, name: str = name) -> None:
            before = found.pop(name).calls if name in found else 0
            shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else ()
            is_leaf = not any(True for _ in module.children())
            found[name] = Layer(name, type(module).__name__, shape, before + 1, is_leaf)

        module.register_forward_hook(record)
    with torch.no_grad():
        view(sample[:1])
    return tuple(found.values())


def explainable_layers(model: nn.Module, sample: Tensor) -> list[str]:
    """Names of all layers a map can be made of, first to last."""
    return [layer.name for layer in layers(model, sample) if layer.is_explainable]


def default_layer(model: nn.Module, sample: Tensor, rule: DefaultLayer) -> str:
    """The layer a method explains unless one is named.

    Args:
        model: In eval mode, with an attribute `explain_layer`.
        sample: float32 (N, C, S, S).
        rule: See `MethodInfo.default_layer`.

    Raises:
        ExplainError: The network has no such layer.
    """
    if rule == "input":
        return INPUT
    if rule == "last":
        return last_convolution(model)
    least = FINE_CELLS if rule == "fine" else 1
    fitting = [
        layer.name
        for layer in layers(model, sample)
        if layer.is_explainable and layer.kind == "ReLU" and min(layer.shape[1:]) >= least
    ]
    if not fitting:
        raise ExplainError(
            f"{type(model).__name__} has no ReLU module with at least {least}x{least} cells. "
            "Name a layer, or choose another method."
        )
    return fitting[-1]


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
