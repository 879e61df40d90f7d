"""The runs of a root, and what is true of each now, whatever its last process managed to write."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from core.checkpoints import SHIPPED_CHECKPOINTS
from core.errors import TrainingError
from core.process import ProcessId
from core.training.run_folder import RunFolder

SILENT = 300.0  # seconds; a run of another machine that long without a sign of life is given up
GONE = "Its process is gone, perhaps with the machine. It can go on from its last save."


@dataclass(frozen=True, slots=True)
class Observed:
    """The state of a run.

    Attributes:
        state: As in status.json, "interrupted" for a running one whose process is gone, or
            "unknown" without status.json.
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
    """Remove a run or search with all its files.

    Raises:
        TrainingError: It is at work, it is no job's folder, or the app comes with it.
    """
    if not is_job(folder.path):
        raise TrainingError(f"{folder.name} is no run; nothing was deleted.")
    if folder.name in SHIPPED_CHECKPOINTS:
        raise TrainingError(f"{folder.name} is a checkpoint the app comes with; it is kept.")
    if observe(folder).is_active:
        raise TrainingError(f"{folder.name} is at work or queued. Stop it first, then delete it.")
    shutil.rmtree(folder.path)
