"""Layers are chosen where maps are fine enough, by what their maps are worth."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from core.explain import give_reference, measure_reference
from core.explain.batch import MapMaker, class_maps
from core.explain.cam import layer_gradients
from core.explain.methods import EXPLAINERS
from core.faithfulness.report import candidate_layers, layer_gaps
from core.faithfulness.scorer import exact_scorer

CANDIDATES = {
    "gimefive": [
        "blocks.block1.pool",
        "blocks.block2.relu",
        "blocks.block2.pool",
        "blocks.block3.relu",
    ],
    "resnet14": ["stem.relu", "stages.stage1.0.relu1", "stages.stage1.1.relu2"],
}


@pytest.mark.parametrize("name", list(CANDIDATES))
def test_candidates_are_the_first_and_last_of_each_fineness(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model = trained_like(name, width=8)

    assert candidate_layers(model, face_like(name)) == CANDIDATES[name]


class TwoLayers(nn.Module):
    """A first layer that sees what is bright, and one behind it that got it mirrored.

    The logit of class 0 is the sum of the last layer; only a map of the first one points to where
    the evidence lies in the picture.
    """

    explain_layer = "mirrored"

    def __init__(self) -> None:
        super().__init__()
        self.halve = nn.AvgPool2d(2)
        self.seen = nn.ReLU()
        self.mirrored = nn.ReLU()

    def forward(self, batch: Tensor) -> Tensor:
        cells = self.mirrored(self.seen(self.halve(batch) - 0.5).flip(3))
        total = cells.sum(dim=(1, 2, 3)) / 16
        return torch.stack([total - 1.5, torch.zeros_like(total)], dim=1)


def test_the_layer_whose_map_points_to_the_evidence_has_the_higher_gap() -> None:
    model = TwoLayers().eval()
    faces = torch.zeros(6, 1, 64, 64)
    faces[:, :, 16:48, 4:16] = 1.0  # bright on the left

    gaps = layer_gaps(model, faces, exact_scorer(model), ["hires_cam", "layer_cam"])

    # Of the two ReLUs with as many cells, one is the first and one the last; pooling comes before.
    assert list(gaps["hires_cam"]) == ["halve", "mirrored"]
    for method in ("hires_cam", "layer_cam"):
        assert gaps[method]["halve"] > 0.2
        assert gaps[method]["mirrored"] < 0


def test_methods_of_other_layers_are_left_alone() -> None:
    model = TwoLayers().eval()
    faces = torch.ones(2, 1, 64, 64)

    gaps = layer_gaps(model, faces, exact_scorer(model), ["grad_cam", "saliency", "activation"])

    assert gaps == {}


@pytest.mark.parametrize("method", [name for name in EXPLAINERS if name != "cam"])
def test_shared_gradients_change_no_map(
    method: str,
    trained_like: Callable[..., nn.Module],
    face_like: Callable[..., Tensor],
) -> None:
    model, faces = trained_like("gimefive", width=4), face_like("gimefive", 3)
    give_reference(model, measure_reference(model, face_like("gimefive", 8)))
    targets = torch.tensor([0, 3, 5])
    last, fine = "blocks.block5.conv", "blocks.block3.relu"
    layers = dict.fromkeys(EXPLAINERS, "input") | {
        "grad_cam": last,
        "grad_cam_pp": last,
        "guided_grad_cam": last,
        "hires_cam": fine,
        "layer_cam": fine,
        "smooth_layer_cam": fine,
        "expected_cam": fine,
        "smooth_hires_cam": fine,
        "activation": fine,
    }
    maker = MapMaker(layers)
    for other in ("grad_cam_pp", "layer_cam", "guided_backprop"):  # so that something is remembered
        maker.maps("own", other, model, faces, targets)

    found = maker.maps("own", method, model, faces, targets)

    expected = class_maps(model, faces, targets, method, layers[method])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


def test_a_gradient_is_computed_once_for_both_methods_that_use_it(
    trained_like: Callable[..., nn.Module],
    face_like: Callable[..., Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []

    def counted(*given: object) -> object:
        calls.append(str(given[-1]))
        return layer_gradients(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("core.explain.batch.layer_gradients", counted)
    model, faces = trained_like("gimefive", width=4), face_like("gimefive", 2)
    maker = MapMaker({"hires_cam": "blocks.block3.relu", "layer_cam": "blocks.block3.relu"})

    for occasion in ("own", "own", "flip"):
        for method in ("hires_cam", "layer_cam"):
            maker.maps(occasion, method, model, faces, torch.tensor([0, 1]))

    assert calls == ["blocks.block3.relu"] * 2
