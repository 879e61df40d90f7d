"""A tool of others in its own Python, `peer_side.py fer FOLDER`; it imports none of our code.

A tool answers every picture of a folder once, says in a line of JSON who it is and where it saw
faces, and then answers them all again for every line that it reads, saying how long that took.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

Boxes = list[list[int]]  # left, top, width, height of every face in a picture
Answer = Callable[[list[str]], list[Boxes]]  # of all pictures, by their files


def serve(tool: str, answer: Answer, folder: str) -> None:
    """Answer the folder's pictures once, and again for every line of standard input.

    Args:
        tool: What it is called in the table.
        answer: Reads the files, finds the faces and says their expressions.
        folder: Of JPEG files.
    """
    import_module("cv2").setNumThreads(1)
    files = sorted(str(path) for path in Path(folder).glob("*.jpg"))
    _say({"tool": tool, "boxes": answer(files)})
    for _ in sys.stdin:
        started, worked = time.perf_counter(), time.process_time()
        answer(files)
        worked, seconds = time.process_time() - worked, time.perf_counter() - started
        _say({"seconds": seconds, "processor": worked})


def _say(values: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _fer() -> tuple[str, Answer]:
    """The package `fer` as it comes: Haar, and its small network in 8 bits."""
    if not _is_there("tensorflow"):
        _lend_tensorflow()
    tool: Any = import_module("fer.fer").FER()

    def answer(files: list[str]) -> list[Boxes]:
        return [[_whole(face) for face in tool.detect_emotions(file)] for file in files]

    return f"fer {version('fer')} (Haar, TensorFlow Lite)", answer


def _is_there(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def _lend_tensorflow() -> None:
    """`fer` asks TensorFlow, of 2 GB, for its Lite interpreter alone, which LiteRT has as well."""
    tensorflow: Any = ModuleType("tensorflow")
    tensorflow.lite = SimpleNamespace(
        Interpreter=import_module("ai_edge_litert.interpreter").Interpreter
    )
    models: Any = ModuleType("tensorflow.keras.models")
    models.load_model = None
    sys.modules |= {
        "tensorflow": tensorflow,
        "tensorflow.keras": ModuleType("tensorflow.keras"),
        "tensorflow.keras.models": models,
    }


def _whole(face: dict[str, Any]) -> list[int]:
    return [int(side) for side in face["box"]]


TOOLS = {"fer": _fer}

if __name__ == "__main__":
    serve(*TOOLS[sys.argv[1]](), sys.argv[2])
