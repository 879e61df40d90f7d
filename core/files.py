"""Whole-file writes that a crash cannot leave half done."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it takes the place of `path`, else it goes.

    The process number is part of the name, so that two writers never share a temporary file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace a text file at once."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401 - JSON
    """Replace a JSON file at once, indented, floats in full precision."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
