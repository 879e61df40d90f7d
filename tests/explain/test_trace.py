"""The private view: same numbers, shared weights, separate hooks."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.trace import frozen_view


@pytest.mark.parametrize("name", ["gimefive_se", "vgg", "resnet18", "mini_xception"])
def test_the_view_computes_the_same_from_the_same_memory(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like(name), face_like(name)

    view = frozen_view(model)

    assert torch.equal(view(batch), model(batch).detach())
    for own, shared in zip(view.state_dict().values(), model.state_dict().values(), strict=True):
        assert own.data_ptr() == shared.data_ptr()


def test_hooks_on_either_are_unknown_to_the_other(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=4), face_like("gimefive")
    heard: list[str] = []
    model.register_forward_hook(lambda *_: heard.append("model"))

    view = frozen_view(model)
    view.register_forward_hook(lambda *_: heard.append("view"))
    view(batch)
    model(batch)

    assert heard == ["view", "model"]


def test_a_backward_pass_through_the_view_leaves_no_gradient(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=4), face_like("gimefive").requires_grad_()

    frozen_view(model)(batch).sum().backward()

    assert batch.grad is not None
    assert all(weight.grad is None for weight in model.parameters())


def test_a_module_used_twice_is_one_module_in_the_view(
    trained_like: Callable[..., nn.Module],
) -> None:
    shared = nn.Linear(2, 2)
    view = frozen_view(nn.Sequential(shared, nn.ReLU(), shared).eval())

    assert view[0] is view[2]
    assert view[0] is not shared


def test_training_mode_anywhere_is_refused() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.ReLU()).eval()
    model[0].train()

    with pytest.raises(ExplainError, match="training mode"):
        frozen_view(model)
