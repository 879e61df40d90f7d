"""A private view of a shared network: its weights, but modules and hooks of its own."""

from collections import OrderedDict
from typing import TypeVar

from torch import nn

from core.errors import ExplainError

M = TypeVar("M", bound=nn.Module)

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks_with_kwargs",
)


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
