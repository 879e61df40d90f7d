"""Blurring and filling."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from made_networks import LeftRight, face
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from core.explain.occlusion import blurred, filled, occlusion, smoothed


def test_an_even_picture_stays_as_it_is() -> None:
    even = torch.full((2, 3, 32, 32), 0.7)

    torch.testing.assert_close(blurred(even), even)


def test_blurring_spreads_a_point_as_a_gaussian_does() -> None:
    batch = torch.zeros(1, 1, 64, 64)
    batch[0, 0, 32, 32] = 1.0

    found = blurred(batch)[0, 0]

    # Deviation 8 px: one deviation away the value is exp(-1/2) of the peak.
    assert found.argmax() == 32 * 64 + 32
    assert found[32, 40] / found[32, 32] == pytest.approx(0.6065, abs=1e-3)
    assert found[40, 32] / found[32, 32] == pytest.approx(0.6065, abs=1e-3)


@pytest.mark.parametrize(
    ("blur", "mode", "share"), [(blurred, "mirror", 8), (smoothed, "nearest", 16)]
)
@pytest.mark.parametrize("side", [1, 3, 16, 48])
def test_blurring_agrees_with_scipy(
    blur: Callable[[Tensor], Tensor], mode: str, share: int, side: int
) -> None:
    batch = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    reach = min(max(round(3 * side / share), 1), side - 1)

    found = gaussian_filter(batch.numpy(), side / share, mode=mode, radius=reach, axes=(2, 3))

    np.testing.assert_allclose(blur(batch).numpy(), found, atol=1e-6)


def test_rows_are_blurred_apart() -> None:
    batch = torch.randn(3, 2, 16, 16, generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(blurred(batch)[1], blurred(batch[1:2])[0])


@pytest.mark.parametrize("side", [16, 44, 64])
def test_filling_keeps_what_is_known_and_goes_between_its_values(side: int) -> None:
    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(4, 3, side, side, generator=generator)
    known = torch.rand(4, side, side, generator=generator) < 0.3

    found = filled(batch, known)

    mask = known[:, None].expand_as(batch)
    assert torch.equal(found[mask], batch[mask])
    assert found.min() >= 0
    assert found.max() <= 1


def test_a_hole_in_a_ramp_is_filled_about_as_the_ramp_goes_on() -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64).clone()
    known = torch.ones(1, 64, 64, dtype=torch.bool)
    known[0, 24:40, 24:40] = False
    ruined = ramp.clone()
    ruined[0, 0, 24:40, 24:40] = 99.0

    found = filled(ruined, known)

    assert (found - ramp).abs().max() < 0.06
    assert torch.equal(filled(ramp, known), found)


def test_a_single_known_pixel_fills_everything_and_none_gives_grey() -> None:
    batch = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    known = torch.zeros(2, 16, 16, dtype=torch.bool)
    known[0, 3, 5] = True

    found = filled(batch, known)

    torch.testing.assert_close(found[0, 0], batch[0, 0, 3, 5].expand(16, 16))
    assert torch.equal(found[1], torch.zeros(1, 16, 16))


def test_occlusion_of_a_linear_function_is_what_the_blur_takes_away() -> None:
    batch = face(side=32)
    lost = batch - blurred(batch)

    maps = occlusion(LeftRight().eval(), batch, torch.tensor([[0, 1]]), "input")

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
