"""The graph that is quantised computes what the exported one does, in pieces that run faster."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from core.explain import with_maps
from core.inference import export_onnx
from core.inference.quantise import measure_ranges, pool_first, quantise, split_columns
from core.models import build
from core.preprocess import Preprocess

FACES = np.random.default_rng(0).integers(0, 256, (8, 64, 64), dtype=np.uint8)
OPTIONS: dict[str, dict[str, Any]] = {
    "gimefive": {"depth": 3, "width": 8},
    "resnet14": {"width": 8, "columns": 2},
}


def exported(path: Path, name: str, *, maps: bool = False) -> onnx.ModelProto:
    """The float graph of an untrained network."""
    torch.manual_seed(0)
    network = build(name, 6, **OPTIONS.get(name, {})).eval()
    grey = Preprocess(64, 64, (0.5,), (0.5,)) if name == "mini_xception" else Preprocess()
    export_onnx(with_maps(network, "grad_cam") if maps else network, grey, path, maps=maps)
    return onnx.load(path)


def answers(model: onnx.ModelProto) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return [np.asarray(output) for output in session.run(None, {"pixels": FACES})]


def groups(model: onnx.ModelProto) -> list[int]:
    """The number of groups of every convolution."""
    nodes = [node for node in model.graph.node if node.op_type == "Conv"]
    return [next(a.i for a in node.attribute if a.name == "group") for node in nodes]


@pytest.mark.parametrize("maps", [False, True])
def test_columns_apart_answer_as_they_do_together(tmp_path: Path, maps: bool) -> None:
    model = exported(tmp_path / "float.onnx", "resnet14", maps=maps)
    expected = answers(model)
    assert 2 in groups(model)

    parts = split_columns(model)

    onnx.checker.check_model(model, full_check=True)
    assert set(groups(model)) == {1}
    made = {name for node in model.graph.node for name in node.output}
    assert set(parts) <= made
    for found, wanted in zip(answers(model), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_columns_meet_once_and_only_behind_the_last_convolution(tmp_path: Path) -> None:
    model = exported(tmp_path / "float.onnx", "resnet14")

    split_columns(model)

    kinds = [node.op_type for node in model.graph.node]
    last = max(place for place, kind in enumerate(kinds) if kind == "Conv")
    assert kinds.count("Split") == 1
    assert "Concat" not in kinds[:last]


def test_convolutions_of_one_channel_each_stay_together(tmp_path: Path) -> None:
    model = exported(tmp_path / "float.onnx", "mini_xception")
    before = groups(model)
    assert max(before) > 1

    assert split_columns(model) == {}

    assert groups(model) == before


def test_what_is_negative_may_be_cut_off_behind_the_pooling(tmp_path: Path) -> None:
    model = exported(tmp_path / "float.onnx", "gimefive")
    expected = answers(model)
    kinds = [node.op_type for node in model.graph.node]
    first = next(node.name for node in model.graph.node if node.op_type == "Conv")

    pool_first(model, [first])

    onnx.checker.check_model(model, full_check=True)
    changed = [node.op_type for node in model.graph.node]
    start = kinds.index("Conv")
    assert kinds[start : start + 3] == ["Conv", "Relu", "MaxPool"]
    assert changed[start : start + 3] == ["Conv", "MaxPool", "Max"]
    assert changed[start + 3 :] == kinds[start + 3 :]
    np.testing.assert_array_equal(answers(model)[0], expected[0])


@pytest.mark.parametrize("name", OPTIONS)
def test_an_activation_between_two_layers_is_rounded_once(tmp_path: Path, name: str) -> None:
    source, target = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    exported(source, name)

    quantise(source, measure_ranges(source, FACES), target)

    graph = onnx.load(target).graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    behind = {made_by.get(node.input[0]) for node in graph.node if node.op_type == "Relu"}
    assert "DequantizeLinear" not in behind
    wanted = answers(onnx.load(source))[0]
    assert np.abs(answers(onnx.load(target))[0] - wanted).max() < 0.1 * np.abs(wanted).max()
