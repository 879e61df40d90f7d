"""The front door: one face in, a map for every class out."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import ConfigError, ExplainError
from core.explain import EXPLAINERS, explain
from core.explain.cam import grad_cam
from core.labels import EMOTIONS


def test_every_described_method_has_code() -> None:
    for name, info in EXPLAINERS.items():
        assert info.name == name
        assert info.maps.__name__ == info.place.rpartition(".")[2]
        assert all((info.title, info.formula, info.paper, info.cost))


def test_grad_cam_explains_the_last_convolution(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=8), face_like("gimefive")
    expected = grad_cam(model, batch, torch.arange(6)[None], "blocks.block5.conv")[0].numpy()

    found = explain(model, batch.numpy(), EMOTIONS, "grad_cam")

    assert (found.method, found.layer) == ("grad_cam", "blocks.block5.conv")
    assert found.labels == EMOTIONS
    assert found.maps.dtype == np.float32
    assert not found.signed
    np.testing.assert_allclose(found.maps, expected, rtol=0, atol=1e-6 * expected.max())


def test_another_layer_can_be_named(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=8), face_like("gimefive")

    found = explain(model, batch, EMOTIONS, "grad_cam", layer="blocks.block3.relu")

    assert found.layer == "blocks.block3.relu"
    assert found.maps.shape == (6, 16, 16)


def test_a_map_without_positive_evidence_is_called_blank(
    trained_like: Callable[..., nn.Module],
) -> None:
    model = trained_like("gimefive", width=4, fc_depth=1, batch_norm=False)
    with torch.no_grad():
        model.get_submodule("head.fc1").weight[2] = -1.0  # type: ignore[operator]
        model.get_submodule("blocks.block5.conv").weight.abs_()  # type: ignore[operator]
        model.get_submodule("blocks.block5.conv").bias.abs_()  # type: ignore[operator]

    found = explain(model, torch.ones(1, 3, 64, 64), EMOTIONS, "grad_cam")

    assert found.is_blank("sadness")
    assert np.isfinite(found.maps).all()


@pytest.mark.parametrize("shape", [(2, 3, 64, 64), (3, 64, 64)])
def test_anything_but_one_face_is_refused(
    shape: tuple[int, ...], trained_like: Callable[..., nn.Module]
) -> None:
    with pytest.raises(ExplainError, match=r"expected float32 \(1, C, S, S\)"):
        explain(trained_like("gimefive", width=4), torch.zeros(shape), EMOTIONS, "grad_cam")


def test_labels_that_do_not_fit_the_logits_are_refused(
    trained_like: Callable[..., nn.Module],
) -> None:
    model = trained_like("gimefive", classes=7, width=4)

    with pytest.raises(ExplainError, match="7 logits, but 6 labels"):
        explain(model, torch.zeros(1, 3, 64, 64), EMOTIONS, "grad_cam")


def test_an_unknown_method_is_refused(trained_like: Callable[..., nn.Module]) -> None:
    with pytest.raises(ConfigError, match="magic"):
        explain(trained_like("gimefive", width=4), torch.zeros(1, 3, 64, 64), EMOTIONS, "magic")


def test_the_list_of_methods_comes_without_torch() -> None:
    code = (
        "import sys, core.explain as e; print(len(e.EXPLAINERS), 'torch' in sys.modules); "
        "wrong = [n for n in e.__all__ if type(getattr(e, n)) is type(sys)]; print(wrong)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    first, second = done.stdout.splitlines()
    assert first == f"{len(EXPLAINERS)} False"
    assert second == "[]"
