"""What waits to be trained, and the lock of the one worker."""

import fcntl
import json
import platform
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from core.errors import TrainingError
from core.files import read_object, write_json
from core.process import ProcessId
from core.training.config import RunConfig
from core.training.run_folder import RunFolder, is_job, list_jobs, observe

PATIENCE = 2.0  # seconds; whoever only looks holds the lock for a moment as well
STOPPED = "Stopped on request before it began; it can be resumed."
STOPPED_GONE = "Stopped on request; its process was gone already. It can be resumed."


class WorkerLock:
    """The right to work on the queue of a run root on this machine.

    The file names its holder (pid, begin, host) for people and pages; the lock itself is the
    system's, so neither a kill nor a reused pid leaves it behind. Machines that share a run root
    have a file each.

    Args:
        root: The run root.
    """

    def __init__(self, root: Path) -> None:
        host = re.sub(r"[^A-Za-z0-9.-]", "_", platform.node()) or "here"
        self.folder = root / ".queue"
        self.path = self.folder / f"worker-{host}.json"
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock; False where another process has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+")
        deadline = time.monotonic() + PATIENCE
        while not _locked(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                file.close()
                return False
            time.sleep(0.05)
        self._file = file
        self.note(state="working")
        return True

    def note(self, **values: Any) -> None:  # noqa: ANN401 - JSON
        """Say what the holder does; the file keeps its inode, since the lock hangs on it."""
        if self._file is None:
            raise RuntimeError("the lock is not held")
        text = json.dumps({**ProcessId.of().to_json(), "time": time.time(), **values})
        self._file.seek(0)
        self._file.truncate()
        self._file.write(text)
        self._file.flush()

    def release(self) -> None:
        """Give the lock back, and say that the worker ended in good order."""
        if self._file is not None:
            self.note(state="ended")
            self._file.close()
            self._file = None

    def __enter__(self) -> "WorkerLock":
        if not self.acquire():
            holder = self.holder()
            raise TrainingError(
                f"Process {holder.get('pid', 'unknown')} works on this queue already. Leave it to "
                "its work, or stop it first with `python -m core queue stop`."
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def is_held(self) -> bool:
        """Whether a worker of this machine works now."""
        try:
            file = self.path.open("r+")
        except FileNotFoundError:
            return False
        with file:
            return not _locked(file, fcntl.LOCK_SH)

    def holder(self) -> dict[str, Any]:
        """What the present or last holder said; empty where there was none."""
        return read_object(self.path)

    def has_crashed(self) -> bool:
        """Whether the last worker went without a farewell: killed, or with the machine."""
        return self.holder().get("state") == "working" and not self.is_held()


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


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
    folder = RunFolder.unused(root, name)
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
