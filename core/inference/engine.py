"""Networks run by ONNX Runtime, written once and kept by their weights' hash.

Torch is loaded only where a file has to be written.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from core.checkpoints import MAPPED_LAYER, QUANTISATION, REFERENCE, WEIGHTS, kept_folder
from core.errors import CheckpointError
from core.files import fingerprint, read_object, write_json
from core.measured_shapes import QuantisationFile
from core.paths import cache_folder
from core.process import Claim
from core.stored import Unreadable, read_shaped
from core.types import Image

Kind = Literal["exact", "int8", "grad_cam", "expected_cam", "int8_grad_cam", "int8_expected_cam"]
BATCH = 64  # faces a call: larger ones only cost memory
UNREADABLE = (errors.Fail, errors.InvalidProtobuf, errors.InvalidGraph, errors.InvalidArgument)
FORMAT = 12  # part of the cache's file names; raise it when the files change

_building = threading.Lock()
logger = logging.getLogger(__name__)
LARGEST_LOSS = 0.003  # of validation accuracy, above which 8 bits are not used


@dataclass(frozen=True, slots=True)
class Quantisation:
    """Activation ranges and what 8 bits cost on the validation faces.

    Attributes:
        ranges: (lowest, highest) of the inputs and outputs of every quantised operator, in the
            order of the graph, so that they do not depend on an exporter's names.
        faces: Number of validation faces measured.
        accuracy_exact: Validation accuracy in float32, 0 to 1.
        accuracy_int8: Validation accuracy in 8 bits, 0 to 1.
        agreement: Share of faces with the same answer.
        weights_fingerprint: Of the weights measured; "" in files that do not say.
    """

    ranges: list[tuple[float, float]]
    faces: int
    accuracy_exact: float
    accuracy_int8: float
    agreement: float
    weights_fingerprint: str = ""

    @property
    def holds(self) -> bool:
        """Whether accuracy holds well enough for 8 bits to be the default."""
        return self.accuracy_int8 >= self.accuracy_exact - LARGEST_LOSS

    def save(self, folder: Path) -> None:
        """Write the file into a run folder, for a shipped one into the user's own place."""
        place = kept_folder(folder)
        place.mkdir(parents=True, exist_ok=True)
        mark = self.weights_fingerprint or fingerprint(folder / WEIGHTS)
        write_json(place / QUANTISATION, asdict(replace(self, weights_fingerprint=mark)))

    @classmethod
    def load(cls, folder: Path) -> "Quantisation | None":
        """Read the file of a run folder, of a shipped one the user's own first.

        Returns:
            None where there is none about the present weights.

        Raises:
            CheckpointError: The file is damaged.
        """
        place = kept_folder(folder)
        if place != folder:
            known = read_object(place / QUANTISATION).get("weights_fingerprint")
            place = place if known and _is_of(known, folder) else folder
        try:
            values = read_shaped(place / QUANTISATION, QuantisationFile)
            ranges = [(float(low), float(high)) for low, high in values.pop("ranges")]
            if any(low > high for low, high in ranges):
                raise Unreadable("a range ends below its beginning")
            names = {one.name for one in fields(cls)}
            figures = {name: value for name, value in values.items() if name in names}
            found = cls(ranges=ranges, **figures)
        except FileNotFoundError:
            return None
        except (OSError, Unreadable) as error:
            raise CheckpointError(
                f"{QUANTISATION} of {folder.name} cannot be read ({error}). Delete it to use "
                "float32."
            ) from error
        mark = found.weights_fingerprint
        return found if not mark or _is_of(mark, folder) else None


def _is_of(mark: str, folder: Path) -> bool:
    """Whether a fingerprint is that of the present weights."""
    try:
        return mark == fingerprint(folder / WEIGHTS)
    except OSError:
        return False


class OnnxEngine:
    """One ONNX file in memory; safe to share between threads.

    Args:
        path: File made by `engine`.
        threads: Threads a call may use; 0 for one a core.

    Attributes:
        layer: That the maps explain; empty where the file has none.
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
        self.layer = self._session.get_modelmeta().custom_metadata_map.get(MAPPED_LAYER, "")

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


def kind_with_maps(plain: Literal["exact", "int8"], method: str | None) -> Kind:
    """The kind that gives the logits of `plain` and a method's maps; `plain` where none does."""
    named = f"int8_{method}" if plain == "int8" else method
    return next((kind for kind in _METHODS if kind == named), plain)


def built(folder: Path, kind: Kind) -> Path:
    """The ONNX file of a checkpoint, made now if it is not in the cache.

    Raises:
        CheckpointError: The checkpoint cannot be used, or has no 8-bit ranges for such an engine.
    """
    if _is_int8(kind):
        quantisation = Quantisation.load(folder)
        if quantisation is None:
            raise CheckpointError(
                f"{folder.name} has no measured 8-bit ranges. Use the exact engine."
            )
        if kind != "int8":
            built(folder, "int8")  # which refuses ranges of another network
        return _built_int8(folder, quantisation.ranges, kind)

    def build(path: Path) -> None:
        from core.inference.export import build_float  # loads torch

        build_float(folder, path, _METHODS[kind])

    return _kept(folder, kind, None, build)


def _is_int8(kind: Kind) -> bool:
    return kind.startswith("int8")


def _built_int8(folder: Path, ranges: list[tuple[float, float]], kind: Kind = "int8") -> Path:
    """The file in 8 bits with these ranges."""

    def build(path: Path) -> None:
        from core.inference.export import build_int8  # loads torch

        build_int8(folder, path, ranges, _METHODS[kind])

    return _kept(folder, kind, ranges, build)


def _kept(
    folder: Path,
    kind: Kind,
    ranges: list[tuple[float, float]] | None,
    build: Callable[[Path], None],
) -> Path:
    path = _place(folder, kind, ranges)
    with _building:
        if not path.is_file():
            _build_once(path, build)
    return path


def _build_once(path: Path, build: Callable[[Path], None]) -> None:
    """Build a file unless another process, which is waited for, does: torch is large and slow."""
    claim = Claim(path.with_suffix(".claim"))
    while not claim.acquire():
        if path.is_file():
            return
    try:
        if not path.is_file():
            build(path)
    finally:
        claim.release()


def is_built(folder: Path) -> bool:
    """Whether a file of a checkpoint as it now stands is there: it was found usable then.

    Raises:
        CheckpointError: The card or the 8-bit ranges cannot be read.
    """
    if not (folder / WEIGHTS).is_file():
        return False
    quantisation = Quantisation.load(folder)
    ranges = quantisation.ranges if quantisation else None
    kinds = (kind for kind in _METHODS if ranges is not None or not _is_int8(kind))
    return any(_place(folder, kind, ranges).is_file() for kind in kinds)


def _place(folder: Path, kind: Kind, ranges: list[tuple[float, float]] | None) -> Path:
    key = _key(folder, kind, ranges if _is_int8(kind) else None)
    return cache_folder("onnx") / f"{folder.name}-{kind}-{key}.onnx"


def _key(folder: Path, kind: Kind, ranges: list[tuple[float, float]] | None) -> str:
    """Hash of all that the file depends on."""
    digest = hashlib.sha256(f"{FORMAT} {kind}".encode())
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


_METHODS: dict[Kind, str | None] = {
    "int8": None,
    "exact": None,
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

    Raises:
        CheckpointError: The checkpoint cannot be used, or its weights were replaced meanwhile.
    """
    from core.inference.quantise import RANGE_FACES, measure_ranges

    mark = fingerprint(folder / WEIGHTS)
    exact, _ = engine(folder, "exact").run(pixels)  # first, since it mends a damaged file
    ranges = measure_ranges(built(folder, "exact"), pixels[:: -(-len(pixels) // RANGE_FACES)])
    small, _ = OnnxEngine(_built_int8(folder, ranges)).run(pixels)
    result = Quantisation(
        ranges=ranges,
        faces=len(labels),
        accuracy_exact=float((exact.argmax(1) == labels).mean()),
        accuracy_int8=float((small.argmax(1) == labels).mean()),
        agreement=float((exact.argmax(1) == small.argmax(1)).mean()),
        weights_fingerprint=mark,
    )
    if not _is_of(mark, folder):
        raise CheckpointError(
            f"{folder.name} got other weights while they were measured. Let its training end, then "
            "measure again."
        )
    result.save(folder)
    return result
