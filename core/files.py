"""Files: written whole or not at all, hashed, read as JSON objects."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BLOCKS, BLOCK = 16, 4096  # of a fingerprint; bytes


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
    """Replace a text file at once, as UTF-8 whatever the system's locale."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401 - JSON
    """Replace a JSON file at once, indented, floats in full precision."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def readable(name: str | Path) -> str:
    r"""A path as text that can be written and shown.

    Names from before UTF-8 hold bytes that are no text; they stand as `\xe9`, so that two such
    names stay two.
    """
    return os.fsencode(name).decode(errors="backslashreplace")


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is no file, or it holds something else."""
    try:
        content = json.loads(path.read_bytes())  # told apart: UTF-8, UTF-16, with a mark or without
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def file_hash(path: Path) -> str:
    """The sha256 of a file's content.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: Path) -> str:
    """A quick hash of a large file: of its size and of blocks spread evenly over it.

    Another training changes every block of a weights file, so this tells two apart in a
    millisecond, where the whole hash takes a twentieth of a second.

    Raises:
        OSError: It cannot be read.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for number in range(BLOCKS):
            file.seek(max(0, size - BLOCK) * number // (BLOCKS - 1))
            digest.update(file.read(BLOCK))
    return digest.hexdigest()


def changed(path: Path) -> float:
    """Time of the last change, seconds since the epoch; 0 where there is no file."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
