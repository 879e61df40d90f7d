"""Features are what the head gets, and like pictures lie together."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.evaluation import feature_points, pooled_features
from core.models import Card, build, load_model, save_weights
from core.preprocess import Preprocess

LABELS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")


def stored(folder: Path, name: str, preprocess: Preprocess, **options: int) -> Path:
    torch.manual_seed(0)
    save_weights(build(name, 6, **options).state_dict(), folder / "weights.safetensors")
    card = Card(model=name, labels=LABELS, model_options=options, preprocess=preprocess)
    card.save(folder / "card.json")
    return folder


def two_kinds(n: int) -> np.ndarray:
    """Pictures of two kinds, alternating: horizontal and vertical stripes with noise."""
    pictures = np.random.default_rng(0).integers(0, 60, (n, 64, 64))
    pictures[::2, ::4] += 150
    pictures[1::2, :, ::4] += 150
    return pictures.astype(np.uint8)


def test_features_are_the_pooled_maps_and_logits_the_networks(tmp_path: Path) -> None:
    folder = stored(tmp_path, "gimefive", Preprocess(), depth=2, width=4)
    pixels = two_kinds(70)

    steps: list[tuple[int, int]] = []

    features, answers = pooled_features(folder, pixels, lambda *step: steps.append(step))

    model, card = load_model(folder)
    batch = torch.from_numpy(card.preprocess.normalise(pixels))
    with torch.inference_mode():
        expected = model.get_submodule("blocks")(batch).mean(dim=(2, 3))
        logits = model(batch)
    np.testing.assert_allclose(features, expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(answers, logits.numpy(), atol=1e-5)
    assert steps == [(64, 70), (70, 70)]


def test_a_network_without_a_head_gives_its_pooled_scores(tmp_path: Path) -> None:
    folder = stored(tmp_path, "mini_xception", Preprocess(48, 44, (0.5,), (0.5,)))

    features, _ = pooled_features(folder, two_kinds(3))

    assert features.shape == (3, 6)


def test_networks_of_a_library_give_what_their_last_layer_gets(tmp_path: Path) -> None:
    folder = stored(tmp_path, "torchvision:mobilenet_v3_small", Preprocess())
    pixels = two_kinds(3)

    features, answers = pooled_features(folder, pixels)

    model, _ = load_model(folder)
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    expected = torch.from_numpy(features) @ last.weight.T + last.bias
    np.testing.assert_allclose(answers, expected.detach().numpy(), atol=1e-4)


def test_a_network_of_a_library_without_a_linear_layer_gives_its_scores(tmp_path: Path) -> None:
    folder = stored(tmp_path, "torchvision:squeezenet1_1", Preprocess())

    features, answers = pooled_features(folder, two_kinds(3))

    np.testing.assert_allclose(features, answers, atol=1e-6)


def test_pictures_of_a_kind_have_their_nearest_neighbour_in_it(tmp_path: Path) -> None:
    folder = stored(tmp_path, "gimefive", Preprocess(), depth=2, width=4)

    steps: list[tuple[int, int]] = []

    points = feature_points(folder, two_kinds(60), on_progress=lambda *step: steps.append(step))

    places = points[["x", "y"]].to_numpy()
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) % 2 == np.arange(60) % 2).all()
    assert steps == [(60, 60)]


@pytest.mark.parametrize("count", [1, 4])
def test_a_handful_of_pictures_lies_on_a_line(tmp_path: Path, count: int) -> None:
    folder = stored(tmp_path, "gimefive", Preprocess(), depth=2, width=4)

    assert (feature_points(folder, two_kinds(count))["y"] == 0).all()
