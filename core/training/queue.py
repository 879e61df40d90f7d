"""Runs and searches that wait for their turn.  The folders are the queue; no list is kept apart.

A job is queued by its status.json, and carries a job.json that says since when. A worker (see
`core.training.worker`) takes the oldest. Asking for a stop is a file as well, so that everybody may
ask: a page, the command line, a file manager.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import ConfigError, TrainingError
from core.files import write_json
from core.training.config import RunConfig
from core.training.lock import WorkerLock
from core.training.observing import is_job, list_jobs, observe
from core.training.run_folder import RunFolder

STOPPED = "Stopped on request before it began; it can be resumed."
STOPPED_GONE = "Stopped on request; its process was gone already. It can be resumed."


@dataclass(frozen=True, slots=True)
class Job:
    """What the queue knows of a run besides its status.

    Attributes:
        added: When it was queued, seconds since the epoch.
        evaluate: Whether it is measured on its test part once it has finished.
        vanished: How often in a row its process went without having saved anything new.
        mark: When last.pt was last written before the present attempt; 0 for never.
    """

    added: float
    evaluate: bool = True
    vanished: int = 0
    mark: float = 0.0

    @classmethod
    def of(cls, folder: RunFolder) -> "Job | None":
        """The job.json of a run; None where the queue has nothing to do with it."""
        try:
            return cls(**json.loads((folder.path / "job.json").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def save(self, folder: RunFolder) -> None:
        """Write job.json."""
        write_json(folder.path / "job.json", asdict(self))


def add_run(root: Path, name: str, config: RunConfig, *, evaluate: bool = True) -> RunFolder:
    """Queue a new run.

    Raises:
        ConfigError: The name is taken or no folder name.
    """
    folder = RunFolder.named(root, name)
    if folder.path.exists():
        raise ConfigError(f"A run named {name!r} exists. Choose another name.")
    folder.create(config)
    enqueue(folder, evaluate=evaluate)
    return folder


def enqueue(folder: RunFolder, *, evaluate: bool = True) -> None:
    """Put a run at the end of the queue: a new one, or one to go on with.

    Raises:
        TrainingError: It is at work, queued or finished, or no run at all.
    """
    if not is_job(folder.path):
        raise TrainingError(f"There is no run named {folder.name!r}.")
    state = observe(folder).state
    if state in ("running", "queued", "finished"):
        raise TrainingError(f"{folder.name} is {state}; there is nothing to resume.")
    folder.stop_request.unlink(missing_ok=True)
    Job(time.time(), evaluate).save(folder)
    folder.set_status("queued")


def waiting(root: Path) -> list[RunFolder]:
    """Queued jobs, the oldest first."""
    queued = [folder for folder in list_jobs(root) if observe(folder).state == "queued"]
    return sorted(queued, key=_added)


def _added(folder: RunFolder) -> float:
    job = Job.of(folder)
    return 0.0 if job is None else job.added


def request_stop(folder: RunFolder) -> None:
    """Ask a queued or running job to stop; it obeys at its next batch.

    Raises:
        TrainingError: It neither runs nor waits.
    """
    observed = observe(folder)
    if not (observed.is_active or observed.state == "interrupted"):
        raise TrainingError(f"{folder.name} is {observed.state}; there is nothing to stop.")
    folder.stop_request.touch()
    # A worker at work sees the file itself; without one, nobody else would.
    if observed.state != "running" and not WorkerLock(folder.path.parent).is_held():
        obey_stop(folder)


def obey_stop(folder: RunFolder) -> None:
    """Give a job that no process works on the state it was asked for."""
    began = observe(folder).state == "interrupted"
    folder.set_status("stopped", STOPPED_GONE if began else STOPPED)
    folder.stop_request.unlink(missing_ok=True)


def stop_worker(root: Path) -> bool:
    """Ask this machine's worker to stop its job, put it back into the queue, and end.

    Returns:
        Whether there was a worker.
    """
    lock = WorkerLock(root)
    if not lock.is_held():
        return False
    stop_file(root).touch()
    return True


def stop_file(root: Path) -> Path:
    """The file that asks the worker of this machine to end."""
    return WorkerLock(root).path.with_suffix(".stop")
