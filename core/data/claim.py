"""One preparation a folder at a time, across processes and threads."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from core.errors import DataError


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold `folder`; a claim whose process has died is taken over.

    Raises:
        DataError: Another living process or thread holds it.
    """
    path = folder / ".claim"
    mine = folder / f".claim.{os.getpid()}.{threading.get_ident()}"
    # The number alone would do until another process gets it, as in a restarted container.
    mine.write_text(f"{os.getpid()} {psutil.Process().create_time()}", encoding="utf-8")
    try:
        while True:
            try:
                path.hardlink_to(mine)  # unlike creating and writing, one step with its content
                break
            except FileExistsError:
                _clear_if_dead(path, folder)
    finally:
        mine.unlink()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _clear_if_dead(path: Path, folder: Path) -> None:
    try:
        number, started = path.read_text(encoding="utf-8").split()
        alive = abs(psutil.Process(int(number)).create_time() - float(started)) < 1.0
    except (OSError, ValueError, psutil.NoSuchProcess):
        alive, number = False, ""
    if alive:
        raise DataError(
            f"{folder.name} is being prepared by process {number}. Wait for it, or stop it first."
        )
    path.unlink(missing_ok=True)
