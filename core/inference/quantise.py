"""Networks in 8 bits: the ranges of their activations, and the graph made with these."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorData, TensorsData, create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from core.checkpoints import QUANTISATION
from core.errors import CheckpointError
from core.files import replacing
from core.types import Image

OPERATORS = ["Conv", "MaxPool"]  # the linear layers are cheap and stay in float
BY_CHANNEL = ("Relu", "Add", "MaxPool", "AveragePool", "GlobalAveragePool")
BATCH = 64
RANGE_FACES = 1000  # all their activations are kept at once, some megabytes a face
PERCENTILE = 99.99  # of the activations; rarer ones are clipped
COLUMNS = 8  # groups at most that are made convolutions of their own


class _Faces(CalibrationDataReader):  # type: ignore[misc]  # untyped base
    """Feeds validation faces to the calibrator."""

    def __init__(self, pixels: Image) -> None:
        # The calibrator stacks what it collects, so that all batches must be of one size.
        size = min(BATCH, len(pixels))
        whole = len(pixels) // size * size
        self._batches: Iterator[dict[str, Image]] = iter(
            [{"pixels": pixels[start : start + size]} for start in range(0, whole, size)]
        )

    def get_next(self) -> dict[str, Image] | None:
        return next(self._batches, None)


def measure_ranges(path: Path, pixels: Image) -> list[tuple[float, float]]:
    """Ranges of all quantised activations of an ONNX file over uint8 (N, S, S) faces."""
    # The calibrator prints what it does; a command's output is no place for that.
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        calibrator = create_calibrator(
            path,
            OPERATORS,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"percentile": PERCENTILE, "num_bins": 2048},
        )
        calibrator.collect_data(_Faces(pixels))
        found = calibrator.compute_data().data
    return [_limits(found[name]) for name in quantised_tensors(onnx.load(path))]


def _limits(data: TensorData) -> tuple[float, float]:
    low, high = (float(np.asarray(value).reshape(-1)[0]) for value in data.range_value)
    return low, high


def quantised_tensors(model: onnx.ModelProto) -> list[str]:
    """Names of the activations around all quantised operators, each once, in graph order."""
    constant = {tensor.name for tensor in model.graph.initializer}
    names: dict[str, None] = {}
    for node in model.graph.node:
        if node.op_type in OPERATORS:
            for name in [*node.input, *node.output]:
                if name and name not in constant:
                    names.setdefault(name)
    return list(names)


def quantise(source: Path, ranges: list[tuple[float, float]], target: Path) -> None:
    """Write the 8-bit version of an ONNX file.

    Args:
        source: Float file made by `export_onnx`. What makes maps of the network's activations
            stays in float.
        ranges: As `measure_ranges` gives them for the same network without maps.
        target: Written at once.

    Raises:
        CheckpointError: The ranges do not fit the network.
    """
    model = onnx.load(source)
    names = quantised_tensors(model)
    if len(model.graph.output) > 1:
        names = names[: len(ranges)]  # the network's own; behind them come those of the maps
    if len(names) != len(ranges):
        raise CheckpointError(
            f"{QUANTISATION} holds {len(ranges)} ranges, the network needs {len(names)}. "
            "Delete it to use float32."
        )
    limits = {
        name: TensorData(lowest=np.float32(low), highest=np.float32(high))
        for name, (low, high) in zip(names, ranges, strict=True)
    }
    parts = split_columns(model)
    limits |= {part: limits[name] for part, name in parts.items() if name in limits}
    first = _first_convolutions(model)
    pool_first(model, first)
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, limits),
        nodes_to_quantize=[],
        nodes_to_exclude=[*first, *_in_float(model, limits, first)],
        op_types_to_quantize=[*OPERATORS, "Relu"],
        extra_options={},
    )
    quantizer.quantize_model()
    with replacing(target) as temporary:
        quantizer.model.save_model_to_file(str(temporary))


def _in_float(
    model: onnx.ModelProto, limits: Mapping[str, object], first: Collection[str]
) -> list[str]:
    """Names of further operators that stay in float.

    These are those whose input or output has no measured range, what pools a layer in float, and
    each Relu but those right behind a layer in 8 bits, which become one with it.
    """
    made_by = {name: node for node in model.graph.node for name in node.output}
    names = []
    for node in model.graph.node:
        source = made_by.get(node.input[0]) if node.input else None
        ranged = all(name in limits for name in (*node.input[:1], *node.output))
        if node.op_type == "Relu":
            ranged &= source is not None and source.op_type == "Conv"
        if node.op_type != "Conv" and source is not None and source.name in first:
            ranged = False
        if not ranged and node.op_type in (*OPERATORS, "Relu"):
            names.append(str(node.name))
    return names


def _first_convolutions(model: onnx.ModelProto) -> list[str]:
    """Names of the layers that see pixels, one a column; they stay in float.

    On processors without 8-bit dot products (AVX2 alone), where sums of 16 bits can overflow, of
    299 faces half changed a probability by more than 0.02 and 5 % by more than 0.45. With this
    layer in float they change by a median 0.002 and at most 0.07, in no more time.
    """
    found, behind = [], set[str]()  # tensors behind a convolution
    for node in model.graph.node:
        if behind.intersection(node.input):
            behind.update(node.output)
        elif node.op_type == "Conv":
            found.append(str(node.name))
            behind.update(node.output)
    return found


def split_columns(model: onnx.ModelProto) -> dict[str, str]:
    """Make of every convolution in a few groups as many without groups, in place.

    ONNX Runtime has its fastest 8-bit convolution for those alone. What lies between them and
    treats each channel for itself is split, too, so that columns stay apart to their end.

    Returns:
        For each part of a tensor, the name of the tensor.
    """
    graph, constants = model.graph, {tensor.name: tensor for tensor in model.graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in constants:  # equal ones are kept once
            constants[node.output[0]] = constants[node.input[0]]
    parts: dict[str, list[str]] = {}
    whole: set[str] = set()  # tensors in parts that are there as one, too
    nodes: list[NodeProto] = []
    shares: dict[str, onnx.TensorProto] = {}

    def join(names: Iterable[str]) -> None:
        for name in names:
            if name in parts and name not in whole:
                whole.add(name)
                nodes.append(
                    helper.make_node("Concat", parts[name], [name], name + "_join", axis=1)
                )

    for node in graph.node:
        counts = {len(parts.get(name, [])) for name in node.input}
        count = counts.pop() if node.op_type in BY_CHANNEL and len(counts) == 1 else 0
        groups = _columns(node, constants)
        if groups and len(parts.get(node.input[0], [])) in (0, groups):
            count, source = groups, node.input[0]
            if source not in parts:
                parts[source] = [f"{source}_column{index}" for index in range(count)]
                whole.add(source)
                split = helper.make_node(
                    "Split", [source], parts[source], source + "_split", axis=1
                )
                split.attribute.append(helper.make_attribute("num_outputs", count))
                nodes.append(split)
        if not count:
            join(node.input)
            nodes.append(deepcopy(node))
            continue
        nodes += _repeated(node, count, parts, constants, shares)
        parts[node.output[0]] = [f"{node.output[0]}_column{index}" for index in range(count)]
    join(output.name for output in graph.output)
    used = {name for node in nodes for name in node.input}
    kept = [deepcopy(tensor) for tensor in graph.initializer if tensor.name in used]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *shares.values()])
    return {part: name for name, names in parts.items() for part in names}


def _repeated(
    node: NodeProto,
    count: int,
    parts: Mapping[str, list[str]],
    constants: Mapping[str, onnx.TensorProto],
    shares: dict[str, onnx.TensorProto],
) -> list[NodeProto]:
    """A node for each part, and into `shares` what each has of weights and bias."""
    made = []
    for index in range(count):
        part = deepcopy(node)
        part.name = f"{node.name}_column{index}"
        part.output[0] = f"{node.output[0]}_column{index}"
        for place, name in enumerate(node.input):
            part.input[place] = parts[name][index] if name in parts else f"{name}_{index}"
            if name not in parts:
                share = np.split(numpy_helper.to_array(constants[name]), count)[index].copy()
                shares[f"{name}_{index}"] = numpy_helper.from_array(share, f"{name}_{index}")
        for attribute in part.attribute:
            if attribute.name == "group":
                attribute.i = 1
        made.append(part)
    return made


def _columns(node: NodeProto, constants: Mapping[str, onnx.TensorProto]) -> int:
    """Number of convolutions to make of a node; 0 for one that stays as it is."""
    groups = next((int(part.i) for part in node.attribute if part.name == "group"), 1)
    fixed = node.op_type == "Conv" and all(name in constants for name in node.input[1:])
    few = fixed and 1 < groups <= COLUMNS and constants[node.input[1]].dims[1] > 1
    return groups if few else 0


def pool_first(model: onnx.ModelProto, convolutions: list[str]) -> None:
    """Cut off what is negative behind the pooling of these convolutions, not before, in place.

    The largest of the positive parts is the positive part of the largest. As a maximum with 0 it
    also keeps ONNX Runtime from moving the pooling into 8 bits, where it is eight times slower.

    Args:
        model: Graph to change.
        convolutions: Names of those that stay in float.
    """
    graph = model.graph
    made_by = {name: node for node in graph.node for name in node.output}
    uses = [name for node in graph.node for name in node.input]
    uses += [output.name for output in graph.output]
    for place, pool in list(enumerate(graph.node))[::-1]:
        floor = made_by.get(pool.input[0]) if pool.op_type == "MaxPool" else None
        if floor is None or floor.op_type != "Relu" or uses.count(floor.output[0]) > 1:
            continue
        source = made_by.get(floor.input[0])
        if source is None or source.name not in convolutions:
            continue
        name = pool.output[0]
        zero = numpy_helper.from_array(np.zeros((), np.float32), f"{name}_zero")
        graph.initializer.append(zero)
        pool.input[0], pool.output[0] = floor.input[0], f"{name}_signed"
        last = helper.make_node("Max", [pool.output[0], zero.name], [name], f"{name}_floor")
        graph.node.insert(place + 1, last)
        graph.node.remove(floor)
