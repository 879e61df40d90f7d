"""On the shipped weights: maps that claim completeness sum to what they claim."""

import copy

import numpy as np
import pytest
import torch
from photos import sample_photo
from torch import Tensor, nn

from core.checkpoints import SHIPPED_CHECKPOINTS, find_checkpoint
from core.explain import EXPLAINERS, explain, explainable_layers
from core.explain.integrated_gradients import integrated_gradients
from core.explain.layers import is_complete_at
from core.faces import find_faces
from core.models import Card, load_model

Trained = tuple[nn.Module, Card, Tensor]
RESIDUAL = 1e-3  # in logits


@pytest.fixture(scope="module", params=SHIPPED_CHECKPOINTS)
def trained(request: pytest.FixtureRequest) -> Trained:
    """A shipped network and the sample photo's face."""
    model, card = load_model(find_checkpoint(request.param))
    crop = find_faces(sample_photo()).faces[0].crop
    return model, card, torch.from_numpy(card.preprocess(crop))


def test_integrated_gradients_sum_to_the_difference_from_mid_grey(trained: Trained) -> None:
    model, _, batch = trained

    with torch.no_grad():
        answer = model(batch).argmax(dim=1)
        expected = (model(batch) - model(torch.zeros_like(batch)))[0, answer]

    found = integrated_gradients(model, batch, answer[:, None], "input")  # one class: it is slow

    assert EXPLAINERS["integrated_gradients"].complete
    torch.testing.assert_close(found.sum(dim=(1, 2, 3)), expected, rtol=0, atol=RESIDUAL)


def test_hires_cam_at_the_last_relu_sums_to_the_logits_less_their_biases(trained: Trained) -> None:
    model, card, batch = trained
    layer = next(
        name for name in reversed(explainable_layers(model, batch))
        if is_complete_at(model, batch, name)
    )  # fmt: skip

    found = explain(model, batch, card.labels, "hires_cam", layer)

    assert found.complete
    # Behind this layer a logit is a straight line in the strength of the features, until a ReLU
    # changes sides: its slope at full strength is the logit less the biases met on the way.
    step = 1e-4
    stronger, weaker = (scaled_logits(model, batch, layer, 1 + by) for by in (step, -step))
    expected = (stronger - weaker) / (2 * step)
    np.testing.assert_allclose(found.maps.sum(axis=(1, 2)), expected, rtol=0, atol=RESIDUAL)
    linear = [part for part in model.modules() if isinstance(part, nn.Linear)]
    if len(linear) == 1:  # then the line goes on to no features at all
        with torch.no_grad():
            bias = linear[0].bias.double().numpy()
        whole = scaled_logits(model, batch, layer, 1.0)
        np.testing.assert_allclose(found.maps.sum(axis=(1, 2)), whole - bias, atol=RESIDUAL)


def scaled_logits(model: nn.Module, batch: Tensor, layer: str, factor: float) -> np.ndarray:
    """Logits float64 (K,) with one layer's features made stronger; the network stays as it is."""
    twin = copy.deepcopy(model).double()
    twin.get_submodule(layer).register_forward_hook(lambda _, __, output: output * factor)
    with torch.no_grad():
        logits: np.ndarray = twin(batch.double())[0].numpy()
    return logits
