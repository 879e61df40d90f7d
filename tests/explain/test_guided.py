"""Guided backpropagation and guided Grad-CAM."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import GuidedBackprop, GuidedGradCam
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ExplainError
from core.explain.guided import guided_backprop, guided_grad_cam
from core.explain.saliency import saliency


class TwoPaths(nn.Module):
    """y_0 = relu(x) - relu(x + 10), so the plain gradient is 0 and the guided one is 1."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.ReLU()
        self.second = nn.ReLU()

    def forward(self, batch: Tensor) -> Tensor:
        value = batch.sum(dim=(1, 2, 3))
        logits: Tensor = (self.first(value) - self.second(value + 10))[:, None]
        return logits


def test_negative_gradients_do_not_pass() -> None:
    model, batch, target = TwoPaths().eval(), torch.ones(1, 1, 8, 8), torch.tensor([[0]])

    assert saliency(model, batch, target, "input").max() == 0
    assert torch.equal(guided_backprop(model, batch, target, "input")[0, 0], torch.ones(8, 8))


@pytest.mark.filterwarnings("ignore:Setting backward hooks")  # Captum, each time
@pytest.mark.parametrize("name", ["gimefive_se", "vgg", "resnet18", "mini_xception"])
def test_maps_agree_with_captum(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    options = {"width": 16} if name == "gimefive_se" else {}
    model, batch = trained_like(name, **options).double(), face_like(name).double()
    layer = str(model.explain_layer)

    guided = guided_backprop(model, batch, torch.tensor([[5]]), "input")
    combined = guided_grad_cam(model, batch, torch.tensor([[5]]), layer)

    inputs = batch.clone().requires_grad_()
    expected = GuidedBackprop(model).attribute(inputs, target=5)
    torch.testing.assert_close(guided[0], expected.abs().amax(dim=1).detach(), rtol=1e-9, atol=0)
    expected = GuidedGradCam(model, model.get_submodule(layer)).attribute(
        inputs, target=5, interpolate_mode="bilinear"
    )
    torch.testing.assert_close(
        combined[0], expected.abs().amax(dim=1).detach(), rtol=1e-9, atol=1e-15
    )


def test_a_functional_relu_is_refused() -> None:
    class Functional(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            return functional.relu(batch).sum(dim=(1, 2, 3))[:, None]

    with pytest.raises(ExplainError, match="1 of its ReLUs by a function"):
        guided_backprop(Functional().eval(), torch.ones(1, 1, 8, 8), torch.tensor([[0]]), "input")


def test_the_network_keeps_its_own_relus(trained_like: Callable[..., nn.Module]) -> None:
    model = trained_like("gimefive", width=4)
    kinds = [type(module) for module in model.modules()]

    guided_backprop(model, torch.zeros(1, 3, 64, 64), torch.tensor([[0]]), "input")

    assert [type(module) for module in model.modules()] == kinds


@pytest.mark.parametrize("kind", [nn.SiLU, nn.GELU, nn.Hardswish, nn.ReLU6])
def test_a_network_of_other_activations_is_refused(kind: type[nn.Module]) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), kind(), nn.Flatten()).eval()

    with pytest.raises(ExplainError, match=f"Sequential has {kind.__name__}"):
        guided_backprop(model, torch.ones(1, 1, 8, 8), torch.tensor([[0]]), "input")
