"""One pass of a network, watched on a private copy of its modules."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from core.errors import ExplainError

M = TypeVar("M", bound=nn.Module)

ROWS = 64  # network inputs a pass
_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks_with_kwargs",
)
_RELU_OPERATORS = {"aten::relu", "aten::relu_", "aten::threshold", "aten::clamp_min"}


def frozen_view(model: M) -> M:
    """Copy of the module tree that shares every weight but no hook, mode or gradient.

    Hooks set on the view never reach the original, so threads that share a model can each explain
    with a view of their own.  Weights of the view are detached: a backward pass through it can
    neither fill the original's `.grad` nor spend time on weight gradients.

    Args:
        model: A network in eval mode.  A module it uses twice is used twice by the view as well.

    Returns:
        The view, about a millisecond's work and no copy of the weights.

    Raises:
        ExplainError: The model or a part of it is in training mode.
    """
    seen: dict[int, nn.Module] = {}

    def view(module: nn.Module) -> nn.Module:
        if id(module) in seen:
            return seen[id(module)]
        if module.training:
            raise ExplainError(
                "The network is in training mode, where dropout and batch norm make its answer "
                "depend on chance and on the batch. Call model.eval() first."
            )
        twin = module.__new__(type(module))
        seen[id(module)] = twin
        twin.__dict__ = dict(module.__dict__)
        for name in _HOOKS:
            twin.__dict__[name] = OrderedDict()
        twin.__dict__["_parameters"] = {
            name: None if weight is None else weight.detach()
            for name, weight in module._parameters.items()
        }
        twin.__dict__["_buffers"] = dict(module._buffers)
        twin.__dict__["_modules"] = {
            name: None if child is None else view(child) for name, child in module._modules.items()
        }
        return twin

    twin = view(model)
    if not isinstance(twin, type(model)):  # cannot happen; tells the type checker
        raise TypeError(type(twin))
    return twin


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
        """Whether it gives one feature map (channels, height, width) a pass.

        Faces are square, so what is not has its channels elsewhere, as in Swin Transformers.
        """
        return self.calls == 1 and len(self.shape) == 3 and self.shape[1] == self.shape[2]


@dataclass(frozen=True, slots=True)
class Trace:
    """One forward pass.

    Attributes:
        layers: In the order in which they finish.
        classes: Number of logits K.
        pooled: Layer whose output the last global average pooling takes in; None without one.
        head: Modules without parts that run after that pooling.
        normed: Pairs of a convolution and the batch norm that takes its output in.
        rectified: Layers whose output is that of a ReLU module, each map once: the module itself,
            or what it ends where one pass uses it several times.
    """

    layers: tuple[Layer, ...]
    classes: int
    pooled: str | None
    head: tuple[str, ...]
    normed: tuple[tuple[str, str], ...]
    rectified: tuple[str, ...]


# A network's structure does not change once it is built, and tracing it costs a forward pass.
_TRACES: WeakKeyDictionary[nn.Module, dict[torch.Size, Trace]] = WeakKeyDictionary()


def traced(model: nn.Module, sample: Tensor) -> Trace:
    """The trace of a network for inputs of this size.

    Args:
        model: In eval mode.
        sample: float32 (N, C, S, S), any input of the right size.

    Raises:
        ExplainError: The model is in training mode.
    """
    known = _TRACES.setdefault(model, {})
    size = sample.shape[1:]
    if size not in known:
        known[size] = _trace(model, sample[:1])
    return known[size]


def functional_relus(model: nn.Module, sample: Tensor) -> int:
    """Number of ReLUs in one pass that no ReLU module computes.

    Apart from `traced`, since watching operators makes torch load its compiler, for seconds.

    Args:
        model: In eval mode.
        sample: float32 (N, C, S, S), any input of the right size.

    Raises:
        ExplainError: The model is in training mode.
    """
    view = frozen_view(model)
    calls: list[nn.Module] = []
    for module in view.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda module, _, __: calls.append(module))
    with torch.no_grad(), _ReluCounter() as counter:
        view(sample[:1])
    hidden: int = counter.count - len(calls)
    return hidden


class _ReluCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts how often a ReLU is computed, by whatever called it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's own signature
        self.count += func._schema.name in _RELU_OPERATORS
        return func(*args, **(kwargs or {}))


class _Recorder:
    """Hooks on a private view of the network."""

    def __init__(self) -> None:
        self.layers: dict[str, Layer] = {}
        self.outputs: list[tuple[str, object]] = []  # kept alive, so that `is` means the same
        self.pooled: str | None = None
        self.head: list[str] = []
        self.normed: list[tuple[str, str]] = []

    def watch(self, name: str, module: nn.Module) -> None:
        is_leaf = not any(True for _ in module.children())

        def record(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            before = self.layers.pop(name).calls if name in self.layers else 0
            shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else ()
            self.layers[name] = Layer(name, type(module).__name__, shape, before + 1, is_leaf)
            if isinstance(module, nn.AdaptiveAvgPool2d) and shape[1:] == (1, 1):
                self.pooled = self._maker(inputs[0])
                self.head = []
            elif is_leaf:
                self.head.append(name)
            if isinstance(module, nn.BatchNorm2d):
                self.normed.append((self._maker(inputs[0]) or "", name))
            self.outputs.append((name, output))

        module.register_forward_hook(record)

    def _maker(self, tensor: object) -> str | None:
        """Name of the first module that gave this very tensor out, better one used once so far."""
        names = [name for name, made in self.outputs if made is tensor]
        once = (name for name in names if self.layers[name].calls == 1)
        return next(once, names[0] if names else None)

    def rectified(self) -> tuple[str, ...]:
        """Layers that give the output of a ReLU module, in the order in which they finish."""
        ends = [made for name, made in self.outputs if self.layers[name].kind == "ReLU"]
        return tuple(dict.fromkeys(self._maker(made) or "" for made in ends))

    def single_pairs(self) -> tuple[tuple[str, str], ...]:
        """Convolutions and batch norms that meet once and only each other."""
        return tuple(
            (conv, norm)
            for conv, norm in self.normed
            if conv in self.layers
            and self.layers[conv].kind == "Conv2d"
            and self.layers[conv].calls == self.layers[norm].calls == 1
        )


def _trace(model: nn.Module, sample: Tensor) -> Trace:
    view = frozen_view(model)
    recorder = _Recorder()
    for name, module in view.named_modules():
        if name:
            recorder.watch(name, module)
    with torch.no_grad():
        logits = view(sample)
    return Trace(
        layers=tuple(recorder.layers.values()),
        classes=int(logits.shape[1]),
        pooled=recorder.pooled,
        head=tuple(recorder.head),
        normed=recorder.single_pairs(),
        rectified=recorder.rectified(),
    )


@contextmanager
def watched(on_passes: Callable[[int], None]) -> Iterator[None]:
    """Call `on_passes` at every convolution that this thread computes within the block.

    The network is not touched, so other threads may use it meanwhile.  Whatever `on_passes` raises
    ends the computation.

    Args:
        on_passes: Takes the number of pictures that have entered the network so far.
    """
    with _Watch(on_passes):
        yield


class _Watch(TorchFunctionMode):
    """Counts the pictures given to the convolution that was called first, the network's first."""

    def __init__(self, on_passes: Callable[[int], None]) -> None:
        super().__init__()
        self._on_passes = on_passes
        self._passes = 0
        self._first: tuple[int, ...] = ()  # shape of the first convolution's weights

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401 - torch's own signature
        types: Any,  # noqa: ANN401
        args: Any = (),  # noqa: ANN401
        kwargs: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        if func is torch.conv2d:
            rows, weights = args[0], args[1]
            self._first = self._first or tuple(weights.shape)
            if tuple(weights.shape) == self._first:
                self._passes += len(rows)
            self._on_passes(self._passes)
        return func(*args, **(kwargs or {}))
