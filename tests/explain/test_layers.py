"""Which layers a network offers, and which one a method takes by itself."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.layers import (
    default_layer,
    explainable_layers,
    feature_maps,
    is_complete_at,
    layer_outputs,
    model_layers,
)
from core.explain.trace import Layer, functional_relus, traced
from core.models import MODELS, build

FINE = {
    "gimefive": "blocks.block3.relu",
    "gimefive_plain": "blocks.block3.relu",
    "gimefive_se": "blocks.block3.relu",
    "gimefive_nobn": "blocks.block3.relu",
    "gimefive_baseline": "blocks.block3.relu",
    "gimefive_deep": "blocks.block3.relu",
    "gimefive_res": "blocks.1.relu2",
    "vgg": "pair3.relu2",
    "resnet18": "stage2.1.relu2",
    "resnet34": "stage2.3.relu2",
    "mini_xception": "blocks.block2.relu1",
    "resnet14": "stages.stage1.1.relu2",
}
POOLED = {
    "gimefive": "blocks.block5.pool",
    "resnet18": "stage4.1.relu2",
    "mini_xception": "classifier",
}


def test_layers_are_listed_as_a_pass_meets_them(trained_like: Callable[..., nn.Module]) -> None:
    model = trained_like("gimefive", width=4, depth=2)

    found = model_layers(model, torch.zeros(1, 3, 64, 64))

    assert [(layer.name, layer.kind, layer.shape, layer.is_leaf) for layer in found[:6]] == [
        ("blocks.block1.conv", "Conv2d", (4, 64, 64), True),
        ("blocks.block1.bn", "BatchNorm2d", (4, 64, 64), True),
        ("blocks.block1.relu", "ReLU", (4, 64, 64), True),
        ("blocks.block1.pool", "MaxPool2d", (4, 32, 32), True),
        ("blocks.block1.dropout", "Dropout", (4, 32, 32), True),
        ("blocks.block1", "Sequential", (4, 32, 32), False),
    ]
    assert found[-1].name == "head"
    assert found[-1].shape == (6,)


def test_a_module_used_twice_is_counted_twice_and_not_offered(
    trained_like: Callable[..., nn.Module],
) -> None:
    model, sample = trained_like("vgg"), torch.zeros(1, 3, 64, 64)

    norms = [layer for layer in model_layers(model, sample) if layer.kind == "BatchNorm2d"]

    assert [layer.calls for layer in norms] == [2, 2, 2]
    assert "pair1.bn" not in explainable_layers(model, sample)
    assert "pair1.conv1" in explainable_layers(model, sample)


@pytest.mark.parametrize("name", list(MODELS))
def test_every_network_has_a_default_of_each_kind(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, sample = trained_like(name), face_like(name)
    offered = explainable_layers(model, sample)

    assert default_layer(model, sample, "input") == "input"
    assert default_layer(model, sample, "last") in offered
    assert default_layer(model, sample, "fine") in offered
    assert traced(model, sample).classes == 6


@pytest.mark.parametrize("name", FINE)
def test_the_fine_layer_is_the_last_rectifier_of_sixteen_cells(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    assert default_layer(trained_like(name), face_like(name), "fine") == FINE[name]


def test_a_network_without_such_a_layer_says_so() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    model.explain_layer = "0"  # type: ignore[assignment]

    with pytest.raises(ExplainError, match="no ReLU module with at least 16x16 cells"):
        default_layer(model, torch.zeros(1, 3, 64, 64), "fine")
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2)).eval()
    with pytest.raises(ExplainError, match="no layer with a feature map"):
        default_layer(flat, torch.zeros(1, 3, 8, 8), "last")


@pytest.mark.parametrize(
    ("name", "side", "last", "fine"),
    [
        ("resnet18", 224, "layer4.1", "layer2.1"),
        ("resnet18", 48, "layer4.1", "relu"),
        ("mobilenet_v3_small", 224, "features.12.2", "features.3.block.1.2"),
        ("shufflenet_v2_x0_5", 128, "conv5", "stage3.0.branch2.2"),
        ("squeezenet1_1", 96, "classifier.2", "features.4.expand3x3_activation"),
        ("efficientnet_b0", 64, "features.8.2", "features.3.0.block.0"),
    ],
)
def test_layers_of_a_network_that_names_none_are_found_in_one_pass(
    name: str, side: int, last: str, fine: str
) -> None:
    model, sample = build(f"torchvision:{name}", 7).eval(), torch.zeros(1, 3, side, side)

    assert default_layer(model, sample, "last") == last
    assert default_layer(model, sample, "fine") == fine


def test_a_layer_with_its_channels_last_is_no_feature_map() -> None:
    assert Layer("patches", "Permute", (96, 56, 56), 1, True).is_explainable
    assert not Layer("block", "SwinTransformerBlock", (56, 56, 96), 1, False).is_explainable


@pytest.mark.parametrize("name", list(POOLED))
def test_the_pooled_layer_is_what_global_average_pooling_takes_in(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    assert default_layer(trained_like(name), face_like(name), "pooled") == POOLED[name]


def test_a_network_without_global_pooling_has_no_pooled_layer(
    trained_like: Callable[..., nn.Module],
) -> None:
    with pytest.raises(ExplainError, match="no global average pooling"):
        default_layer(trained_like("vgg"), torch.zeros(1, 3, 64, 64), "pooled")


def test_only_layers_with_nothing_but_linear_biases_behind_them_are_complete(
    trained_like: Callable[..., nn.Module],
) -> None:
    model, sample = trained_like("gimefive", width=4), torch.zeros(1, 3, 64, 64)

    complete = [
        name for name in explainable_layers(model, sample) if is_complete_at(model, sample, name)
    ]

    assert complete == ["blocks.block5.relu"]


def test_functional_relus_are_counted_beside_the_modules() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 3)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, batch: Tensor) -> Tensor:
            cells = self.relu(self.conv(batch))
            return torch.relu(cells - 1).relu_().clamp_min(0).mean(dim=(2, 3))

    assert functional_relus(Mixed().eval(), torch.zeros(1, 3, 8, 8)) == 3


def test_feature_maps_are_the_layers_output(trained_like: Callable[..., nn.Module]) -> None:
    model = trained_like("gimefive", width=4, depth=2)
    batch = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    found = feature_maps(model, batch, "blocks.block1.relu")

    block = model.get_submodule("blocks.block1")
    expected = torch.relu(block.get_submodule("bn")(block.get_submodule("conv")(batch)))
    assert torch.equal(found, expected)


class TwiceRectified(nn.Module):
    """x -> relu(x - 1) -> relu(that - 1), with one ReLU module."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, batch: Tensor) -> Tensor:
        twice: Tensor = self.relu(self.relu(batch - 1) - 1)
        return twice.mean(dim=(2, 3))


def test_each_run_of_a_layer_has_its_own_output() -> None:
    batch = torch.full((1, 1, 2, 2), 3.0)

    first, second = layer_outputs(TwiceRectified().eval(), batch, "relu")

    assert first.tolist() == [[[[2.0, 2.0], [2.0, 2.0]]]]
    assert second.tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]


class AddedInPlace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Identity()

    def forward(self, batch: Tensor) -> Tensor:
        found: Tensor = self.layer(batch * 2)
        found += batch  # as blocks of torchvision's ResNets do
        return found.mean(dim=(2, 3))


def test_what_is_added_to_an_output_in_place_is_no_part_of_it() -> None:
    (found,) = layer_outputs(AddedInPlace().eval(), torch.full((1, 1, 2, 2), 3.0), "layer")

    assert found.tolist() == [[[[6.0, 6.0], [6.0, 6.0]]]]


def test_a_layer_without_cells_has_an_output_too(trained_like: Callable[..., nn.Module]) -> None:
    model = trained_like("gimefive", width=4, depth=2)

    (logits,) = layer_outputs(model, torch.zeros(1, 3, 64, 64), "head")

    torch.testing.assert_close(logits, model(torch.zeros(1, 3, 64, 64)))
