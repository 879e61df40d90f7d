"""What waits to be trained, and the lock of the one worker."""

import platform
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from core.errors import ConfigError, TrainingError
from core.files import changed, write_json
from core.process import Claim
from core.shapes import JobFile
from core.stored import read_shaped
from core.training.config import RunConfig
from core.training.run_folder import RunFolder, is_job, list_jobs, observe

STOPPED = "Stopped on request before it began; it can be resumed."
STOPPED_GONE = "Stopped on request; its process was gone already. It can be resumed."


class WorkerLock(Claim):
    """The right to work on the queue of a run root on this machine.

    The file names its holder and tells how it ended, so it stays. Machines that share a run root
    have a file each.

    Args:
        root: The run root.
    """

    def __init__(self, root: Path) -> None:
        host = re.sub(r"[^A-Za-z0-9.-]", "_", platform.node()) or "here"
        self.folder = root / ".queue"
        super().__init__(self.folder / f"worker-{host}.json")

    def acquire(self) -> bool:
        """Take the lock; False where another process has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        taken = super().acquire()
        if taken:
            self.note(state="working")
        return taken

    def release(self) -> None:
        """Give the lock back, and say that the worker ended in good order."""
        if self._file is not None:
            self.note(state="ended")
            self._close()

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

    def has_crashed(self) -> bool:
        """Whether the last worker went without a farewell: killed, or with the machine."""
        return self.holder().get("state") == "working" and not self.is_held()


@dataclass(frozen=True, slots=True)
class Job:
    """What the queue knows of a run besides its status.

    Attributes:
        added: When it was queued, seconds since the epoch.
        evaluate: Whether it is measured on its test part once it has finished.
        vanished: How often in a row its process went without having saved anything new.
        mark: When last.pt was last written before the present attempt; 0 for never.
        measured: Whether its evaluation is there, or has failed by itself.
        lost: How often its evaluation was ended from outside.
    """

    added: float
    evaluate: bool = True
    vanished: int = 0
    mark: float = 0.0
    measured: bool = False
    lost: int = 0

    @classmethod
    def of(cls, folder: RunFolder) -> "Job | None":
        """The job.json of a run; None where the queue has nothing to do with it."""
        try:
            return cls(**read_shaped(folder.path / "job.json", JobFile))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, folder: RunFolder) -> None:
        """Write job.json."""
        write_json(folder.path / "job.json", asdict(self))


def add_run(root: Path, name: str, config: RunConfig, *, evaluate: bool = True) -> RunFolder:
    """Queue a new run.

    Raises:
        ConfigError: The name is taken or no folder name, or there is no such network.
    """
    from core.training.optimise import check_network  # loads torch

    check_network(config)
    return add_job(root, name, Job(time.time(), evaluate), lambda folder: folder.create(config))


def add_job(root: Path, name: str, job: Job, create: Callable[[RunFolder], None]) -> RunFolder:
    """Queue a new job.

    Args:
        root: The run root.
        name: Of its folder.
        job: What the queue is to know of it.
        create: Writes the file that makes the folder a job; called last, so that one that is
            ended before leaves nothing that looks like a job, and takes no name.

    Raises:
        ConfigError: The name is taken or no folder name.
    """
    folder = RunFolder.named(root, name)
    folder.refuse_taken()
    folder.path.mkdir(parents=True, exist_ok=True)
    claim = folder.claim
    if not claim.acquire():
        raise ConfigError(f"A run or search named {name!r} is begun just now. Choose another name.")
    try:
        folder.refuse_taken()
        folder.forget_attempt()
        job.save(folder)
        folder.set_status("queued")
        create(folder)
    finally:
        claim.release()
    return folder


def enqueue(folder: RunFolder) -> None:
    """Put a run or search that has ended early at the end of the queue, to go on with it.

    Whether it is measured in the end stays as it was chosen; a run that was begun by hand is.

    Raises:
        TrainingError: It is at work, queued or finished, or no run at all.
    """
    _refuse_unknown(folder)
    state = observe(folder).state
    if state in ("running", "queued", "finished"):
        raise TrainingError(f"{folder.name} is {state}; there is nothing to resume.")
    folder.stop_request.unlink(missing_ok=True)
    former = Job.of(folder)
    evaluate = former.evaluate if former else (folder.path / "config.json").is_file()
    Job(time.time(), evaluate).save(folder)
    folder.set_status("queued")


def _refuse_unknown(folder: RunFolder) -> None:
    if not is_job(folder.path):
        raise TrainingError(
            f"There is no run named {folder.name!r}. See: python -m core queue list."
        )


def waiting(root: Path) -> list[RunFolder]:
    """Queued jobs, the oldest first."""
    queued = [folder for folder in list_jobs(root) if observe(folder).state == "queued"]
    return sorted(queued, key=_added)


def _added(folder: RunFolder) -> float:
    job = Job.of(folder)
    return 0.0 if job is None else job.added


def owed(root: Path) -> list[RunFolder]:
    """Runs that have finished on this machine and are still to be measured, the oldest first."""
    found = []
    for folder in list_jobs(root):
        job = Job.of(folder)
        if job is None or not job.evaluate or job.measured or _is_measured(folder):
            continue
        observed = observe(folder)
        if observed.state == "finished" and observed.process.is_here:
            found.append(folder)
    return sorted(found, key=_added)


def _is_measured(folder: RunFolder) -> bool:
    """Whether there is a report of these very weights."""
    report = changed(folder.report)
    return report > 0 and report >= changed(folder.weights)


def request_stop(folder: RunFolder) -> None:
    """Ask a queued or running job to stop; it obeys at its next batch.

    Raises:
        TrainingError: It neither runs nor waits, or is no run at all.
    """
    _refuse_unknown(folder)
    observed = observe(folder)
    if not (observed.is_active or observed.state == "interrupted"):
        raise TrainingError(f"{folder.name} is {observed.state}; there is nothing to stop.")
    folder.ask_to_stop()
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
