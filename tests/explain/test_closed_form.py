"""The closed form of Grad-CAM against autograd, against Captum and after export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.cam import grad_cam
from core.explain.closed_form import ClosedGradCam, closed_grad_cam, has_closed_form
from core.explain.layers import last_convolution

FAMILY: list[tuple[str, dict[str, Any]]] = [
    ("gimefive", {}),
    ("gimefive_plain", {}),
    ("gimefive_se", {}),
    ("gimefive_nobn", {}),
    ("gimefive_baseline", {}),
    ("gimefive_deep", {}),
    ("gimefive", {"pooling": "average"}),
    ("gimefive", {"fc_depth": 2}),
    ("gimefive", {"fc_depth": 1}),
    ("gimefive", {"depth": 1}),
    ("gimefive_res", {}),
    ("resnet18", {}),
    ("resnet14", {}),
    ("resnet14", {"blocks": (1, 1)}),
    ("resnet14", {"columns": 2}),
    ("face_and_slim", {}),  # two networks, whose cells differ in size
]
WIDE = {"gimefive_res", "resnet18"}  # whose width is fixed
each_member = pytest.mark.parametrize(("name", "options"), FAMILY)


def assert_equal_maps(found: Tensor, expected: Tensor) -> None:
    scale = expected.abs().max()
    assert scale > 0
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=2e-6)


@each_member
def test_closed_and_general_form_and_captum_agree(
    name: str,
    options: dict[str, Any],
    trained_like: Callable[..., nn.Module],
    face_like: Callable[..., Tensor],
) -> None:
    width = {} if name in WIDE else {"width": 16}
    model, batch = trained_like(name, **width, **options), face_like(name, 3)
    layer = last_convolution(model)

    with torch.inference_mode():
        logits, maps = closed_grad_cam(model)(batch)

    general = grad_cam(model, batch, torch.arange(6).expand(3, 6), layer)
    assert_equal_maps(maps, general)
    torch.testing.assert_close(logits, model(batch), rtol=0, atol=2e-6)
    captum = LayerGradCam(model, model.get_submodule(layer))
    for target in range(6):
        other = captum.attribute(batch, target=target, relu_attributions=True)[:, 0]
        torch.testing.assert_close(
            maps[:, target] / general.max(), other.detach() / general.max(), rtol=0, atol=2e-6
        )


@pytest.mark.parametrize("size", [50, 96])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_sides_that_do_not_halve_evenly_are_right_too(
    size: int, pooling: str, trained_like: Callable[..., nn.Module]
) -> None:
    model = trained_like("gimefive", width=8, depth=4, pooling=pooling)
    batch = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(3))

    with torch.inference_mode():
        _, maps = ClosedGradCam(model)(batch)

    assert_equal_maps(
        maps, grad_cam(model, batch, torch.arange(6).expand(2, 6), "blocks.block4.conv")
    )


def test_a_class_nothing_speaks_for_gets_zeros(trained_like: Callable[..., nn.Module]) -> None:
    model = trained_like("gimefive", width=4, fc_depth=1, batch_norm=False)
    with torch.no_grad():
        model.get_submodule("head.fc1").weight[2] = -1.0  # type: ignore[operator]
        model.get_submodule("blocks.block5.conv").weight.abs_()  # type: ignore[operator]
        model.get_submodule("blocks.block5.conv").bias.abs_()  # type: ignore[operator]

    _, maps = ClosedGradCam(model)(torch.ones(1, 3, 64, 64))

    assert torch.equal(maps[0, 2], torch.zeros(4, 4))


@pytest.mark.parametrize("name", ["vgg", "mini_xception"])
def test_other_networks_are_refused(name: str) -> None:
    from core.models import build

    with torch.device("meta"):
        model = build(name, 6).eval()

    assert not has_closed_form(model)
    with pytest.raises(ExplainError, match="no closed form"):
        ClosedGradCam(model)


def test_squeeze_excitation_in_the_last_block_is_refused(
    trained_like: Callable[..., nn.Module],
) -> None:
    assert not has_closed_form(trained_like("gimefive_se", depth=1, width=16))


def test_training_mode_is_refused_by_the_closed_form(
    trained_like: Callable[..., nn.Module],
) -> None:
    closed = ClosedGradCam(trained_like("gimefive", width=4).train())

    with pytest.raises(ExplainError, match="training mode"):
        closed(torch.zeros(1, 3, 64, 64))


def test_it_wraps_the_network_without_changing_it(
    trained_like: Callable[..., nn.Module],
) -> None:
    model = trained_like("gimefive", width=4)
    names = [name for name, _ in model.named_modules()]

    closed = ClosedGradCam(model)

    assert [name for name, _ in model.named_modules()] == names
    assert closed.last.get_submodule("conv") is model.get_submodule("blocks.block5.conv")
    assert not any(module.training for module in closed.modules())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's exporter, of its own parts
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_it_exports_to_onnx_for_any_batch(
    tmp_path: Path,
    trained_like: Callable[..., nn.Module],
    face_like: Callable[..., Tensor],
) -> None:
    model, batch = trained_like("gimefive_se", width=16), face_like("gimefive_se", 5)
    closed = ClosedGradCam(model)
    path = tmp_path / "closed.onnx"

    torch.onnx.export(
        closed,
        (batch[:2],),
        path,
        input_names=["batch"],
        output_names=["logits", "maps"],
        dynamic_shapes={"batch": {0: torch.export.Dim("faces")}},
        dynamo=True,
        verbose=False,
    )

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits, maps = session.run(None, {"batch": batch.numpy()})
    with torch.inference_mode():
        expected_logits, expected_maps = closed(batch)
    np.testing.assert_allclose(logits, expected_logits.numpy(), rtol=0, atol=2e-6)
    scale = float(expected_maps.max())
    # Another library sums in another order: a few units of float32's last place.
    np.testing.assert_allclose(maps / scale, expected_maps.numpy() / scale, rtol=0, atol=5e-6)
