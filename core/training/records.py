"""What a run or search leaves in its folder while it goes on, and the signals it obeys."""

import errno
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType

import torch

from core.errors import CoreError, TrainingError
from core.paths import is_first_process
from core.process import ProcessId
from core.training.config import RunConfig
from core.training.observing import observe
from core.training.run_folder import RunFolder

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Records:
    """What a run leaves in its folder besides the trainer's files; only its first process writes.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.first = folder, is_first_process()
        self.started = time.time()

    def begin(self, config: RunConfig, *, keep_stop: bool) -> None:
        """Store the configuration, unless another process works on this run.

        Raises:
            TrainingError: One does.
        """
        if not self.first:
            return
        self.refuse_company()
        self.folder.create(config)
        if not keep_stop:
            self.folder.stop_request.unlink(missing_ok=True)

    def refuse_company(self) -> None:
        """Make sure that no other process works on this folder.

        Raises:
            TrainingError: One does.
        """
        former = observe(self.folder)
        if former.state == "running" and former.process != ProcessId.of():
            raise TrainingError(
                f"{self.folder.name} is running already, in process {former.process.pid} of "
                f"{former.process.host}. Wait for it, or stop it first."
            )

    def set(self, state: str, reason: str = "") -> None:
        """Replace status.json."""
        if self.first:
            self.folder.set_status(state, reason, started=self.started)

    def log_file(self) -> AbstractContextManager[None]:
        """Send this package's log lines to train.log as well."""
        return log_file(self.folder.log) if self.first else nullcontext()


def sentence(error: BaseException) -> str:
    """One sentence for a user about anything that can end a run."""
    if isinstance(error, CoreError):
        return str(error)
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if any(isinstance(one, OSError) and one.errno in DISK_FULL for one in _causes(error)):
        return f"The disk is full ({text}). Free some space, then resume; the last save is kept."
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "alloc" in text.lower():
        return f"Memory ran out ({text}). Lower the batch size and resume."
    if isinstance(error, OSError):
        return f"A file could not be read or written ({text}). Check space and paths, then resume."
    return f"The run ended with {type(error).__name__}: {text}."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from: torch wraps what its file writer met."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Send this package's log lines to a file as well, for a while."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    owner = logging.getLogger("core")
    level = owner.level
    owner.addHandler(handler)
    owner.setLevel(logging.INFO)
    try:
        yield
    finally:
        owner.removeHandler(handler)
        owner.setLevel(level)
        handler.close()


@contextmanager
def stop_signal() -> Iterator[list[int]]:
    """Collect SIGTERM and SIGINT instead of dying; outside the main thread nothing is changed."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    try:
        former = {kind: signal.signal(kind, note) for kind in (signal.SIGTERM, signal.SIGINT)}
    except ValueError:
        yield received
        return
    try:
        yield received
    finally:
        for kind, handler in former.items():
            signal.signal(kind, handler)
