"""ONNX Runtime gives what the network gives, is built once, and follows the weights."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import PIPE
from typing import Literal

import numpy as np
import onnx
import pytest
import torch

from core.errors import CheckpointError, ExplainError
from core.explain import (
    load_explained,
    measure_reference,
    reference_faces,
    save_reference,
    with_maps,
)
from core.inference import (
    OnnxEngine,
    Quantisation,
    calibrate,
    engine,
    export_onnx,
    preferred,
)
from core.inference.engine import built
from core.models import MODELS, Card, build, load_model, save_weights

LABELS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")
OPTIONS = {
    "gimefive": {"depth": 3, "width": 8},
    "resnet14": {"width": 8, "columns": 2},
    "face_and_slim": {"width": 8},
}
BUILDS = (
    "import sys; from pathlib import Path; from core.process import Claim\n"
    "from core.files import replacing\n"
    "claim = Claim(Path(sys.argv[1])); print(claim.acquire(), flush=True)\n"
    "content = sys.stdin.buffer.read()\n"
    "with replacing(Path(sys.argv[2])) as temporary: temporary.write_bytes(content)\n"
    "claim.release()"
)


def make_checkpoint(folder: Path, seed: int = 0, model: str = "gimefive") -> Path:
    """A small untrained network with batch-norm statistics of its own."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(seed)
    options = OPTIONS.get(model, {})
    network = build(model, 6, **options).train()
    preprocess = MODELS[model].preprocess
    for _ in range(5):
        network(torch.randn(16, preprocess.channels, preprocess.crop, preprocess.crop))
    save_weights(network.state_dict(), folder / "weights.safetensors")
    Card(model=model, labels=LABELS, model_options=options, preprocess=preprocess).save(
        folder / "card.json"
    )
    return folder


def faces(n: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side), dtype=np.uint8)


@pytest.mark.parametrize("method", ["grad_cam", "expected_cam"])
@pytest.mark.parametrize("name", OPTIONS)
def test_logits_and_maps_are_those_of_the_network(
    tmp_path: Path, name: str, method: Literal["grad_cam", "expected_cam"]
) -> None:
    folder = make_checkpoint(tmp_path / "run", model=name)
    model, card = load_model(folder)
    known = reference_faces(faces(8, card.preprocess.size), card.preprocess)
    save_reference(measure_reference(model, known), folder)
    model, card = load_explained(folder)
    pixels = faces(70, card.preprocess.size)  # more than one call of the engine

    logits, maps = engine(folder, method, threads=1).run(pixels)

    with torch.inference_mode():
        batch = torch.from_numpy(card.preprocess.normalise(pixels))
        expected = with_maps(model, method)(batch)
    assert maps is not None
    np.testing.assert_allclose(logits, expected[0].numpy(), atol=1e-5)
    scale = float(expected[1].abs().max())
    assert scale > 0
    np.testing.assert_allclose(maps / scale, expected[1].numpy() / scale, atol=1e-5)


def test_a_grey_network_with_a_crop_is_exported_with_both(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run", model="mini_xception")
    model, card = load_model(folder)
    pixels = faces(3, 48)

    logits, maps = engine(folder, "exact", threads=1).run(pixels)

    with torch.inference_mode():
        expected = model(torch.from_numpy(card.preprocess.normalise(pixels)))
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-5)
    assert maps is None


def test_an_exported_file_is_valid_and_takes_any_number_of_faces(tmp_path: Path) -> None:
    model, card = load_model(make_checkpoint(tmp_path / "run"))

    network = with_maps(model, "grad_cam")
    export_onnx(network, card.preprocess, tmp_path / "model.onnx", maps=True)

    stored = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(stored)
    assert [value.name for value in stored.graph.output] == ["logits", "maps"]
    assert stored.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"


def test_maps_are_refused_where_there_is_no_closed_form(tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match="closed form"):
        engine(make_checkpoint(tmp_path / "run", model="mini_xception"), "grad_cam")


def test_the_file_is_built_once_and_again_for_other_weights(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run")
    first = built(folder, "exact")
    made = first.stat().st_mtime_ns

    assert built(folder, "exact") == first
    assert first.stat().st_mtime_ns == made

    make_checkpoint(folder, seed=1)
    assert built(folder, "exact") != first


def test_a_file_that_another_process_builds_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint(tmp_path / "run")
    path = built(folder, "exact")
    content = path.read_bytes()
    path.unlink()
    monkeypatch.setattr("core.inference.export.build_float", None)  # nobody builds it here

    claim = str(path.with_suffix(".claim"))
    other = subprocess.Popen(
        [sys.executable, "-c", BUILDS, claim, str(path)], stdin=PIPE, stdout=PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == b"True\n"
    threading.Timer(0.7, other.communicate, (content,)).start()

    assert built(folder, "exact").read_bytes() == content
    assert other.wait(30) == 0
    assert built(folder, "exact") == path
    assert not path.with_suffix(".claim").exists()


def test_eight_bits_stay_close_and_their_cost_is_written_down(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run")
    pixels, labels = faces(96), np.zeros(96, dtype=np.int64)
    exact, _ = engine(folder, "exact", threads=1).run(pixels)

    result = calibrate(folder, pixels, labels)

    small, _ = engine(folder, "int8", threads=1).run(pixels)
    assert not np.array_equal(small, exact)
    error = np.sqrt(np.mean((small - exact) ** 2)) / exact.std()
    assert error < 0.1
    assert result.accuracy_exact == (exact.argmax(1) == 0).mean()
    assert result.accuracy_int8 == (small.argmax(1) == 0).mean()
    assert Quantisation.load(folder) == result


def test_the_layer_that_sees_the_pixels_stays_in_float(tmp_path: Path) -> None:
    """In 8 bits its sums overflow on processors without 8-bit dot products."""
    folder = make_checkpoint(tmp_path / "run")
    calibrate(folder, faces(40), np.zeros(40, dtype=np.int64))

    graph = onnx.load(built(folder, "int8")).graph

    made_by = {name: node.op_type for node in graph.node for name in node.output}
    inputs = [[made_by.get(name) for name in n.input] for n in graph.node if n.op_type == "Conv"]
    assert "DequantizeLinear" not in inputs[0]
    assert all("DequantizeLinear" in kinds for kinds in inputs[1:])
    assert len(inputs) > 1


def test_eight_bits_are_not_preferred_before_their_cost_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint(tmp_path / "run")

    def cut_short(*_: object) -> None:
        assert preferred(folder) == "exact"
        raise KeyboardInterrupt

    monkeypatch.setattr(OnnxEngine, "run", cut_short)
    with pytest.raises(KeyboardInterrupt):
        calibrate(folder, faces(40), np.zeros(40, dtype=np.int64))

    assert preferred(folder) == "exact"


def test_eight_bits_in_use_stay_so_through_a_measurement_that_is_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint(tmp_path / "run")
    calibrate(folder, faces(40), np.zeros(40, dtype=np.int64))
    before = Quantisation.load(folder)

    def cut_short(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(OnnxEngine, "run", cut_short)
    with pytest.raises(KeyboardInterrupt):
        calibrate(folder, faces(90), np.zeros(90, dtype=np.int64))

    assert Quantisation.load(folder) == before


def test_eight_bits_of_other_weights_are_no_longer_used(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run")
    calibrate(folder, faces(40), np.full(40, -1))  # 8 bits lose nothing where nothing is right
    assert preferred(folder) == "int8"

    make_checkpoint(folder, seed=1)  # as a run that goes on replaces them

    assert Quantisation.load(folder) is None
    assert preferred(folder) == "exact"
    with pytest.raises(CheckpointError, match="no measured 8-bit ranges"):
        engine(folder, "int8")


def test_weights_that_change_while_they_are_measured_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint(tmp_path / "run")
    run = OnnxEngine.run

    def trained_meanwhile(self: OnnxEngine, pixels: np.ndarray) -> object:
        make_checkpoint(folder, seed=1)
        return run(self, pixels)

    monkeypatch.setattr(OnnxEngine, "run", trained_meanwhile)
    with pytest.raises(CheckpointError, match="got other weights while they were measured"):
        calibrate(folder, faces(40), np.zeros(40, dtype=np.int64))

    assert Quantisation.load(folder) is None


def test_a_file_that_does_not_say_of_which_weights_it_is_is_used(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run")
    stored = {"ranges": [[0, 1]], "faces": 9, "accuracy_exact": 0.5, "accuracy_int8": 0.5}
    for more in ({}, {"weights_fingerprint": ""}):
        (folder / "quantisation.json").write_text(json.dumps(stored | {"agreement": 1} | more))

        assert preferred(folder) == "int8"


@pytest.mark.parametrize("length", [0, 1000, -1000])
def test_half_a_file_in_the_cache_is_built_anew(tmp_path: Path, length: int) -> None:
    folder = make_checkpoint(tmp_path / "run")
    path = built(folder, "exact")
    whole = path.read_bytes()
    path.write_bytes(whole[:length])

    logits, _ = engine(folder, "exact", threads=1).run(faces(2))

    assert path.read_bytes() == whole
    assert logits.shape == (2, 6)


def test_one_face_gets_the_same_eight_bit_answer_alone_and_in_a_batch(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run")
    pixels = faces(40)
    calibrate(folder, pixels, np.zeros(40, dtype=np.int64))
    run = engine(folder, "int8", threads=1).run

    together, _ = run(pixels)
    alone = np.concatenate([run(face[None])[0] for face in pixels])

    np.testing.assert_allclose(alone, together, atol=1e-6)


@pytest.mark.parametrize("method", ["grad_cam", "expected_cam"])
def test_maps_in_eight_bits_come_with_the_logits_of_eight_bits(
    tmp_path: Path, method: Literal["grad_cam", "expected_cam"]
) -> None:
    folder = make_checkpoint(tmp_path / "run")
    model, card = load_model(folder)
    save_reference(measure_reference(model, reference_faces(faces(8), card.preprocess)), folder)
    pixels = faces(40)
    calibrate(folder, pixels, np.zeros(40, dtype=np.int64))
    kind: Literal["int8_grad_cam", "int8_expected_cam"] = (
        "int8_grad_cam" if method == "grad_cam" else "int8_expected_cam"
    )

    logits, maps = engine(folder, kind, threads=1).run(pixels)

    eight = engine(folder, "int8", threads=1).run(pixels)[0]
    np.testing.assert_allclose(logits, eight, atol=1e-3)
    exact, exact_maps = engine(folder, method, threads=1).run(pixels)
    assert not np.array_equal(logits, exact)
    assert maps is not None
    assert exact_maps is not None
    assert np.corrcoef(maps.ravel(), exact_maps.ravel())[0, 1] > 0.98


def test_maps_in_eight_bits_are_refused_with_ranges_of_another_network(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run")
    Quantisation([(0.0, 1.0)], 10, 0.5, 0.5, 1.0).save(folder)

    with pytest.raises(CheckpointError, match="holds 1 ranges"):
        engine(folder, "int8_grad_cam")


@pytest.mark.parametrize(("loss", "kind"), [(0.0, "int8"), (0.002, "int8"), (0.01, "exact")])
def test_eight_bits_are_preferred_only_where_accuracy_holds(
    tmp_path: Path, loss: float, kind: str
) -> None:
    folder = make_checkpoint(tmp_path / "run")
    Quantisation([(0.0, 1.0)], 100, 0.8, 0.8 - loss, 0.99).save(folder)

    assert preferred(folder) == kind


def test_without_ranges_float_is_used_and_eight_bits_are_refused(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run")

    assert preferred(folder) == "exact"
    with pytest.raises(CheckpointError, match="no measured 8-bit ranges"):
        engine(folder, "int8")


def test_ranges_of_another_network_are_refused(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "run")
    Quantisation([(0.0, 1.0)], 10, 0.5, 0.5, 1.0).save(folder)
    with pytest.raises(CheckpointError, match="holds 1 ranges"):
        engine(folder, "int8")
