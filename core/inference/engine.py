"""Networks exported to ONNX and run by ONNX Runtime, built once and kept by their weights' hash."""

import hashlib
import json
import logging
import threading
import warnings
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Literal

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as errors
from torch import Tensor, nn

from core.checkpoints import REFERENCE, WEIGHTS
from core.errors import CheckpointError
from core.explain import load_explained, with_maps
from core.files import replacing
from core.inference.quantise import (
    RANGE_FACES,
    Quantisation,
    agreement,
    measure_ranges,
    quantise,
)
from core.paths import cache_folder
from core.preprocess import Preprocess
from core.types import Image

Kind = Literal["exact", "int8", "grad_cam", "expected_cam", "int8_grad_cam", "int8_expected_cam"]
BATCH = 64  # faces a call: larger ones only cost memory
UNREADABLE = (errors.Fail, errors.InvalidProtobuf, errors.InvalidGraph, errors.InvalidArgument)
FORMAT = 9  # part of the cache's file names; raise it when the files change

_building = threading.Lock()
logger = logging.getLogger(__name__)
OPSET = 20


class OnnxEngine:
    """One ONNX file in memory; safe to share between threads.

    Args:
        path: File made by `core.inference.engine`.
        threads: Threads a call may use; 0 for one a core.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Waiting threads sleep: between two frames the processor belongs to others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, pixels: Image) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Logits, and maps where the file has them.

        Args:
            pixels: uint8 (N, S, S), or RGB (N, S, S, 3) for a network that takes colour.

        Returns:
            float64 (N, K), and float32 (N, K, h, w) or None.
        """
        parts = [
            self._session.run(self._outputs, {"pixels": pixels[start : start + BATCH]})
            for start in range(0, len(pixels), BATCH)
        ] or [self._session.run(self._outputs, {"pixels": pixels})]
        logits = np.concatenate([part[0] for part in parts]).astype(np.float64)
        maps = np.concatenate([part[1] for part in parts]) if len(self._outputs) > 1 else None
        return logits, maps


def engine(folder: Path, kind: Kind = "exact", *, threads: int = 0) -> OnnxEngine:
    """The engine of a checkpoint, shared by all callers in this process.

    Args:
        folder: Checkpoint folder.
        kind: "exact" float32 logits, "int8" logits in 8 bits, a method's name for float32 logits
            and its maps, or "int8_" and that name for the logits of "int8" and maps from the same
            pass.
        threads: Threads a call may use; 0 for one a core.

    Raises:
        CheckpointError: The checkpoint cannot be used, or has no 8-bit ranges.
        ExplainError: Maps are asked for and the network has none without a backward pass.
    """
    path = built(folder, kind)
    return _engine(path, threads, path.stat().st_size, folder, kind)


@lru_cache(maxsize=8)
def _engine(path: Path, threads: int, size: int, folder: Path, kind: Kind) -> OnnxEngine:
    """The engine of a file of this size, which is built anew where it is damaged."""
    try:
        return OnnxEngine(path, threads=threads)
    except UNREADABLE as error:
        logger.warning("%s is damaged and is built anew: %s", path.name, error)
        with _building:
            path.unlink(missing_ok=True)
    return OnnxEngine(built(folder, kind), threads=threads)


def preferred(folder: Path) -> Kind:
    """Name the kind to use: "int8" where the accuracy holds in 8 bits, else "exact"."""
    quantisation = Quantisation.load(folder)
    return "int8" if quantisation is not None and quantisation.holds else "exact"


def built(folder: Path, kind: Kind) -> Path:
    """The ONNX file of a checkpoint, made now if it is not in the cache."""
    if _is_int8(kind):
        quantisation = Quantisation.load(folder)
        if quantisation is None:
            raise CheckpointError(
                f"{folder.name} has no measured 8-bit ranges. Use the exact engine."
            )
        if kind != "int8":
            built(folder, "int8")  # which refuses ranges of another network
        return _built_int8(folder, quantisation.ranges, kind)
    return _kept(folder, kind, None, lambda path: _build_float(folder, path, _METHODS[kind]))


def _is_int8(kind: Kind) -> bool:
    return kind.startswith("int8")


def _built_int8(folder: Path, ranges: list[tuple[float, float]], kind: Kind = "int8") -> Path:
    """The file in 8 bits with these ranges."""

    def build(path: Path) -> None:
        with TemporaryDirectory() as place:
            source = Path(place) / "float.onnx"
            _build_float(folder, source, _METHODS[kind], apart=True)
            quantise(source, ranges, path)

    return _kept(folder, kind, ranges, build)


def _kept(
    folder: Path,
    kind: Kind,
    ranges: list[tuple[float, float]] | None,
    build: Callable[[Path], None],
) -> Path:
    path = cache_folder("onnx") / f"{folder.name}-{kind}-{_key(folder, kind, ranges)}.onnx"
    with _building:
        if not path.is_file():
            build(path)
    return path


def _key(folder: Path, kind: Kind, ranges: list[tuple[float, float]] | None) -> str:
    """Hash of all that the file depends on."""
    digest = hashlib.sha256(f"{FORMAT} {OPSET} {kind}".encode())
    try:
        digest.update((folder / WEIGHTS).read_bytes())
        card = json.loads((folder / "card.json").read_bytes())
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{folder.name} cannot be read ({error}). Choose a folder with card.json and "
            "weights.safetensors."
        ) from error
    parts = [card.get(name) for name in ("model", "model_options", "labels", "preprocess")]
    if _is_int8(kind):
        parts.append(ranges)
    if _METHODS[kind] == "expected_cam" and (folder / REFERENCE).is_file():
        digest.update((folder / REFERENCE).read_bytes())
    digest.update(json.dumps(parts).encode())
    return digest.hexdigest()[:16]


def _build_float(
    folder: Path, path: Path, method: str | None = None, *, apart: bool = False
) -> None:
    model, card = load_explained(folder)
    network = model if method is None else with_maps(model, method, apart=apart)
    export_onnx(network, card.preprocess, path, maps=method is not None)


_METHODS: dict[Kind, str | None] = {
    "exact": None,
    "int8": None,
    "grad_cam": "grad_cam",
    "expected_cam": "expected_cam",
    "int8_grad_cam": "grad_cam",
    "int8_expected_cam": "expected_cam",
}


def calibrate(folder: Path, pixels: Image, labels: NDArray[np.int64]) -> Quantisation:
    """Measure 8-bit ranges and their cost on validation faces, and store both in the folder.

    Nothing is stored before all is measured, so that an interruption changes nothing.

    Args:
        folder: Checkpoint folder.
        pixels: uint8 (N, S, S) validation faces, never test faces. Ranges are taken from every
            so many of them, RANGE_FACES at most; the cost from all.
        labels: int64 (N,).
    """
    exact, _ = engine(folder, "exact").run(pixels)  # first, since it mends a damaged file
    ranges = measure_ranges(built(folder, "exact"), pixels[:: -(-len(pixels) // RANGE_FACES)])
    small, _ = OnnxEngine(_built_int8(folder, ranges)).run(pixels)
    result = Quantisation(
        ranges=ranges,
        faces=len(labels),
        accuracy_exact=float((exact.argmax(1) == labels).mean()),
        accuracy_int8=float((small.argmax(1) == labels).mean()),
        agreement=agreement(exact, small),
    )
    result.save(folder)
    return result


class _FixedAverage(nn.Module):
    """Adaptive average pooling as two matrices, since ONNX has none to sizes that do not divide.

    Args:
        output: Height and width to give.
    """

    def __init__(self, output: tuple[int, int]) -> None:
        super().__init__()
        self.output = output

    def forward(self, features: Tensor) -> Tensor:
        """Float32 (N, C, h, w) to (N, C, *output)."""
        height, width = (int(side) for side in features.shape[-2:])
        down, across = _windows(height, self.output[0]), _windows(width, self.output[1])
        return down.to(features) @ features @ across.T.to(features)


def _windows(cells: int, windows: int) -> Tensor:
    """The share of each cell in each mean, float32 (windows, cells), as torch takes them."""
    shares = torch.zeros(windows, cells)
    for row in range(windows):
        first, behind = row * cells // windows, -(-(row + 1) * cells // windows)
        shares[row, first:behind] = 1 / (behind - first)
    return shares


def _exportable(model: nn.Module) -> nn.Module:
    """The network, with what ONNX lacks replaced in a copy."""
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size not in (1, (1, 1))
    ]
    copy = deepcopy(model) if names else model
    for name in names:
        place, _, leaf = name.rpartition(".")
        size: Any = copy.get_submodule(name).output_size
        pair = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
        setattr(copy.get_submodule(place), leaf, _FixedAverage(pair))
    return copy


class PixelNetwork(nn.Module):
    """A network with its normalisation in front.

    Args:
        network: Takes float32 (N, C, S, S); returns logits, or logits and maps.
        preprocess: Normalisation to apply.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, network: nn.Module, preprocess: Preprocess) -> None:
        super().__init__()
        self.network = network
        self.margin = (preprocess.size - preprocess.crop) // 2
        self.crop = preprocess.crop
        self.colour = preprocess.colour
        scale, shift = preprocess.affine()
        self.register_buffer("scale", torch.from_numpy(scale)[None, :, None, None])
        self.register_buffer("shift", torch.from_numpy(shift)[None, :, None, None])
        self.train(network.training)

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """What the network gives for uint8 (N, S, S), or (N, S, S, 3) in colour."""
        side = slice(self.margin, self.margin + self.crop)
        window = pixels[:, side, side]
        planes = window.permute(0, 3, 1, 2) if self.colour else window[:, None]
        inputs = planes.float() * self.scale + self.shift
        result: Tensor | tuple[Tensor, Tensor] = self.network(inputs)
        return result


def export_onnx(
    model: nn.Module, preprocess: Preprocess, path: Path, *, maps: bool = False
) -> None:
    """Write an ONNX file with input `pixels` uint8 (N, S, S), N free; (N, S, S, 3) in colour.

    Args:
        model: In eval mode.
        preprocess: What the model's card says.
        path: Target, replaced at once.
        maps: Whether the model gives logits and maps of every class, as `core.explain.with_maps`
            makes one: float32 (N, K, h, w), not stretched, the output `maps` behind `logits`
            float32 (N, K).
    """
    network = PixelNetwork(_exportable(model), preprocess).eval()
    names = ["logits", "maps"] if maps else ["logits"]
    shape = (2, preprocess.size, preprocess.size, *([3] if preprocess.colour else []))
    example = torch.zeros(shape, dtype=torch.uint8)
    with replacing(path) as temporary:
        write_onnx(network, example, str(temporary), "pixels", names)


def write_onnx(
    network: nn.Module, example: Tensor, target: str | IO[bytes], given: str, names: list[str]
) -> None:
    """Trace a network into ONNX; the first axis of its input and outputs is free.

    Args:
        network: In eval mode.
        example: An input of two rows.
        target: A path, or a file open for writing.
        given: Name of the input.
        names: Of the outputs.

    Raises:
        RuntimeError: The network holds an operation that cannot be exported.
    """
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is ten times faster than its successor on these small graphs and
        # only warns of its age; trace warnings concern sizes that are constant here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            target,  # type: ignore[arg-type]  # its stub forgets files that are open
            dynamo=False,
            opset_version=OPSET,
            input_names=[given],
            output_names=names,
            dynamic_axes={name: {0: "n"} for name in [given, *names]},
        )
