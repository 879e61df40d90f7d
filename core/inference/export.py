"""Networks written as ONNX files: exactly, or in 8 bits.  Importing this loads torch."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import onnx
import torch
from torch import Tensor, nn

from core.checkpoints import MAPPED_LAYER
from core.errors import CheckpointError
from core.explain import load_explained, with_maps
from core.files import replacing
from core.inference.quantise import quantise
from core.models import FaceAndSlim
from core.preprocess import Preprocess

OPSET = 20


def build_float(
    folder: Path, path: Path, method: str | None = None, *, apart: bool = False
) -> None:
    """Write a checkpoint's network in float32.

    Args:
        folder: Checkpoint folder.
        path: Target, replaced at once.
        method: One of `core.explain.fast_methods` for maps beside the logits; None for none.
        apart: See `core.explain.with_maps`.

    Raises:
        CheckpointError: The checkpoint cannot be used.
        ExplainError: The network has no such maps.
    """
    model, card = load_explained(folder)
    network = model if method is None else with_maps(model, method, apart=apart)
    try:
        export_onnx(network, card.preprocess, path, maps=method is not None)
    except torch.onnx.errors.OnnxExporterError as error:
        said = (str(error).splitlines() or [""])[0]
        raise CheckpointError(
            f"{folder.name} cannot be written as ONNX ({said}). Use it with --engine torch."
        ) from error


def build_int8(
    folder: Path, path: Path, ranges: list[tuple[float, float]], method: str | None = None
) -> None:
    """Write a checkpoint's network in 8 bits.

    Args:
        folder: Checkpoint folder.
        path: Target, replaced at once.
        ranges: Of the checkpoint's `Quantisation`.
        method: As for `build_float`.

    Raises:
        CheckpointError: The checkpoint cannot be used, or the ranges are of another network.
        ExplainError: The network has no such maps.
    """
    with TemporaryDirectory() as place:
        source = Path(place) / "float.onnx"
        build_float(folder, source, method, apart=True)
        quantise(source, ranges, path)


@contextmanager
def _attention_in_steps() -> Iterator[None]:
    """Have torch compute attention by operations that ONNX has, not by one of its own."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


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
    """The network; a copy where something ONNX lacks is replaced, or its first layers will be."""
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size not in (1, (1, 1))
    ]
    changed = names or any(isinstance(module, FaceAndSlim) for module in model.modules())
    copy = deepcopy(model) if changed else model
    for name in names:
        place, _, leaf = name.rpartition(".")
        size: Any = copy.get_submodule(name).output_size
        pair = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
        setattr(copy.get_submodule(place), leaf, _FixedAverage(pair))
    return copy


class PixelNetwork(nn.Module):
    """A network with its normalisation in front, or in its first layers where it can have it there.

    Args:
        network: Takes float32 (N, C, S, S); returns logits, or logits and maps. It may be changed.
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
        scale, shift = (torch.from_numpy(part) for part in preprocess.affine())
        self.register_buffer("scale", scale[None, :, None, None])
        self.register_buffer("shift", shift[None, :, None, None])
        joined = [part for part in network.modules() if isinstance(part, FaceAndSlim)]
        self.grey = bool(joined) and not self.colour
        for part in joined if self.grey else ():
            part.take_grey(scale, shift)
        self.train(network.training)

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """What the network gives for uint8 (N, S, S), or (N, S, S, 3) in colour."""
        side = slice(self.margin, self.margin + self.crop)
        window = pixels[:, side, side]
        planes = (window.permute(0, 3, 1, 2) if self.colour else window[:, None]).float()
        if self.grey:
            inputs = torch.cat([planes, torch.ones_like(planes)], dim=1)
        else:
            inputs = planes * self.scale + self.shift
        result: Tensor | tuple[Tensor, Tensor] = self.network(inputs)
        return result


def export_onnx(
    model: nn.Module,
    preprocess: Preprocess,
    path: Path,
    *,
    maps: bool = False,
    said: Mapping[str, str] | None = None,
) -> None:
    """Write an ONNX file with input `pixels` uint8 (N, S, S), N free; (N, S, S, 3) in colour.

    Args:
        model: In eval mode.
        preprocess: What the model's card says.
        path: Target, replaced at once.
        maps: Whether the model gives logits and maps of every class, as `core.explain.with_maps`
            makes one: float32 (N, K, h, w), not stretched, the output `maps` behind `logits`
            float32 (N, K), and the layer they explain the file's property "layer".
        said: Properties of the file besides, by name.
    """
    network = PixelNetwork(_exportable(model), preprocess).eval()
    names = ["logits", "maps"] if maps else ["logits"]
    shape = (2, preprocess.size, preprocess.size, *([3] if preprocess.colour else []))
    example = torch.zeros(shape, dtype=torch.uint8)
    with replacing(path) as temporary:
        write_onnx(network, example, str(temporary), "pixels", names)
        properties = {**(said or {}), **({MAPPED_LAYER: str(model.layer)} if maps else {})}
        if properties:
            stored = onnx.load(temporary)
            onnx.helper.set_model_props(stored, properties)
            onnx.save(stored, temporary)


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
    with warnings.catch_warnings(), torch.no_grad(), _attention_in_steps():
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
