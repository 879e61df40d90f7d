"""What every method promises, over the whole registry of methods and kinds of networks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core import Explanation
from core.errors import ExplainError
from core.explain import (
    EXPLAINERS,
    explain,
    explainable_layers,
    give_reference,
    measure_reference,
)
from core.explain.layers import default_layer
from core.labels import EMOTIONS

SMALL = {"gimefive": {"width": 4}, "gimefive_se": {"width": 16, "depth": 4}, "mini_xception": {}}
each_method = pytest.mark.parametrize("method", list(EXPLAINERS))
each_network = pytest.mark.parametrize("name", list(SMALL))

Network = Callable[[str, str], tuple[nn.Module, Tensor]]


@pytest.fixture
def network(trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]) -> Network:
    """A small network that the method applies to, and a face for it."""

    def make(name: str, method: str) -> tuple[nn.Module, Tensor]:
        options = dict(SMALL[name])
        if method == "cam" and name != "mini_xception":
            options["fc_depth"] = 1
        model = trained_like(name, **options)
        if method == "expected_cam":
            give_reference(model, measure_reference(model, face_like(name, 8)))
        return model, face_like(name)

    return make


def traces(model: nn.Module) -> list[object]:
    """Everything an explanation could leave behind in a network."""
    modules = list(model.modules())
    hooks = [len(m.__dict__[n]) for m in modules for n in m.__dict__ if n.endswith("_hooks")]
    parameters = [(weight.grad, weight.requires_grad) for weight in model.parameters()]
    values = [float(value.double().sum()) for value in model.state_dict().values()]
    return [hooks, parameters, values, [type(m) for m in modules], [m.training for m in modules]]


@each_method
@each_network
def test_maps_fit_what_the_registry_says_of_them(name: str, method: str, network: Network) -> None:
    model, batch = network(name, method)
    info = EXPLAINERS[method]

    found = explain(model, batch, EMOTIONS, method)

    assert isinstance(found, Explanation)
    assert found.layer == default_layer(model, batch, info.default_layer)
    assert found.maps.dtype == np.float32
    assert found.maps.shape[0] == 6
    assert np.isfinite(found.maps).all()
    assert found.scale > 0
    assert found.signed == info.signed
    assert (found.maps.min() < 0) == info.signed
    discriminates = bool(np.ptp(found.maps, axis=0).max() > 0)
    assert discriminates == info.class_discriminative
    if info.default_layer == "input":
        assert found.maps.shape[1:] == tuple(batch.shape[2:])


@each_method
@each_network
def test_nothing_is_left_behind(name: str, method: str, network: Network) -> None:
    model, batch = network(name, method)
    before, values = traces(model), batch.clone()

    explain(model, batch, EMOTIONS, method)

    assert traces(model) == before
    assert batch.grad is None
    assert not batch.requires_grad
    assert torch.equal(batch, values)


@each_method
def test_four_threads_get_what_one_gets(method: str, network: Network) -> None:
    name = "mini_xception" if method == "cam" else "gimefive"
    model, _ = network(name, method)
    shape = (1, 1, 44, 44) if name == "mini_xception" else (1, 3, 64, 64)
    faces = [torch.randn(shape, generator=torch.Generator().manual_seed(n)) for n in range(4)]
    alone = [explain(model, face, EMOTIONS, method).maps for face in faces]

    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(lambda face: explain(model, face, EMOTIONS, method), faces * 2))

    for found, expected in zip(shared, alone * 2, strict=True):
        np.testing.assert_allclose(found.maps, expected, rtol=0, atol=1e-6 * abs(expected).max())


@each_method
def test_rows_and_classes_do_not_mix(method: str, network: Network) -> None:
    model, batch = network("gimefive", method)
    batch = torch.cat([batch, batch.flip(3) * 0.7]).double()
    model = model.double()
    layer = default_layer(model, batch, EXPLAINERS[method].default_layer)

    together = EXPLAINERS[method].maps(model, batch, torch.tensor([[0, 4], [2, 2]]), layer)

    for row, column, target in ((0, 1, 4), (1, 0, 2)):
        alone = EXPLAINERS[method].maps(
            model, batch[row : row + 1], torch.tensor([[target]]), layer
        )
        torch.testing.assert_close(together[row, column], alone[0, 0], rtol=1e-6, atol=1e-9)


@each_method
def test_it_works_in_inference_mode(method: str, network: Network) -> None:
    model, batch = network("gimefive", method)
    expected = explain(model, batch, EMOTIONS, method).maps

    with torch.inference_mode():
        found = explain(model, batch * 1.0, EMOTIONS, method).maps

    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * abs(expected).max())


@each_method
def test_a_network_in_training_mode_is_refused(method: str, network: Network) -> None:
    model, batch = network("gimefive", method)

    with pytest.raises(ExplainError, match="training mode"):
        explain(model.train(), batch, EMOTIONS, method)


@pytest.mark.parametrize("method", [n for n, info in EXPLAINERS.items() if info.any_layer])
def test_methods_of_any_layer_take_every_layer(method: str, network: Network) -> None:
    model, batch = network("gimefive_se", method)

    for layer in explainable_layers(model, batch):
        found = explain(model, batch, EMOTIONS, method, layer)
        assert found.layer == layer
        assert np.isfinite(found.maps).all()


@pytest.mark.parametrize("method", [n for n, info in EXPLAINERS.items() if not info.any_layer])
def test_other_methods_refuse_a_layer(method: str, network: Network) -> None:
    model, batch = network("gimefive", method)

    with pytest.raises(ExplainError, match="does not explain layer"):
        explain(model, batch, EMOTIONS, method, "blocks.block1.conv")


@pytest.mark.parametrize("method", ["grad_cam", "hires_cam"])
def test_caveats_state_no_size_that_only_one_network_has(method: str) -> None:
    assert not any(letter.isdigit() for letter in EXPLAINERS[method].caveat)
