"""Files: written whole or not at all, hashed, read as JSON objects, and what to say where not."""

import errno
import hashlib
import json
import lzma
import os
import re
import secrets
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.process import ProcessId

BLOCKS, BLOCK = 16, 4096  # of a fingerprint; bytes
KEPT_NAME = 120  # bytes of a file's name in its temporary one, which may have 255
# What zipfile and its decoders raise on damaged archives and on methods they do not know.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
)
TEMPORARY = re.compile(r"\..*\.(\d+-[0-9a-f]{16}-\d+)-[0-9a-f]{8}\.tmp")

_cleared: set[tuple[int, Path]] = set()  # folders without leftovers, by the process that looked


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it takes the place of `path`, else it goes.

    What is made under the name may be a folder, where `path` is none yet.
    The name is this call's alone, so that two writers never share a temporary file, be they
    processes or threads. It tells whose it is: what a killed process left goes when the next one
    writes into the folder. File and folder are flushed, so that a loss of power changes nothing.
    """
    clear_leftovers(path.parent)
    kept = os.fsencode(path.name)[:KEPT_NAME].decode(errors="ignore")
    owner = ProcessId.of().token
    temporary = path.with_name(f".{kept}.{owner}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except OSError as error:
        if error.filename in (None, str(temporary)):  # the user knows of no temporary one
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):  # a disk that takes no changes; what ended the write is told
            _remove(temporary)
    _flush(path.parent)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Bring a file or folder to the disk, where its file system can."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EROFS):
            raise
    finally:
        os.close(handle)


def clear_leftovers(folder: Path) -> None:
    """Remove temporary files of processes that ended before they could; once a process."""
    known = (os.getpid(), folder)
    if known in _cleared:
        return
    _cleared.add(known)
    with suppress(OSError):
        for entry in os.scandir(folder):
            owner = TEMPORARY.fullmatch(entry.name)
            if owner is not None and ProcessId.is_token_dead(owner.group(1)):
                _remove(Path(entry.path))


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one that `replacing` writes into."""
    return TEMPORARY.fullmatch(name) is not None


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
    return str(name).encode(errors="surrogateescape").decode(errors="backslashreplace")


def unreadable(member: str, error: Exception) -> str:
    """What to say of a member that raised one of `UNREADABLE`."""
    why = str(error).rstrip(".") or "it is cut short"
    denied = isinstance(error, PermissionError)
    advice = "Allow this user to read it." if denied else "Copy or download it again."
    return f"{member} cannot be read: {why}. {advice}"


def path_text(path: Path) -> str:
    """A path as JSON can hold it, whatever bytes its name has; `path_of` reads it."""
    return os.fsencode(path).hex()


def path_of(text: str) -> Path:
    """The path that `path_text` wrote.

    Raises:
        ValueError: It did not.
    """
    return Path(os.fsdecode(bytes.fromhex(text)))


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is no file, or it holds something else."""
    try:
        content = json.loads(path.read_bytes())  # told apart: UTF-8, UTF-16, with a mark or without
    except (OSError, ValueError, RecursionError):
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


def free_name(folder: Path, name: str) -> str:
    """The name, with the next number behind it where something in the folder bears it."""
    stem = re.sub(r"-\d+$", "", name)
    number, found = 1, stem
    while (folder / found).exists():
        number += 1
        found = f"{stem}-{number}"
    return found


def changed(path: Path) -> float:
    """Time of the last change, seconds since the epoch; 0 where there is no file."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
