"""The relatives of Grad-CAM: exact numbers on tiny nets, beside Captum and torch-cam, and sums."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from captum.attr import LayerGradientXActivation
from torch import Tensor, nn
from torchcam.methods import CAM, GradCAM, LayerCAM

from core.errors import ExplainError
from core.explain.cam import (
    activation,
    cam,
    grad_cam,
    grad_cam_pp,
    hires_cam,
    layer_cam,
    smooth_hires_cam,
)
from core.explain.layers import default_layer
from core.explain.saliency import noisy_copies
from core.models import MODELS


class Squares(nn.Module):
    """y_0 = sum of A_ij^2 / 2 and y_1 = -(sum of A_ij) over one channel: g_0 = A, g_1 = -1."""

    def __init__(self) -> None:
        super().__init__()
        self.copy = nn.Identity()
        self.explain_layer = "copy"

    def forward(self, batch: Tensor) -> Tensor:
        cells = self.copy(batch)[:, 0]
        return torch.stack([(cells**2).sum(dim=(1, 2)) / 2, -cells.sum(dim=(1, 2))], dim=1)


CELLS = torch.tensor([[[[1.0, 2.0], [0.0, 3.0]]]])
BOTH = torch.tensor([[0, 1]])


def test_hires_cam_multiplies_cell_by_cell() -> None:
    maps = hires_cam(Squares().eval(), CELLS, BOTH, "copy")

    torch.testing.assert_close(maps[0, 0], CELLS[0, 0] ** 2)
    torch.testing.assert_close(maps[0, 1], -CELLS[0, 0])


def test_smooth_hires_cam_is_the_mean_over_noisy_copies() -> None:
    copies = torch.stack(list(noisy_copies(CELLS, 8, 0.08)))[:, 0, 0]

    maps = smooth_hires_cam(Squares().eval(), CELLS, BOTH, "copy")

    torch.testing.assert_close(maps[0, 0], (copies**2).mean(dim=0))
    torch.testing.assert_close(maps[0, 1], -copies.mean(dim=0))
    assert (copies - CELLS[0, 0]).abs().max() > 0.1


@pytest.mark.parametrize("count", [3, 40, 70], ids=["all copies", "one copy", "less than a copy"])
def test_smooth_hires_cam_does_not_depend_on_the_other_faces(count: int) -> None:
    batch = torch.rand((count, 1, 4, 4), generator=torch.Generator().manual_seed(0))
    targets = BOTH.expand(count, -1)

    together = smooth_hires_cam(Squares().eval(), batch, targets, "copy")

    assert together.shape == (count, 2, 4, 4)
    alone = smooth_hires_cam(Squares().eval(), batch[-1:], BOTH, "copy")
    torch.testing.assert_close(together[-1], alone[0])


def test_noise_has_the_stated_share_of_each_face_s_range() -> None:
    faces = torch.zeros(2, 3, 64, 64)
    faces[0, :, 0, 0], faces[1, :, 0, 0] = 1.0, 4.0

    copies = torch.stack(list(noisy_copies(faces, 16, 0.1)))

    noise = copies - faces
    torch.testing.assert_close(noise[:, 1], 4 * noise[:, 0], rtol=1e-4, atol=1e-6)
    assert noise[:, 0].std().item() == pytest.approx(0.1, rel=0.02)
    assert torch.equal(noise[:, :, 0], noise[:, :, 2])
    assert not torch.equal(noise[0], noise[1])


def test_layer_cam_keeps_positive_gradients_only() -> None:
    maps = layer_cam(Squares().eval(), CELLS, BOTH, "copy")

    torch.testing.assert_close(maps[0, 0], CELLS[0, 0] ** 2)
    assert torch.equal(maps[0, 1], torch.zeros(2, 2))


def test_grad_cam_pp_weighs_as_its_equation_19_says() -> None:
    maps = grad_cam_pp(Squares().eval(), CELLS, BOTH, "copy")

    # sum of A is 6, so alpha = g^2 / (2 g^2 + 6 g^3) = 1 / (2 + 6 g): 1/8, 1/14, none, 1/20;
    # w = sum alpha g = 1/8 + 2/14 + 3/20.
    torch.testing.assert_close(maps[0, 0], CELLS[0, 0] * (1 / 8 + 2 / 14 + 3 / 20))
    assert torch.equal(maps[0, 1], torch.zeros(2, 2))


def test_grad_cam_pp_equals_the_papers_derivatives_of_exp(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model = trained_like("gimefive", width=4, block_dropout=0.0).double()
    batch = face_like("gimefive").double()
    block = model.get_submodule("blocks")
    features = block[:4](batch)  # type: ignore[index]
    last = model.get_submodule("blocks.block5")
    maps = last.get_submodule("conv")(features).detach().requires_grad_()
    pooled = last.get_submodule("pool")(torch.relu(last.get_submodule("bn")(maps)))
    logit = model.get_submodule("head")(pooled.mean(dim=(2, 3)))[0, 3]
    # Y = exp(S) with S piecewise linear, so that its n-th derivative by a cell is exp(S) g^n.
    (gradient,) = torch.autograd.grad(logit, maps)
    first, second, third = (torch.exp(logit) * gradient**power for power in (1, 2, 3))
    share = 2 * second + maps.sum(dim=(2, 3), keepdim=True) * third
    alpha = torch.where(share != 0, second / share, 0.0)
    weights = (alpha * torch.relu(first)).sum(dim=(2, 3), keepdim=True)
    expected = torch.relu((weights * maps).sum(dim=1)) / torch.exp(logit)

    found = grad_cam_pp(model, batch, torch.tensor([[3]]), "blocks.block5.conv")

    torch.testing.assert_close(found[0], expected.detach(), rtol=1e-9, atol=0)


def test_activation_is_the_mean_over_channels_for_every_class() -> None:
    model = nn.Sequential(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    batch = torch.tensor([[[[1.0, -2.0]], [[3.0, 4.0]]]])

    maps = activation(model, batch, torch.tensor([[0, 1]]), "0")

    assert maps.tolist() == [[[[2.0, 3.0]], [[2.0, 3.0]]]]


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("gimefive_res", "gimefive_deep")])
def test_hires_cam_is_captums_gradient_times_activation(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    options = {"width": 16} if name.startswith("gimefive") else {}
    model, batch = trained_like(name, **options).double(), face_like(name).double()
    layer = default_layer(model, batch, "fine")

    found = hires_cam(model, batch, torch.tensor([[2]]), layer)

    captum = LayerGradientXActivation(model, model.get_submodule(layer))
    expected = captum.attribute(batch, target=2).sum(dim=1)
    torch.testing.assert_close(found[0], expected.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), [(grad_cam, GradCAM), (layer_cam, LayerCAM)])
@pytest.mark.parametrize("layer", ["blocks.block5.conv", "blocks.block3.relu"])
def test_maps_agree_with_torch_cam(
    layer: str,
    ours: Callable[..., Tensor],
    theirs: Any,  # noqa: ANN401 - untyped library
    trained_like: Callable[..., nn.Module],
    face_like: Callable[..., Tensor],
) -> None:
    # torch-cam's Grad-CAM++ is left out: it divides a copy (alpha[mask].div_), so never divides.
    model, batch = trained_like("gimefive", width=8).double(), face_like("gimefive").double()

    found = ours(model, batch, torch.tensor([[1]]), layer)

    with theirs(model, layer) as extractor:
        scores = model(batch.requires_grad_())
        expected = extractor(1, scores, normalized=False)[0]
    torch.testing.assert_close(found[0], torch.relu(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["resnet18", "mini_xception"])
def test_cam_sums_to_the_logit_without_its_bias(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like(name).double(), face_like(name, 2).double()
    layer = default_layer(model, batch, "pooled")
    bias = model.get_submodule("head").bias if name == "resnet18" else 0.0

    maps = cam(model, batch, torch.arange(6).expand(2, 6), layer)

    expected = model(batch) - bias
    torch.testing.assert_close(maps.sum(dim=(2, 3)), expected.detach())


def test_cam_agrees_with_torch_cam(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("resnet18"), face_like("resnet18")

    found = cam(model, batch, torch.tensor([[4]]), "stage4.1.relu2")

    with CAM(model, "stage4.1.relu2", fc_layer="head") as extractor:
        model(batch)
        expected = extractor(4, normalized=False)[0]
    cells = found.shape[2] * found.shape[3]
    torch.testing.assert_close(found[0] * cells, expected)


@pytest.mark.parametrize("name", ["gimefive", "gimefive_se"])
def test_cam_is_refused_where_the_head_is_deep(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    with pytest.raises(ExplainError, match="one linear layer"):
        cam(
            trained_like(name, width=16),
            face_like(name),
            torch.tensor([[0]]),
            "blocks.block5.pool",
        )


def test_hires_cam_at_the_last_relu_is_complete(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=8), face_like("gimefive")
    targets = torch.arange(6)[None]

    maps = hires_cam(model, batch, targets, "blocks.block5.relu")

    # The constant: each linear bias times the logit's derivative by it (Srinivas and Fleuret 2019).
    biases = [dict(model.named_parameters())[f"head.fc{number}.bias"] for number in (1, 2, 3)]
    logits = model(batch)[0]
    for target in range(6):
        slopes = torch.autograd.grad(logits[target], biases, retain_graph=True)
        parts = [(slope * bias).sum() for slope, bias in zip(slopes, biases, strict=True)]
        total = maps[0, target].sum() + torch.stack(parts).sum()
        torch.testing.assert_close(total, logits[target], rtol=0, atol=1e-5)
