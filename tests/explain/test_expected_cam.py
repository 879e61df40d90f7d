"""Expected CAM against its formula, an independent blur, and what is kept on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain import (
    Reference,
    explain,
    fast_methods,
    give_reference,
    load_explained,
    load_reference,
    measure_reference,
    recommended_method,
    reference_faces,
    save_reference,
    with_maps,
)
from core.labels import EMOTIONS
from core.models import Card, build, save_weights
from core.preprocess import Preprocess

SIDE = 32


class LinearBehind(nn.Module):
    """Two channels, then an average and a linear layer: the gradient is the same for every face."""

    explain_layer = "conv"

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.relu = nn.ReLU()
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(2, 3, bias=False)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
        self.head.weight.data = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])

    def forward(self, batch: Tensor) -> Tensor:
        features: Tensor = self.relu(self.conv(batch))
        logits: Tensor = self.head(torch.flatten(self.gap(features), 1))
        return logits


def noise(count: int, seed: int, channels: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, channels, SIDE, SIDE, generator=generator)


def test_behind_a_linear_head_it_is_weight_times_what_differs_from_the_mean() -> None:
    model, others, face = LinearBehind().eval(), noise(40, 1), noise(1, 2)
    give_reference(model, measure_reference(model, others, "relu"))

    found = explain(model, face, ("a", "b", "c"), "expected_cam")

    cells = torch.cat([face, -face], dim=1).clamp(min=0)[0].numpy()
    mean = torch.cat([others, -others], dim=1).clamp(min=0).mean(dim=0).numpy()
    weights = model.head.weight.detach().numpy() / SIDE**2
    weights = weights - weights.mean(axis=0)
    for label, row in zip(found.labels, weights, strict=True):
        plain = (row[:, None, None] * (cells - mean)).sum(axis=0)
        expected = gaussian_filter(plain, SIDE / 16, mode="nearest", truncate=3)
        np.testing.assert_allclose(found.map_of(label), expected, atol=2e-6)
    assert found.layer == "relu"
    assert found.signed
    assert abs(found.maps.sum(axis=0)).max() < 1e-5  # the classes' shares cancel


def test_a_face_counts_by_how_strongly_its_cell_answers() -> None:
    class Square(LinearBehind):
        """The first class's logit is half the sum of squares, so its gradient is the activation."""

        def forward(self, batch: Tensor) -> Tensor:
            features = self.relu(self.conv(batch))
            half = (features**2).sum(dim=(1, 2, 3)) / 2
            return torch.stack([half, torch.zeros_like(half)], dim=1)

    model = Square().eval()
    weak, strong = torch.full((1, 1, SIDE, SIDE), 1.0), torch.full((1, 1, SIDE, SIDE), 3.0)

    reference = measure_reference(model, torch.cat([weak, strong]), "relu")

    # The gradient less its mean over two classes is A / 2: E[g A] / E[A] = (1 + 9) / 2 / (1 + 3).
    np.testing.assert_allclose(reference.weights[0, 0], 1.25, rtol=1e-6)
    np.testing.assert_allclose(reference.weights[1, 0], -1.25, rtol=1e-6)
    np.testing.assert_array_equal(reference.weights[:, 1], 0)  # a channel that is silent
    np.testing.assert_allclose(reference.offset[0], 2.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gimefive", {"width": 8}),
        ("resnet14", {"width": 8, "columns": 2}),
        ("face_and_slim", {"width": 8}),  # whose layer repeats cells
    ],
)
def test_one_pass_gives_the_logits_and_the_maps_of_all_classes(
    name: str,
    options: dict[str, Any],
    trained_like: Callable[..., nn.Module],
    face_like: Callable[..., Tensor],
) -> None:
    model, batch = trained_like(name, **options), face_like(name, 3)
    give_reference(model, measure_reference(model, face_like(name, 8)))

    with torch.inference_mode():
        logits, maps = with_maps(model, "expected_cam")(batch)
        expected = model(batch)

    assert fast_methods(model)[0] == "expected_cam"
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)
    for row, face in enumerate(batch):
        alone = explain(model, face[None], EMOTIONS, "expected_cam").maps
        np.testing.assert_allclose(maps[row], alone, atol=1e-5 * abs(alone).max())


def test_without_a_reference_it_says_what_to_do(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model = trained_like("gimefive", width=8)

    with pytest.raises(ExplainError, match="python -m core faithfulness"):
        explain(model, face_like("gimefive", 1), EMOTIONS, "expected_cam")
    assert fast_methods(model) == ("grad_cam",)
    with pytest.raises(ExplainError, match="no reference face"):
        measure_reference(model, face_like("gimefive", 1)[:0])


def test_faces_of_another_size_are_refused() -> None:
    model = LinearBehind().eval()
    give_reference(model, measure_reference(model, noise(4, 1), "relu"))

    with pytest.raises(ExplainError, match=r"\(16, 16\) cells .* \(32, 32\)"):
        explain(model, noise(1, 2)[..., :16, :16], ("a", "b", "c"), "expected_cam")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    options = {"depth": 3, "width": 8}
    save_weights(build("gimefive", 6, **options).state_dict(), tmp_path / "weights.safetensors")
    Card(model="gimefive", labels=EMOTIONS, model_options=options, preprocess=Preprocess()).save(
        tmp_path / "card.json"
    )
    return tmp_path


def test_a_reference_is_kept_with_the_weights_it_was_made_with(checkpoint: Path) -> None:
    assert load_reference(checkpoint) is None
    assert recommended_method(checkpoint) == "smooth_layer_cam"
    model, card = load_explained(checkpoint)
    pictures = np.random.default_rng(0).integers(0, 256, (9, 64, 64), dtype=np.uint8)
    made = measure_reference(model, reference_faces(pictures, card.preprocess))

    save_reference(made, checkpoint)

    kept = load_reference(checkpoint)
    assert kept is not None
    assert (kept.layer, kept.faces) == (made.layer, 9)
    torch.testing.assert_close(kept.weights, made.weights, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(kept.offset, made.offset)
    assert isinstance(getattr(load_explained(checkpoint)[0], "reference", None), Reference)
    assert recommended_method(checkpoint) == "expected_cam"

    weights = checkpoint / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + bytes(4))
    assert load_reference(checkpoint) is None


def test_a_damaged_file_counts_as_none(checkpoint: Path) -> None:
    (checkpoint / "reference.safetensors").write_bytes(b"nothing of the kind")

    assert load_reference(checkpoint) is None
