"""The report over a small network: complete, consistent, and repeatable."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from captum.metrics import infidelity, sensitivity_max
from scipy.stats import spearmanr
from torch import Tensor, nn

from core.errors import ConfigError, ExplainError
from core.explain import EXPLAINERS, class_maps, enlarged, explain, layer_of
from core.faithfulness.insertion_deletion import face_faithfulness
from core.faithfulness.method_figures import Sizes
from core.faithfulness.report import faithfulness_report
from core.faithfulness.scorer import exact_scorer, fastest_scorer, light_scorer, onnx_scorer
from core.faithfulness.table import CONTROL_TITLES

SIDE = 32
SMALL = Sizes(others=6, slow=3, checks=4, slow_checks=2, inner=2)


class RoughReader(nn.Module):
    """Logits weigh the roughness (by the Laplacian) of a one-channel picture, place by place."""

    explain_layer = "conv"

    def __init__(self, weights: Tensor, biases: Tensor) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1, bias=False)
        self.relu = nn.ReLU()
        self.head = nn.Linear(2 * SIDE * SIDE, 2)
        kernel = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])
        with torch.no_grad():
            self.conv.weight.copy_(torch.stack([kernel, -kernel])[:, None])
            self.head.weight.copy_(weights[:, None].expand(-1, 2, -1, -1).flatten(1))
            self.head.bias.copy_(biases)

    def forward(self, batch: Tensor) -> Tensor:
        logits: Tensor = self.head(self.relu(self.conv(batch)).flatten(1))
        return logits


@pytest.fixture(scope="module")
def half_reader() -> nn.Module:
    """Class 0 is roughness on the left, class 1 on the right."""
    left = torch.zeros(SIDE, SIDE)
    left[:, : SIDE // 2] = 2 / SIDE**2
    return RoughReader(torch.stack([left, left.flip(1)]), torch.zeros(2)).eval()


@pytest.fixture(scope="module")
def corner_reader() -> nn.Module:
    """Class 0 is roughness in the upper left corner, whatever the face."""
    corner = torch.zeros(SIDE, SIDE)
    corner[: SIDE // 2, : SIDE // 2] = 4 / SIDE**2
    weights = torch.stack([corner, torch.zeros(SIDE, SIDE)])
    return RoughReader(weights, torch.tensor([-1.5, 0.0])).eval()


@pytest.fixture(scope="module")
def rough_faces() -> Tensor:
    """Rough everywhere, the left half more so in even faces, the right half in odd ones."""
    faces = torch.randn(12, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    faces[::2, ..., : SIDE // 2] *= 2
    faces[1::2, ..., SIDE // 2 :] *= 2
    return faces


@pytest.fixture(scope="module")
def report(half_reader: nn.Module, rough_faces: Tensor) -> dict[str, Any]:
    return faithfulness_report(half_reader, rough_faces, sizes=SMALL)


def test_a_map_that_is_right_beats_its_controls(report: dict[str, Any]) -> None:
    found = report["methods"]["hires_cam"]

    assert found["verdict"] == "beats its controls"
    assert found["insertion"] - found["deletion"] == pytest.approx(found["gap"])
    assert found["ci"][0] <= found["gap"] <= found["ci"][1]
    assert found["ci"][0] > 0.2
    assert found["blank"] == 0


def ranks_agree(first: dict[str, float], second: dict[str, float]) -> float:
    """Spearman's correlation of two figures of the same methods."""
    return float(spearmanr(list(first.values()), [second[name] for name in first]).statistic)


def test_road_ranks_the_methods_as_deletion_by_rank_does(report: dict[str, Any]) -> None:
    methods = report["methods"]
    deletion = {name: -entry["deletion"] for name, entry in methods.items()}
    road = {name: entry["road"]["gap"] for name, entry in methods.items()}

    assert ranks_agree(deletion, road) >= 0.9
    # Roughness, place by place, is what this network weighs, and what HiResCAM gives at its ReLU.
    for figures in (deletion, road):
        assert figures["hires_cam"] == pytest.approx(max(figures.values()))
        assert figures["hires_cam"] > figures["activation"] > figures["grad_cam"]


def maps_of(model: nn.Module, faces: Tensor, targets: Tensor, method: str) -> Tensor:
    """Maps at the size of the face, float32 (N, 1, S, S)."""
    layer = layer_of(model, faces[:1], EXPLAINERS[method], None)
    return enlarged(class_maps(model, faces, targets, method, layer), SIDE)[:, None]


def test_captums_infidelity_and_sensitivity_rank_the_methods_alike(
    half_reader: nn.Module, rough_faces: Tensor, report: dict[str, Any]
) -> None:
    targets = half_reader(rough_faces).argmax(dim=1)
    dice = torch.Generator().manual_seed(0)

    def with_holes(faces: Tensor) -> tuple[Tensor, Tensor]:
        holes = torch.zeros_like(faces)
        for hole in holes:
            row, column = torch.randint(0, SIDE - 8, (2,), generator=dice)
            hole[:, row : row + 8, column : column + 8] = 1
        return holes, faces * (1 - holes)  # evidence under a hole foretells what it costs

    unfaithful, unsteady = {}, {}
    for method in ("hires_cam", "smooth_layer_cam", "activation", "grad_cam"):
        dice.manual_seed(0)
        maps = maps_of(half_reader, rough_faces, targets, method)
        found = infidelity(
            half_reader,
            with_holes,
            rough_faces,
            maps,
            target=targets,
            n_perturb_samples=30,
            normalize=True,
        )
        unfaithful[method] = float(found.mean())

        def explained(given: tuple[Tensor], method: str = method) -> tuple[Tensor]:
            (faces,) = given
            times = len(faces) // len(targets)
            return (maps_of(half_reader, faces, targets.repeat_interleave(times), method),)

        torch.manual_seed(0)
        moved = sensitivity_max(explained, rough_faces, perturb_radius=0.05, n_perturb_samples=4)
        unsteady[method] = float(moved.mean())

    gaps = {name: -report["methods"][name]["gap"] for name in unfaithful}
    noise = {name: -report["methods"][name]["stability"]["noise"] for name in unsteady}
    assert ranks_agree(unfaithful, gaps) == pytest.approx(1)
    assert ranks_agree(unsteady, noise) >= 0.8
    assert unfaithful["hires_cam"] < 0.01 * unfaithful["grad_cam"]
    assert unsteady["smooth_layer_cam"] < unsteady["hires_cam"] < unsteady["grad_cam"]


def test_where_the_place_never_changes_no_map_beats_another_faces(
    corner_reader: nn.Module,
) -> None:
    # Even roughness: the corner alone counts, and every face's map points there.
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(SIDE // 2, SIDE // 2)
    faces = board * torch.linspace(1, 2, 12)[:, None, None, None]

    found = faithfulness_report(corner_reader, faces, methods=["hires_cam"], sizes=SMALL)

    entry = found["methods"]["hires_cam"]
    assert entry["ci"][0] > 0.2
    assert entry["over_controls"]["random"]["ci"][0] > 0
    assert entry["over_controls"]["other_face"]["ci"][0] <= 0
    assert entry["verdict"] == "does not beat its controls"


def test_controls_and_methods_carry_what_the_contract_names(report: dict[str, Any]) -> None:
    assert report["n"] == 12
    assert set(report["controls"]) == set(CONTROL_TITLES)
    assert abs(report["controls"]["random"]["gap"]) < 0.3
    for entry in report["methods"].values():
        assert {
            "insertion",
            "deletion",
            "gap",
            "ci",
            "average_drop",
            "blank",
            "randomisation",
            "verdict",
        } <= set(entry)
        assert list(entry["randomisation"])[-1] == "all"
        assert set(entry["over_controls"]) == set(CONTROL_TITLES)
    assert report["methods"]["occlusion"]["n"] == 3
    assert report["methods"]["grad_cam"]["n"] == 12


def test_methods_that_do_not_apply_are_named_with_the_reason(report: dict[str, Any]) -> None:
    assert set(report["refused"]) == {"cam", "expected_cam"}
    assert "mean of reference faces" in report["refused"]["expected_cam"]
    assert "no global average pooling" in report["refused"]["cam"]


def test_the_report_is_plain_json(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_the_report_is_repeatable(
    half_reader: nn.Module, rough_faces: Tensor, report: dict[str, Any]
) -> None:
    again = faithfulness_report(
        half_reader, rough_faces, methods=["hires_cam", "grad_cam"], sizes=SMALL
    )

    for name in ("hires_cam", "grad_cam"):
        first, second = report["methods"][name], again["methods"][name]
        assert second["randomisation"] == first["randomisation"]
        # Which arithmetic is faster may differ from time to time, and with it the last digits.
        assert second["gap"] == pytest.approx(first["gap"], abs=0.02)


def test_progress_names_each_method(half_reader: nn.Module, rough_faces: Tensor) -> None:
    heard: list[tuple[int, int, str]] = []

    faithfulness_report(
        half_reader,
        rough_faces[:4],
        methods=["saliency"],
        sizes=SMALL,
        on_progress=lambda *facts: heard.append(facts),
    )

    assert heard == [(0, 1, "choosing layers"), (0, 1, "Saliency"), (1, 1, "")]


def test_one_face_is_too_few(half_reader: nn.Module, rough_faces: Tensor) -> None:
    with pytest.raises(ExplainError, match="at least two"):
        faithfulness_report(half_reader, rough_faces[:1])


def test_an_unknown_method_is_refused_before_any_work(
    half_reader: nn.Module, rough_faces: Tensor
) -> None:
    with pytest.raises(ConfigError, match="magic"):
        faithfulness_report(half_reader, rough_faces, methods=["magic"])


def test_scores_are_the_networks_probabilities(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=4), face_like("gimefive", 70)

    with torch.no_grad():
        expected = model(batch).softmax(dim=1)
    torch.testing.assert_close(exact_scorer(model).score(batch), expected)
    torch.testing.assert_close(
        onnx_scorer(model, batch[:8]).score(batch), expected, rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(
        fastest_scorer(model, batch[:8]).score(batch), expected, rtol=0, atol=0.03
    )


@pytest.mark.parametrize("name", ["gimefive_se", "gimefive_nobn", "vgg", "mini_xception"])
def test_folding_batch_norms_changes_no_answer(
    name: str, trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    options = {"width": 16} if name.startswith("gimefive") else {}
    model, batch = trained_like(name, **options), face_like(name, 4)
    before = {key: value.clone() for key, value in model.state_dict().items()}

    folded = light_scorer(model, batch, torch.float32).score(batch)
    light = light_scorer(model, batch)

    expected = exact_scorer(model).score(batch)
    torch.testing.assert_close(folded, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(light.score(batch), expected, rtol=0, atol=0.03)
    assert light.precision == "bfloat16"
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


def test_one_faces_map_is_tested_beside_random_maps_and_the_centre(
    half_reader: nn.Module, rough_faces: Tensor
) -> None:
    explanation = explain(half_reader, rough_faces[:1], ("rough", "even"), "hires_cam")

    found = face_faithfulness(half_reader, rough_faces[:1], explanation, "rough")

    assert found.gap > 0.3
    assert found.gap > found.centre
    assert found.gap > found.random
    assert not found.is_blank
    assert found.curves.inserted.shape == (1, 9)
