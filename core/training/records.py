"""What a job leaves in its folder besides the trainer's files: who works, how it ended, a log."""

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from core.errors import (
    DISK_FULL,
    CoreError,
    TrainingError,
    refusal,
    sentence_of,
)
from core.paths import is_first_process
from core.process import ProcessId
from core.training.config import RunConfig
from core.training.run_folder import TORN, RunFolder, observe
from core.training.trainer import Stopped

logger = logging.getLogger(__name__)

RESTING = ("finished", "stopped")  # states that a refused wish to go on does not change


class Records:
    """What a job leaves in its folder besides the trainer's files; only its first process writes.

    Args:
        folder: Of a run or a search.

    Attributes:
        state: As last set; "unknown" before.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.first = folder, is_first_process()
        self.started, self.state = time.time(), "unknown"
        self._former: dict[str, Any] = {}  # status of a run that is gone on with, until it is

    def going(self) -> None:
        """Note that a run goes on, so that what ends it from here on is its own end."""
        self._former = {}

    @contextmanager
    def claimed(self, *, new: bool) -> Iterator[None]:
        """Hold the folder, so that nobody else trains or searches in it.

        Args:
            new: Whether it must hold no job yet.

        Raises:
            TrainingError: Another process holds it.
            ConfigError: It shall be new and holds a job.
        """
        if not self.first:
            yield
            return
        if new:
            self.folder.refuse_reserved()
        self.folder.path.mkdir(parents=True, exist_ok=True)
        claim = self.folder.claim
        if not claim.acquire():
            raise self._at_work_elsewhere(ProcessId.from_json(claim.holder()))
        try:
            self.refuse_company()
            if new:
                self.folder.refuse_taken()
                self.folder.forget_attempt()
            yield
        finally:
            claim.release()

    def refuse_company(self) -> None:
        """Make sure that no other process says that it works on this folder.

        A claim does not reach machines that share a folder without locks.

        Raises:
            TrainingError: One does.
        """
        former = observe(self.folder)
        if former.state == "running" and former.process != ProcessId.of():
            raise self._at_work_elsewhere(former.process)

    def _at_work_elsewhere(self, process: ProcessId) -> TrainingError:
        return TrainingError(
            f"{self.folder.name} is running already, in process {process.pid} of {process.host}. "
            "Wait for it, or stop it first."
        )

    def set(self, state: str, reason: str = "") -> None:
        """Replace status.json."""
        self.state = state
        if self.first:
            self.folder.set_status(state, reason, started=self.started)

    @contextmanager
    def begun(self, config: RunConfig | None, keep_stop: bool) -> Iterator[Callable[[], bool]]:
        """As `at_work` for a run, whose configuration is stored first.

        None keeps what there is, and also the state of a run at rest until `going`.
        """
        if self.first:
            if config is not None:
                self.folder.create(config)
            elif (former := self.folder.status())["state"] in RESTING:
                self._former = former
            if not keep_stop:
                self.folder.stop_request.unlink(missing_ok=True)
        with self.at_work("run") as is_asked:
            yield is_asked

    @contextmanager
    def at_work(self, what: str) -> Iterator[Callable[[], bool]]:
        """Keep status.json true while something works: running, then how it ended, in `state`.

        To be stopped is an end like any other: `Stopped` goes no further.

        Args:
            what: "run" or "search", for the log.

        Yields:
            Whether a stop was asked for, by a signal or by the folder's file.

        Raises:
            CoreError: It failed; status.json says why as well.
        """
        with log_file(self.folder.log) if self.first else nullcontext(), stop_signal() as signalled:
            self.set("running")
            try:
                yield lambda: bool(signalled) or self.folder.stop_request.exists()
            except Stopped as stopped:
                if self.folder.goes_back and not str(stopped):
                    self.set("queued", TORN)
                elif self._former:  # before it went on: what there is stays as good
                    self.state = "stopped"
                    self.folder.set_status(**self._former)
                else:
                    self.set("stopped", str(stopped) or "Stopped on request; it can be resumed.")
                self.folder.stop_request.unlink(missing_ok=True)
            except Exception as error:
                logger.exception("The %s failed", what)
                with suppress(OSError):  # what ended it is what the user must hear of
                    if self._former:  # refused as early
                        self.folder.set_status(**self._former)
                    else:
                        self.set("failed", sentence(error))
                if isinstance(error, CoreError):
                    raise
                raise CoreError(sentence(error)) from error
            else:
                self.set("finished")


def sentence(error: BaseException) -> str:
    """One sentence for a user about anything that can end a run."""
    if isinstance(error, CoreError):
        return str(error)
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    refused = refusal(error)
    if refused is not None and refused.errno in DISK_FULL:
        return f"The disk is full ({text}). Free some space, then resume; the last save is kept."
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "alloc" in text.lower():
        return f"Memory ran out ({text}). Lower the batch size and resume."
    if refused is not None:
        return sentence_of(refused)
    return f"The run ended with {type(error).__name__}: {text}."


class _Log(logging.FileHandler):
    """A log whose disk may fill up: what cannot be noted any more ends nothing."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Send this package's log lines to a file as well, for a while."""
    handler = _Log(path)
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
