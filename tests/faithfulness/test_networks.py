"""Randomised networks, stability and rank correlation."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from torchvision.models import VisionTransformer

from core.faithfulness.randomisation import (
    changed_faces,
    mean_or_none,
    randomised,
    spearman,
    stability,
)


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_stages_reach_back_from_the_output(trained_like: Callable[..., nn.Module]) -> None:
    model = trained_like("gimefive", width=4)

    stages = [name for name, _ in randomised(model, torch.zeros(1, 3, 64, 64), dice())]

    assert stages == [
        "head.fc3",
        "head.fc2",
        "head.fc1",
        "blocks.block5.conv",
        "blocks.block4.conv",
        "all",
    ]


def changed(first: nn.Module, second: nn.Module) -> set[str]:
    other = second.state_dict()
    return {
        name.rsplit(".", 1)[0]
        for name, value in first.state_dict().items()
        if not torch.equal(value, other[name])
    }


def test_each_stage_changes_its_layers_and_none_before(
    trained_like: Callable[..., nn.Module],
) -> None:
    model = trained_like("gimefive", width=4)
    before = {name: value.clone() for name, value in model.state_dict().items()}

    networks = dict(randomised(model, torch.zeros(1, 3, 64, 64), dice()))

    head = {"head.fc3", "head.fc2", "head.fc1"}
    last = {"blocks.block5.conv", "blocks.block5.bn"}
    assert changed(model, networks["head.fc3"]) == {"head.fc3"}
    assert changed(model, networks["head.fc1"]) == head
    assert changed(model, networks["blocks.block5.conv"]) == head | last
    weighted = {n.rsplit(".", 1)[0] for n in model.state_dict()}
    assert changed(model, networks["all"]) == weighted
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_new_weights_have_the_distribution_of_fresh_ones(
    trained_like: Callable[..., nn.Module],
) -> None:
    model = trained_like("gimefive", width=16)

    network = dict(randomised(model, torch.zeros(1, 3, 64, 64), dice()))["all"]

    fresh = nn.Conv2d(64, 128, 3)
    drawn = network.get_submodule("blocks.block4.conv")
    assert isinstance(drawn, nn.Conv2d)
    assert drawn.bias is not None
    assert fresh.bias is not None
    assert float(drawn.weight.std()) == pytest.approx(float(fresh.weight.detach().std()), rel=0.02)
    assert float(drawn.bias.std()) == pytest.approx(float(fresh.bias.detach().std()), rel=0.3)
    norm = network.get_submodule("blocks.block4.bn")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_var is not None
    assert float(norm.running_var.min()) == float(norm.running_var.max()) == 1.0


def test_nothing_of_a_transformer_stays_as_it_was() -> None:
    model = VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32,
        num_classes=6,
    ).eval()  # fmt: skip
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    sample = torch.randn(2, 3, 32, 32, generator=dice())

    network = dict(randomised(model, sample, dice()))["all"]

    after = {
        f"{place}.{name}".lstrip("."): value
        for place, module in network.named_modules()
        for name, value in module._parameters.items()
        if value is not None
    }
    assert after.keys() == before.keys()
    assert [name for name, value in after.items() if torch.equal(value, before[name])] == []
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with torch.inference_mode():
        assert torch.isfinite(network(sample)).all()


def test_spearman_agrees_with_scipy() -> None:
    first = torch.randn(5, 6, 6, generator=dice()).round(decimals=1)  # with ties
    second = first + torch.randn(5, 6, 6, generator=dice(1))

    found = spearman(first, second)

    expected = [
        spearmanr(a.flatten().numpy(), b.flatten().numpy()).statistic
        for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(found, expected)


def test_a_blank_map_has_no_correlation() -> None:
    maps = torch.stack([torch.zeros(4, 4), torch.arange(16.0).reshape(4, 4)])

    found = spearman(maps, torch.arange(16.0).reshape(1, 4, 4).expand(2, -1, -1))

    assert np.isnan(found[0])
    assert found[1] == pytest.approx(1)
    assert mean_or_none(found) == pytest.approx(1)
    assert mean_or_none(found[:1]) is None


def test_a_map_that_follows_its_face_is_stable() -> None:
    batch = torch.randn(4, 1, 32, 32, generator=dice())

    found = stability(batch[:, 0], lambda _, faces: faces[:, 0], changed_faces(batch, dice(3)))

    assert found["flip"] == pytest.approx(1)
    assert found["shift"] == pytest.approx(1)
    assert found["noise"] is not None
    assert 0.8 < found["noise"] < 1


def test_a_map_that_stays_in_its_place_is_not() -> None:
    fixed = torch.randn(1, 32, 32, generator=dice())

    found = stability(
        fixed.expand(2, -1, -1),
        lambda _, faces: fixed.expand(len(faces), -1, -1),
        changed_faces(torch.zeros(2, 1, 32, 32), dice()),
    )

    assert found["flip"] is not None
    assert abs(found["flip"]) < 0.2
    assert found["shift"] is not None
    assert abs(found["shift"]) < 0.2
    assert found["noise"] == pytest.approx(1)


def test_the_face_given_is_not_changed() -> None:
    batch = torch.randn(2, 1, 16, 16, generator=dice())
    before = batch.clone()

    changed_faces(batch, dice())

    assert torch.equal(batch, before)
