"""Integrated gradients: known integrals, Captum's sums, and cuts where the gradient jumps."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from core.explain.integrated_gradients import integrated_gradients
from core.explain.saliency import input_gradient


class Quadratic(nn.Module):
    """y_0 = half the sum of squares, whose gradient is the picture itself."""

    def forward(self, batch: Tensor) -> Tensor:
        return (batch**2).sum(dim=(1, 2, 3))[:, None] / 2


class Bend(nn.Module):
    """y_0 = 50 relu(sum - 3): flat until the sum is 3, steep from there on."""

    def forward(self, batch: Tensor) -> Tensor:
        return 50 * (batch.sum(dim=(1, 2, 3))[:, None] - 3).clamp(min=0)


ONE = torch.tensor([[0]])


def test_of_a_quadratic_they_are_half_the_squares() -> None:
    batch = torch.randn(1, 2, 16, 16, generator=torch.Generator().manual_seed(0))

    maps = integrated_gradients(Quadratic().eval(), batch, ONE, "input")

    torch.testing.assert_close(maps[0, 0], (batch[0] ** 2).sum(dim=0) / 2)


def test_a_bend_is_found_by_few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = torch.full((1, 1, 4, 4), 0.5)  # sums to 8; the bend lies at 3 / 8 of the way
    asked = 0

    def counted(model: nn.Module, rows: Tensor, targets: Tensor) -> Tensor:
        nonlocal asked
        asked += len(rows)
        return input_gradient(model, rows, targets)

    monkeypatch.setattr("core.explain.integrated_gradients.input_gradient", counted)

    maps = integrated_gradients(Bend().eval(), batch, ONE, "input", first=10)

    torch.testing.assert_close(maps[0, 0], torch.full((4, 4), 250 / 16), rtol=0, atol=1e-4)
    assert asked < 100  # even steps miss by up to 400 / (2 steps)


def test_the_points_have_an_end() -> None:
    """An answer that jumps has no gradient to find it by."""

    class Step(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            total = batch.sum(dim=(1, 2, 3))
            return ((total > 3).float() + 0 * total)[:, None]

    maps = integrated_gradients(Step().eval(), torch.ones(1, 1, 4, 4), ONE, "input", most=64)

    assert maps.abs().sum() == 0


def test_without_cuts_they_are_captums_sum_over_even_middles(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=4), face_like("gimefive", 2)
    reference = IntegratedGradients(model).attribute(
        batch, target=3, n_steps=8, method="riemann_middle"
    )

    found = integrated_gradients(
        model, batch, torch.full((2, 1), 3), "input", first=8, most=8
    )  # fmt: skip

    torch.testing.assert_close(found[:, 0], reference.sum(dim=1).float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "width"), [("gimefive", 8), ("resnet14", 16)])
def test_they_are_complete(
    name: str,
    width: int,
    trained_like: Callable[..., nn.Module],
    face_like: Callable[..., Tensor],
) -> None:
    model, batch = trained_like(name, width=width), face_like(name, 2)

    maps = integrated_gradients(model, batch, torch.arange(6).expand(2, 6), "input")

    with torch.no_grad():
        expected = model(batch) - model(torch.zeros_like(batch))
    torch.testing.assert_close(maps.sum(dim=(2, 3)), expected, rtol=0, atol=1e-3)
