"""Pixel methods on functions whose gradients are known, and beside Captum."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import Saliency
from made_networks import LeftRight, face
from torch import Tensor, nn

from core.explain.saliency import input_gradient, saliency, smooth_grad


class Quadratic(nn.Module):
    """y_0 = half the sum of squares, whose gradient is the picture itself."""

    def forward(self, batch: Tensor) -> Tensor:
        return (batch**2).sum(dim=(1, 2, 3))[:, None] / 2


BOTH = torch.tensor([[0, 1]])
HALVES = torch.cat([torch.ones(16, 8), torch.zeros(16, 8)], dim=1)


def test_saliency_of_a_linear_function_is_its_weights() -> None:
    maps = saliency(LeftRight().eval(), face(channels=3), BOTH, "input")

    torch.testing.assert_close(maps[0, 0], HALVES)
    torch.testing.assert_close(maps[0, 1], 2 * (1 - HALVES))


def test_saliency_takes_the_strongest_channel() -> None:
    batch = face(channels=3)

    maps = saliency(Quadratic().eval(), batch, torch.tensor([[0]]), "input")

    torch.testing.assert_close(maps[0, 0], batch[0].abs().amax(dim=0))


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("name", ["gimefive", "mini_xception", "resnet14"])
def test_the_gradient_is_captums(
    name: str,
    inference: bool,
    trained_like: Callable[..., nn.Module],
    face_like: Callable[..., Tensor],
) -> None:
    model, targets = trained_like(name), torch.tensor([0, 5, 2])
    with torch.inference_mode(inference):  # where a page predicts and explains
        batch = face_like(name, 3).clone()
        found = input_gradient(model, batch, targets.clone())

    inputs = batch.clone().requires_grad_()
    expected = Saliency(model).attribute(inputs, target=targets, abs=False)
    assert torch.equal(found, expected)
    assert found.abs().sum(dim=(1, 2, 3)).min() > 0
    assert not found.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


def test_smooth_grad_averages_the_noise_away_where_the_gradient_is_even() -> None:
    maps = smooth_grad(LeftRight().eval(), face(), BOTH, "input")

    torch.testing.assert_close(maps[0, 0], HALVES)


def test_smooth_grad_of_a_quadratic_is_the_picture_plus_the_mean_noise() -> None:
    batch = face()

    maps = smooth_grad(Quadratic().eval(), batch, torch.tensor([[0]]), "input")

    # 16 draws with deviation 0.15 of the range leave a deviation of a quarter of it.
    rest = maps[0, 0] - batch[0, 0].abs()
    deviation = 0.15 * (batch.max() - batch.min()) / 4
    assert 0.5 * deviation < rest.abs().mean() < 1.2 * deviation


def test_smooth_grad_does_not_depend_on_the_other_rows() -> None:
    batch = face(count=3)
    targets = torch.zeros(3, 1, dtype=torch.int64)

    together = smooth_grad(Quadratic().eval(), batch, targets, "input")
    alone = smooth_grad(Quadratic().eval(), batch[2:], targets[2:], "input")

    torch.testing.assert_close(together[2], alone[0])
