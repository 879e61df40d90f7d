"""Preparations that run beside the app, each known by a small file below the data root.

The file is the only channel: every visitor, another tab and a restarted server see the same.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Literal

from core.data import DEMO, NO_NAMES, SOURCES, Dataset, NameMap, Understood, holds_demo, understand
from core.errors import DataError
from core.files import file_hash, replacing, write_json
from core.paths import below, data_root, read_only
from core.process import ProcessFields, start_detached
from core.unpacking import free_place
from webapp.inputs import LARGEST_UPLOAD, too_large

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_RECORDS = ".preparations"
_UPLOADS = "uploads"  # below the data root: the visitors' zips
_FILES = frozenset({".zip", ".csv"})  # suffixes of what may be a source
_ROOM = 2  # times its size that must be free: the zip, and what is prepared of it
_PIECE = 2**20  # bytes written at once
_START = 120.0  # seconds that a process may take to say its number, on a busy machine
_VANISHED = "The preparation ended before it was done. Begin it again: what was read is kept."


@dataclass(frozen=True, slots=True)
class Preparation(ProcessFields):
    """What is known of one preparation.

    Attributes:
        name: Of the data set.
        sources: Folders and files, as `core.data.prepare` takes them.
        class_set: "six" or "seven".
        state: Where it stands.
        began: Seconds since the epoch.
        message: Why it failed, a sentence; empty otherwise.
        doing: What goes on, in words.
        done: Pictures done.
        total: Pictures in all; 0 where what goes on has no number.
        class_map: What names of classes mean, as `NameMap.parse` takes it.
        split_map: What names of splits mean, as `NameMap.parse` takes it.
        frame_step: Of videos every so many frames are taken; None for the source's own step.
    """

    name: str
    sources: tuple[str, ...]
    class_set: str
    state: Literal["running", "finished", "failed"]
    began: float
    message: str = ""
    doing: str = "starting"
    done: int = 0
    total: int = 0
    class_map: tuple[str, ...] = ()
    split_map: tuple[str, ...] = ()
    frame_step: int | None = None

    @property
    def target(self) -> Path:
        """Folder of the data set."""
        return data_root() / self.name

    def save(self) -> None:
        """Replace the file about this preparation."""
        write_json(record_path(self.name), asdict(self))


def record_path(name: str) -> Path:
    """Where the file about the preparation of this data set lies."""
    return data_root() / _RECORDS / f"{name}.json"


def log_path(name: str) -> Path:
    """The file that takes what the process of a preparation prints."""
    return record_path(name).with_suffix(".log")


def read(name: str) -> Preparation | None:
    """The latest preparation of this data set; None where there was none, or it is unreadable."""
    try:
        values = json.loads(record_path(name).read_text(encoding="utf-8"))
        lists = ("sources", "class_map", "split_map")
        found = Preparation(**{**values, **{key: tuple(values.get(key, ())) for key in lists}})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if found.state == "running" and not _is_alive(found):
        return replace(found, state="failed", message=_VANISHED)
    return found


def running() -> Preparation | None:
    """The preparation that is under way, whoever began it."""
    for path in sorted((data_root() / _RECORDS).glob("*.json")):
        found = read(path.stem)
        if found is not None and found.state == "running":
            return found
    return None


def candidates() -> list[str]:
    """Folders, zips and tables below the data root that may be sources, as paths from there."""
    root = data_root()
    names = []
    files = (path for path in root.glob("*/*") if path.suffix.lower() in _FILES)
    for path in (*root.glob("*"), *files):
        inside = path.relative_to(root)
        if any(part.startswith(".") for part in inside.parts):
            continue
        if (root / inside.parts[0] / "dataset.json").is_file():
            continue  # prepared already; its own tables are no source
        if not path.resolve().is_relative_to(root):
            continue  # a link that leads out
        if path.is_dir() or path.suffix.lower() in _FILES:
            names.append(inside.as_posix())
    return sorted(names)


def keep_upload(
    name: str,
    content: BytesIO,
    size: int,
    on_progress: Callable[[float], object] = lambda share: None,
) -> str:
    """Write a visitor's zip below the data root, a piece at a time; nothing is unpacked.

    Args:
        name: As the visitor's machine calls it.
        content: Read from its beginning.
        size: Bytes.
        on_progress: Called with the share that is written, 0 to 1.

    Returns:
        Its path from the data root, as `candidates` names it; that of a zip with the same content
        where there is one.

    Raises:
        DataError: It is no zip or too large, the disk has no room, or the server is read-only.
    """
    if read_only():
        raise DataError("This server is read-only. Prepare data sets on the command line.")
    reason = too_large(size, LARGEST_UPLOAD)
    if reason:
        raise DataError(f"{name} is too large: {reason}. Put it into the data root instead.")
    if not zipfile.is_zipfile(content):
        raise DataError(f"{name} is no zip archive, or it is damaged. Pack the folder as .zip.")
    folder = data_root() / _UPLOADS
    folder.mkdir(parents=True, exist_ok=True)
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    for before in folder.iterdir():
        like = before.suffix.lower() == ".zip" and before.stat().st_size == size
        if like and file_hash(before) == digest:
            return before.relative_to(data_root()).as_posix()
    free = shutil.disk_usage(folder).free
    if free < _ROOM * size:
        raise DataError(
            f"{name} needs {_ROOM * size / 2**20:,.0f} MB with what is made of it, and the disk "
            f"has {free / 2**20:,.0f}. Make room, or choose fewer pictures."
        )
    path = free_place(folder, PurePosixPath(name.replace("\\", "/")).name)
    content.seek(0)
    with replacing(path) as temporary, temporary.open("wb") as file:
        while piece := content.read(_PIECE):
            file.write(piece)
            on_progress(min(1.0, file.tell() / max(size, 1)))
    return path.relative_to(data_root()).as_posix()


def look(
    chosen: Sequence[str], kind: str = "", class_set: str = "six", names: NameMap = NO_NAMES
) -> tuple[Understood, ...]:
    """What would be taken of sources below the data root, and as what; nothing is written.

    Args:
        chosen: As for `begin`.
        kind: As for `begin`.
        class_set: As for `begin`.
        names: As for `begin`.

    Raises:
        CoreError: A source cannot be used at all.
    """
    return understand(_sources(chosen, kind), class_set, names=names)


def begin(
    name: str,
    chosen: Sequence[str],
    kind: str = "",
    class_set: str = "six",
    names: NameMap = NO_NAMES,
) -> Preparation:
    """Start to prepare sources below the data root.

    Args:
        name: Of the new data set, a plain folder name.
        chosen: Paths from the data root, or only DEMO for the drawn demo.
        kind: Name of the source they all are; "" to recognise each.
        class_set: "six" or "seven".
        names: What the user says names in the sources mean.

    Raises:
        CoreError: The name, a path or the kind cannot be used, or another preparation runs.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{name!r} cannot name a data set. Use letters, digits, dots, dashes and underscores, "
            "60 at most, and begin with a letter or a digit."
        )
    target = below(data_root(), name)
    inside = target.iterdir() if target.is_dir() else ()
    taken = target.is_file() or any(not path.name.startswith(".") for path in inside)
    if list(chosen) == [DEMO]:
        if taken and not holds_demo(target):
            raise DataError(
                f"There is already a folder {name} in the data root, and it is not the drawn "
                "demo. Give it another name, or delete it."
            )
        return _start(name, [DEMO], class_set)
    if kind and kind not in SOURCES:
        raise DataError(f"There is no source {kind!r}. Choose one of: {', '.join(SOURCES)}.")
    if taken:
        raise DataError(f"There is already a folder {name} in the data root. Choose another name.")
    return _start(name, _sources(chosen, kind), class_set, names)


def _sources(chosen: Sequence[str], kind: str) -> list[str]:
    paths = [str(below(data_root(), path)) for path in chosen]
    return [f"{kind}={path}" if kind else path for path in paths]


def begin_again(dataset: Dataset) -> Preparation:
    """Prepare a data set anew from the files it was made of.

    Raises:
        CoreError: Another preparation runs.
    """
    sources = [f"{one['name']}={one['root']}" for one in dataset.info["sources"]]
    names = NameMap.parse(*dataset.info.get("names", ()))
    step = dataset.info.get("frame_step")
    return _start(dataset.folder.name, sources, str(dataset.info["class_set"]), names, step)


def stop(name: str) -> None:
    """End a preparation; what it has read so far is kept for the next one."""
    found = read(name)
    if found is not None and found.state == "running" and found.pid:
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.killpg(found.pid, signal.SIGTERM)  # it leads a group: its own workers


def _start(
    name: str,
    sources: Sequence[str],
    class_set: str,
    names: NameMap = NO_NAMES,
    frame_step: int | None = None,
) -> Preparation:
    if read_only():
        raise DataError("This server is read-only. Prepare data sets on the command line.")
    other = running()
    if other is not None:
        raise DataError(f"{other.name} is being prepared. Wait for it, or stop it first.")
    path = record_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    class_map, split_map = names.pairs()
    begun = Preparation(
        name,
        tuple(sources),
        class_set,
        "running",
        time.time(),
        class_map=class_map,
        split_map=split_map,
        frame_step=frame_step,
    )
    begun.save()
    command = [sys.executable, "-m", "webapp.dataset_explorer.prepare_job", name]
    process = start_detached(command, log_path(name))
    threading.Thread(target=_see_off, args=(process, begun), daemon=True).start()
    return begun


def _see_off(process: "subprocess.Popen[bytes]", begun: Preparation) -> None:
    """Wait for the end of a process; one that died before it could say a word has failed."""
    process.wait()
    now = read(begun.name)
    if now is not None and now.began == begun.began and now.state == "running":
        replace(now, state="failed", message=_VANISHED).save()


def _is_alive(found: Preparation) -> bool:
    if not found.pid:
        return time.time() - found.began < _START
    return found.process.is_alive()
