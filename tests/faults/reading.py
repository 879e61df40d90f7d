"""How each kind of file is read to its end, to see whether it is whole."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

VOLATILE = {
    "time", "seconds", "began", "created", "pid", "boot", "host", "born", "elapsed", "started",
    "faces_per_second", "input_share", "added", "mark", "measured_at", "duration_seconds", "date",
    "analysed", "frames_per_second", "speed", "times_real_time", "frame_milliseconds",
}  # fmt: skip
PASSING = ("progress.json", "steps.jsonl", "job.json")  # tell of the moment
UNLIKE = {".log", ".pt", ".db", ".txt"}  # hold times, or are compared by what is made of them


def _array(path: Path) -> None:
    import numpy as np

    found = np.load(path, allow_pickle=False)
    if hasattr(found, "files"):
        with found:
            for name in found.files:
                found[name].sum() if found[name].dtype.kind in "fiu" else found[name]


def _film(path: Path) -> None:
    import av

    with av.open(str(path)) as container:
        list(container.decode(video=0))


def _network(path: Path) -> None:
    import onnx

    onnx.checker.check_model(onnx.load(path))


def _tensors(path: Path) -> None:
    from safetensors.numpy import load_file

    load_file(path)


def _state(path: Path) -> None:
    import torch

    torch.load(path, weights_only=True)


def _table(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        raise ValueError("its last line has no end")


def _database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        (found,) = database.execute("pragma integrity_check").fetchone()
    if found != "ok":
        raise ValueError(found)


READERS: dict[str, Callable[[Path], Any]] = {
    ".json": lambda path: json.loads(path.read_bytes()),
    ".npy": _array,
    ".npz": _array,
    ".safetensors": _tensors,
    ".onnx": _network,
    ".pt": _state,
    ".csv": _table,
    ".md": _table,
    ".db": _database,
    ".mp4": _film,
}


def _of_tensors(path: Path) -> bytes:
    """What a file of tensors holds; the order of its facts is any."""
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        facts = sorted((file.metadata() or {}).items())
        names = sorted(file.keys())
        return repr([facts, *((name, file.get_tensor(name).tobytes()) for name in names)]).encode()


def steady(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same without what tells of times and processes."""
    if isinstance(value, dict):
        return {key: steady(one) for key, one in value.items() if key not in VOLATILE}
    return [steady(one) for one in value] if isinstance(value, list) else value


def digests(root: Path, *names: str) -> dict[str, str]:
    """What the files below some folders hold, by name, without times and passing states."""
    import hashlib

    found = {}
    for name in names:
        for path in sorted((root / name).rglob("*")):
            shown = path.relative_to(root)
            passing = path.suffix in UNLIKE or path.name in PASSING
            if not path.is_file() or passing or any(part.startswith(".") for part in shown.parts):
                continue
            content = path.read_bytes()
            if path.suffix == ".json":
                content = json.dumps(steady(json.loads(content))).encode()
            elif path.suffix == ".jsonl":
                lines = [steady(json.loads(line)) for line in content.splitlines()]
                content = json.dumps(lines).encode()
            elif path.suffix == ".safetensors":
                content = _of_tensors(path)
            found[str(shown)] = hashlib.sha256(content).hexdigest()[:16]
    return found
