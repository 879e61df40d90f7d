"""The general Grad-CAM: hand-computed, beside Captum, on every network and layer, and traceless."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.cam import grad_cam
from core.explain.explainer import signed_grad_cam
from core.explain.layers import explainable_layers, last_convolution
from core.models import MODELS


def captum_maps(model: nn.Module, batch: Tensor, layer: str, classes: int = 6) -> Tensor:
    """Captum's Grad-CAM of the first classes of one row, (K, h, w)."""
    captum = LayerGradCam(model, model.get_submodule(layer))
    maps = [
        captum.attribute(batch, target=target, relu_attributions=True)[0, 0]
        for target in range(classes)
    ]
    return torch.stack(maps).detach()


def assert_equal_maps(found: Tensor, expected: Tensor) -> None:
    scale = expected.abs().max()
    assert scale > 0
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=1e-6)


class TwoPlanes(nn.Module):
    """A 1x1 convolution that copies its two channels, global average, one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(2, 2, bias=False)
        self.explain_layer = "conv"
        with torch.no_grad():
            self.conv.weight.copy_(torch.eye(2)[:, :, None, None])
            self.head.weight.copy_(torch.tensor([[1.0, -1.0], [-2.0, 3.0]]))

    def forward(self, batch: Tensor) -> Tensor:
        cells = self.relu(self.conv(batch))
        logits: Tensor = self.head(cells.mean(dim=(2, 3)))
        return logits


def test_the_map_of_two_planes_is_the_one_computed_by_hand() -> None:
    batch = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 1.0], [1.0, 0.0]]]])

    maps = grad_cam(TwoPlanes().eval(), batch, torch.tensor([[0, 1]]), "conv")

    # Plane 0 is positive in 4 of 4 cells, plane 1 in 3 of 4: the mean gradients of class 0 are
    # 1 * 4/16 and -1 * 3/16, those of class 1 -2 * 4/16 and 3 * 3/16.
    first = torch.tensor([[4 / 16 - 15 / 16, 8 / 16 - 3 / 16], [12 / 16 - 3 / 16, 16 / 16]])
    second = torch.tensor([[45 / 16 - 8 / 16, 9 / 16 - 16 / 16], [9 / 16 - 24 / 16, -32 / 16]])
    torch.testing.assert_close(maps[0], torch.stack([first, second]).clamp(min=0))
    signed = signed_grad_cam(TwoPlanes().eval(), batch, ["one", "two"], "conv")
    assert signed.signed
    torch.testing.assert_close(torch.from_numpy(signed.maps), torch.stack([first, second]))


@pytest.mark.parametrize("name", list(MODELS))
def test_every_network_agrees_with_captum(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    # float64: in float32 two orders of summing a thousand channels differ by more than 1e-6.
    model, batch = trained_like(name).double(), face_like(name).double()
    layer = last_convolution(model)

    maps = grad_cam(model, batch, torch.arange(6)[None], layer)

    assert_equal_maps(maps[0], captum_maps(model, batch, layer))


@pytest.mark.parametrize("name", ["gimefive_se", "mini_xception"])
def test_every_layer_agrees_with_captum(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    options = {"width": 16} if name == "gimefive_se" else {}
    model, batch = trained_like(name, **options).double(), face_like(name).double()
    names = explainable_layers(model, batch)

    assert len(names) > 20
    for layer in names:
        maps = grad_cam(model, batch, torch.arange(2)[None], layer)
        expected = captum_maps(model, batch, layer, classes=2)
        torch.testing.assert_close(maps[0], expected, rtol=1e-9, atol=1e-12)


def test_rows_and_targets_do_not_mix(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=4).double(), face_like("gimefive", 3).double()
    targets = torch.tensor([[0, 5], [1, 1], [4, 2]])

    together = grad_cam(model, batch, targets, "blocks.block3.relu")

    for row in range(3):
        for column in range(2):
            target = targets[row : row + 1, column : column + 1]
            alone = grad_cam(model, batch[row : row + 1], target, "blocks.block3.relu")
            torch.testing.assert_close(together[row, column], alone[0, 0])


def traces(model: nn.Module) -> list[object]:
    """Everything an explanation could leave behind in a network."""
    hooks = [
        len(module.__dict__[name])
        for module in model.modules()
        for name in module.__dict__
        if name.endswith("_hooks")
    ]
    gradients = [weight.grad for weight in model.parameters()]
    needs = [weight.requires_grad for weight in model.parameters()]
    modes = [module.training for module in model.modules()]
    values = [value.sum().item() for value in model.state_dict().values()]
    return [hooks, gradients, needs, modes, values]


def test_the_network_is_left_as_it_was(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive_se", width=16), face_like("gimefive_se")
    before = traces(model)

    grad_cam(model, batch, torch.arange(6)[None], "blocks.block2.bn")
    with pytest.raises(ExplainError):
        grad_cam(model, batch, torch.arange(6)[None], "head.fc1")

    assert traces(model) == before
    assert batch.grad is None
    assert torch.is_grad_enabled()


def test_it_works_without_gradients_and_in_inference_mode(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=4), face_like("gimefive")
    targets = torch.arange(6)[None]
    expected = grad_cam(model, batch, targets, "blocks.block5.conv")

    with torch.no_grad():
        quiet = grad_cam(model, batch, targets, "blocks.block5.conv")
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        inferred = grad_cam(model, batch * 1.0, targets, "blocks.block5.conv")
        assert torch.is_inference_mode_enabled()

    torch.testing.assert_close(quiet, expected)
    torch.testing.assert_close(inferred, expected)


def test_four_threads_share_a_network(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model = trained_like("gimefive", width=4)
    faces = [face_like("gimefive", seed=seed) for seed in range(32)]
    names = [f"blocks.block{1 + seed % 5}.conv" for seed in range(32)]
    targets = torch.arange(6)[None]
    alone = [grad_cam(model, *job) for job in zip(faces, [targets] * 32, names, strict=True)]

    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(lambda job: grad_cam(model, job[0], targets, job[1]),
                               zip(faces * 4, names * 4, strict=True)))  # fmt: skip

    for found, expected in zip(shared, alone * 4, strict=True):
        assert torch.equal(found, expected)


def test_training_mode_is_refused(trained_like: Callable[..., nn.Module]) -> None:
    model = trained_like("gimefive", width=4)
    model.get_submodule("head.dropout").train()

    with pytest.raises(ExplainError, match="training mode"):
        grad_cam(model, torch.zeros(1, 3, 64, 64), torch.tensor([[0]]), "blocks.block5.conv")


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("1", "runs 2 times"),
        ("4", "no feature map"),
        ("9.conv", "no layer '9.conv'"),
    ],
)
def test_a_layer_without_one_feature_map_is_refused(layer: str, text: str) -> None:
    relu = nn.ReLU()
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), relu, nn.Conv2d(4, 4, 3), relu, nn.Flatten(), nn.Linear(64, 6)
    ).eval()

    with pytest.raises(ExplainError, match=text):
        grad_cam(model, torch.zeros(1, 3, 8, 8), torch.tensor([[0]]), layer)
