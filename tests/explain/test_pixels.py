"""Pixel methods on functions whose gradients are known, and beside Captum."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import Occlusion
from torch import Tensor, nn

from core.explain.occlusion import blurred, occlusion
from core.explain.saliency import saliency, smooth_grad


class LeftRight(nn.Module):
    """y_0 sums the left half, y_1 is minus twice the right half."""

    def forward(self, batch: Tensor) -> Tensor:
        half = batch.shape[-1] // 2
        left = batch[..., :half].sum(dim=(1, 2, 3))
        right = batch[..., half:].sum(dim=(1, 2, 3))
        return torch.stack([left, -2 * right], dim=1)


class Quadratic(nn.Module):
    """y_0 = half the sum of squares, whose gradient is the picture itself."""

    def forward(self, batch: Tensor) -> Tensor:
        return (batch**2).sum(dim=(1, 2, 3))[:, None] / 2


def face(seed: int = 0, channels: int = 1, side: int = 16, count: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, channels, side, side, generator=generator)


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


def test_occlusion_of_a_linear_function_is_what_the_blur_takes_away() -> None:
    batch = face(side=32)
    lost = batch - blurred(batch)

    maps = occlusion(LeftRight().eval(), batch, BOTH, "input")

    # The corner pixel lies in one window only, 8x8 pixels in the left half.
    torch.testing.assert_close(maps[0, 0, 0, 0], lost[0, 0, :8, :8].sum())
    assert maps[0, 1, 0, 0].abs() < 1e-4
    torch.testing.assert_close(maps[0, 1, 31, 31], -2 * lost[0, 0, 24:, 24:].sum())


@pytest.mark.parametrize("name", ["gimefive", "mini_xception"])
def test_occlusion_agrees_with_captum(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    options = {"width": 4} if name == "gimefive" else {}
    model, batch = trained_like(name, **options), face_like(name)
    channels, side = batch.shape[1], batch.shape[2]
    if side % 8:
        batch = batch[..., :40, :40]  # Captum moves its last window differently
        side = 40

    found = occlusion(model, batch, torch.tensor([[3]]), "input")

    with torch.no_grad():
        expected = Occlusion(model).attribute(
            batch,
            sliding_window_shapes=(channels, side // 4, side // 4),
            strides=(channels, side // 8, side // 8),
            baselines=blurred(batch),
            target=3,
        )[:, 0]
    torch.testing.assert_close(found[0], expected, rtol=0, atol=1e-5)
