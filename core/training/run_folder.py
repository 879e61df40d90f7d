"""The files of a run, and what is true of it now."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.checkpoints import EVALUATIONS, FACTS_FOLDER, WEIGHTS, is_own
from core.errors import CheckpointError, ConfigError, TrainingError
from core.files import is_temporary, write_json, write_text
from core.process import Claim, ProcessId
from core.shapes import ConfigFile, EpochLine, KeptFile, Progress, StatusFile, StepLine
from core.stored import Unreadable, read_shaped, shaped, shaped_or_empty
from core.training.config import FACE_START, RunConfig

DAMAGED = "damaged"  # of a folder whose files cannot be read
FOR_QUEUE = "queue"  # in the file that asks for a stop
TORN = "The queue was stopped; it goes on when the queue works again."
STATES = ("queued", "running", "finished", "stopped", "failed")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
SILENT = 300.0  # seconds; a run of another machine that long without a sign of life is given up
CLAIM = ".claim"
BEFORE = {CLAIM, "train.log", "job.json", "status.json", "stop"}  # may come before config.json
UNBEGUN = BEFORE | {"config.json", "output.log"}  # all there is of a run that failed at its start
GONE = "Its process is gone, perhaps with the machine. It can go on from its last save."


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and small files of one run (the weights are read elsewhere).

    Attributes:
        path: The folder; it need not exist yet.
    """

    path: Path

    @classmethod
    def named(cls, root: Path, name: str) -> "RunFolder":
        """The run of this name below a run root.

        Raises:
            ConfigError: The name is no plain folder name, or is taken by what runs share.
        """
        if not NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} is no run name. Use letters, digits, dots, dashes and underscores, "
                "80 at most."
            )
        if name.lower() in (FACTS_FOLDER, EVALUATIONS):
            raise ConfigError(f"{name!r} is the folder of what runs share. Choose another name.")
        return cls(root / name)

    @classmethod
    def unused(cls, root: Path, name: str) -> "RunFolder":
        """The folder that a new run or search of this name gets.

        Raises:
            ConfigError: The name is taken or no folder name.
        """
        folder = cls.named(root, name)
        folder.refuse_taken()
        return folder

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def weights(self) -> Path:
        return self.path / WEIGHTS

    @property
    def card(self) -> Path:
        return self.path / "card.json"

    @property
    def last(self) -> Path:
        return self.path / "last.pt"

    @property
    def log(self) -> Path:
        return self.path / "train.log"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def steps(self) -> Path:
        return self.path / "steps.jsonl"

    @property
    def report(self) -> Path:
        return self.path / "report.json"

    @property
    def stop_request(self) -> Path:
        return self.path / "stop"

    def ask_to_stop(self, *, for_queue: bool = False) -> None:
        """Ask whoever works here to stop at the next batch.

        Args:
            for_queue: Whether it is the queue that ends, so that the job shall wait there and not
                stay stopped. What a user has asked before counts.
        """
        if not for_queue:
            self.stop_request.write_text("")
        elif not self.stop_request.exists():
            self.stop_request.write_text(FOR_QUEUE)

    @property
    def goes_back(self) -> bool:
        """Whether it is the queue that asked for a stop."""
        with suppress(FileNotFoundError):
            return self.stop_request.read_text() == FOR_QUEUE
        return False

    @property
    def claim(self) -> Claim:
        """The right to train or search here, which a process holds while it does."""
        return Claim(self.path / CLAIM)

    @property
    def is_taken(self) -> bool:
        """Whether the name is in use; what ended before its first step is not in the way."""
        if not self.path.is_dir():
            return os.path.lexists(self.path)
        names = {entry.name for entry in self.path.iterdir() if not is_temporary(entry.name)}
        return bool(names - (UNBEGUN if observe(self).state == "failed" else BEFORE))

    def refuse_taken(self) -> None:
        """Make sure that the name is free.

        Raises:
            ConfigError: It is not.
        """
        self.refuse_reserved()
        if self.is_taken:
            raise ConfigError(f"A run or search named {self.name!r} exists. Choose another name.")

    def refuse_reserved(self) -> None:
        """Raise a ConfigError where commands would take the name for another network."""
        if self.name.lower() in ("default", FACE_START):
            raise ConfigError(
                f"{self.name!r} stands for a network that the app comes with. Choose another name."
            )

    def forget_attempt(self) -> None:
        """Remove what an attempt left that ended before its first step."""
        for name in UNBEGUN - {CLAIM}:
            (self.path / name).unlink(missing_ok=True)

    def create(self, config: RunConfig) -> None:
        """Make the folder and store the configuration."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "config.json", config.to_json())

    def config(self) -> RunConfig:
        """The stored configuration.

        Raises:
            CheckpointError: There is none, or it cannot be read.
        """
        path = self.path / "config.json"
        try:
            return RunConfig.from_json(read_shaped(path, ConfigFile))
        except FileNotFoundError:
            raise CheckpointError(f"{self.name} has no config.json; it is no run folder.") from None
        except (OSError, ValueError, ConfigError) as error:
            raise CheckpointError(f"{path.name} of {self.name} cannot be read: {error}") from error

    def set_status(self, state: str, reason: str = "", **more: Any) -> None:  # noqa: ANN401 - JSON
        """Replace status.json; `reason` is a sentence for a user, `more` may name another process.

        Raises:
            ValueError: There is no such state.
        """
        if state not in STATES:
            raise ValueError(f"{state!r} is no state")
        process = ProcessId.of().to_json()
        content = {"state": state, "reason": reason, "time": time.time(), **process} | more
        path = self.path / "status.json"
        try:
            write_json(path, content)
        except OSError:
            # A full disk has no room for a second file, but the old one's blocks are there.
            _overwrite(path, json.dumps(content))

    def status(self) -> dict[str, Any]:
        """The content of status.json, or a state where there is none yet, or it cannot be read."""
        try:
            return read_shaped(self.path / "status.json", StatusFile)
        except (FileNotFoundError, NotADirectoryError):
            return {"state": "unknown", "reason": ""}
        except (OSError, Unreadable) as error:
            return {"state": DAMAGED, "reason": f"status.json cannot be read ({error})."}

    def set_progress(self, **values: Any) -> None:  # noqa: ANN401 - JSON
        """Replace progress.json, the moment's state inside an epoch."""
        write_json(self.path / "progress.json", values)

    def progress(self) -> dict[str, Any]:
        """The content of progress.json; empty where there is none yet."""
        return shaped_or_empty(self.path / "progress.json", Progress)

    def append_metrics(self, values: dict[str, Any]) -> None:
        """Add one epoch's line."""
        with self.metrics.open("a") as file:
            file.write(json.dumps(values) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def append_step(self, values: dict[str, Any]) -> None:
        """Add a line on the moment: `at` in epochs, the smoothed batch loss, the learning rate."""
        with self.steps.open("a") as file:
            file.write(json.dumps(values) + "\n")

    def history(self) -> Iterator[dict[str, Any]]:
        """Lines of metrics.jsonl, leaving out one that is half written or says what cannot be."""
        return _lines(self.metrics, EpochLine)

    def kept(self) -> dict[str, Any]:
        """Figures of the kept weights: `epoch` (0 for the initial ones), `valid_accuracy`, others.

        They stand in the card; where it cannot be read, the best epoch's are given, or {}.
        """
        figures: dict[str, Any] = shaped_or_empty(self.card, KeptFile).get("metrics", {})
        wanted = {"epoch", "valid_accuracy", "valid_macro_f1"}
        if wanted <= set(figures):
            return figures
        whole = (line for line in self.history() if wanted <= set(line))
        return max(whole, key=lambda line: line["valid_accuracy"], default={})

    def step_history(self) -> Iterator[dict[str, Any]]:
        """Lines of steps.jsonl, leaving out one that is half written or says what cannot be."""
        return _lines(self.steps, StepLine)

    def forget_after(self, at: float) -> None:
        """Drop metrics after `at`, in epochs, which a resumed run will write again."""
        for path, shape, key in (
            (self.metrics, EpochLine, "epoch"),
            (self.steps, StepLine, "at"),
        ):
            kept = [line for line in _lines(path, shape) if line[key] <= at]
            write_text(path, "".join(json.dumps(line) + "\n" for line in kept))


def _overwrite(path: Path, text: str) -> None:
    """Put a text in the place of a short file by one write, which readers see whole or not."""
    with path.open("r+b") as file:
        length = len(file.read())
        file.seek(0)
        file.write(text.encode().ljust(length))


def _lines(path: Path, shape: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a TypedDict
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            yield shaped(line, shape)
        except Unreadable:
            continue


@dataclass(frozen=True, slots=True)
class Observed:
    """The state of a run.

    Attributes:
        state: As in status.json, "interrupted" for a running one whose process is gone, "unknown"
            without status.json, or "damaged" where it cannot be read.
        reason: One sentence, or "".
        since: When the state began, seconds since the epoch; 0 where it is not known.
        process: Who works on it, or did last.
    """

    state: str
    reason: str
    since: float
    process: ProcessId

    @property
    def is_active(self) -> bool:
        """Whether it is at work or waits to be."""
        return self.state in ("queued", "running")


def observe(folder: RunFolder) -> Observed:
    """What is true of a run now."""
    status = folder.status()
    since = float(status.get("time", 0.0))
    process = ProcessId.from_json(status)
    state, reason = str(status.get("state", "unknown")), str(status.get("reason", ""))
    if state == "running" and not _works(folder, process, since):
        state, reason = "interrupted", GONE
    return Observed(state, reason, since, process)


def _works(folder: RunFolder, process: ProcessId, since: float) -> bool:
    if process.is_here:
        return process.is_alive(before=since)
    seen = max(since, float(folder.progress().get("time", 0.0)))
    return time.time() - seen < SILENT


def is_job(path: Path) -> bool:
    """Whether a folder holds a run or a search."""
    if path.name in (FACTS_FOLDER, EVALUATIONS) or is_temporary(path.name):
        return False
    return (path / "config.json").is_file() or (path / "study.json").is_file()


def list_jobs(root: Path) -> list[RunFolder]:
    """Folders of runs and searches below a run root, by name."""
    if not root.is_dir():
        return []
    return [RunFolder(path) for path in sorted(root.iterdir()) if is_job(path)]


def list_runs(root: Path) -> list[RunFolder]:
    """Folders of runs below a run root, the latest change of state first."""
    runs = [folder for folder in list_jobs(root) if (folder.path / "config.json").is_file()]
    return sorted(runs, key=lambda folder: -observe(folder).since)


def delete_job(folder: RunFolder) -> None:
    """Remove a run, search or imported checkpoint with all its files, however damaged.

    Raises:
        TrainingError: It is at work, it is no job's folder, or the app comes with it.
    """
    if not (is_job(folder.path) or folder.card.is_file()):
        raise TrainingError(f"{folder.name} is no run or checkpoint, and was not deleted.")
    if not is_own(folder.path):
        raise TrainingError(f"{folder.name} comes with the app; it is kept.")
    if observe(folder).is_active or folder.claim.is_held():
        raise TrainingError(f"{folder.name} is at work or queued. Stop it first, then delete it.")
    shutil.rmtree(folder.path)
