"""The one process a machine that works on the queue, and the processes it gives the jobs to."""

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from core.errors import sentence_of
from core.files import clear_leftovers
from core.paths import run_root
from core.process import ProcessId, last_line, start_detached
from core.training.queue import Job, WorkerLock, obey_stop, owed, stop_file, waiting
from core.training.run_folder import TORN, RunFolder, list_jobs, observe

logger = logging.getLogger(__name__)

POLL = 0.5  # seconds between two looks at the folders
GIVE_UP = 600.0  # seconds in which folders may refuse to be read or written, as on a full disk
FAREWELL = 30.0  # seconds a job has to stop before the worker leaves it to itself
ATTEMPTS = 3  # processes in a row that may vanish without having saved anything new

Command = Callable[[RunFolder, str], Sequence[str]]


def job_command(folder: RunFolder, task: str) -> list[str]:
    """What does a task ("train" or "evaluate") of a job: a verb of the command line."""
    verb = [task, folder.name]
    if task == "train":
        search = (folder.path / "study.json").is_file()
        verb = ["tune" if search else "train", "--resume", "--queued", "--run", folder.name]
    return [sys.executable, "-m", "core", *verb]


@dataclass(slots=True)
class _Child:
    """A process at work on a job."""

    folder: RunFolder
    task: str
    process: subprocess.Popen[bytes]


class Worker:
    """Takes jobs in their order until none is left.

    Args:
        root: The run root.
        jobs: How many may run at once on this machine, however they were started.
        stay: Whether to wait for more jobs instead of ending.
        command: Makes the command line of a task.
    """

    def __init__(
        self, root: Path, *, jobs: int = 1, stay: bool = False, command: Command = job_command
    ) -> None:
        self.root, self.jobs, self.stay, self.command = root, jobs, stay, command
        self.lock = WorkerLock(root)
        self.children: list[_Child] = []
        self.stopping = False

    def work(self) -> None:
        """Work on the queue until it is empty or a stop is asked for.

        Raises:
            TrainingError: Another process of this machine does so already.
        """
        with self.lock:
            stop_file(self.root).unlink(missing_ok=True)
            for folder in list_jobs(self.root):
                clear_leftovers(folder.path)  # of a worker that was killed over its last word
            self._until_done()
        # A job added since the last look found a worker that was about to leave.
        while not self._stop_is_asked() and self._is_due() and self.lock.acquire():
            self._until_done()
            self.lock.release()

    def stop(self) -> None:
        """Ask the worker to end; safe in a signal handler."""
        self.stopping = True

    def _until_done(self) -> None:
        refused: float | None = None  # since when, on the monotonic clock
        while True:
            while not self._stop_is_asked():
                try:
                    if self._look() == 0 and not self.stay:
                        return
                    refused = None
                except OSError as error:
                    if refused is None:
                        refused = time.monotonic()
                        logger.warning("Trying again for a while: %s", sentence_of(error))
                    elif time.monotonic() - refused > GIVE_UP:
                        raise
                time.sleep(POLL)
            self._stop_children()
            if self._stop_is_asked():  # else the queue was started again while its job stopped
                return

    def _look(self) -> int:
        """Do what is due now; the number of jobs left."""
        self._reap()
        self._tidy()
        self._start_next()
        self.lock.note(state="working", jobs=[child.folder.name for child in self.children])
        return len(self.children) + len(waiting(self.root)) + len(owed(self.root))

    def _stop_is_asked(self) -> bool:
        return self.stopping or stop_file(self.root).exists()

    def _reap(self) -> None:
        """Look after the processes that ended."""
        for child in list(self.children):
            code = child.process.poll()
            if code is None:
                continue
            self.children.remove(child)
            folder, observed = child.folder, observe(child.folder)
            logger.info("%s of %s ended with %d", child.task, folder.name, code)
            if child.task != "train":
                _note_evaluation(folder, code)
                continue
            silent = observed.state == "interrupted" or observed.process == ProcessId.of()
            if silent and code > 0:
                # It ended by itself, too early to say why: its output does.
                folder.set_status("failed", f"It ended before it could begin: {_said(folder)}")
            elif silent:
                _take_up_again(folder)

    def _tidy(self) -> None:
        """Obey stops of jobs nobody works on; queue those again whose process is gone."""
        for folder in list_jobs(self.root):
            observed = observe(folder)
            if observed.state not in ("queued", "interrupted") or not observed.process.is_here:
                continue
            if folder.stop_request.exists():
                obey_stop(folder)
            elif observed.state == "interrupted":
                _take_up_again(folder)

    def _is_due(self) -> bool:
        return bool(waiting(self.root) or owed(self.root))

    def _start_next(self) -> None:
        """Start what is due, if there is room: what a finished run is owed, else the oldest job."""
        busy = {child.folder.name for child in self.children}
        for folder in list_jobs(self.root):
            observed = observe(folder)
            if observed.state == "running" and observed.process.is_here:
                busy.add(folder.name)
        if len(busy) >= self.jobs:
            return
        unmeasured = [folder for folder in owed(self.root) if folder.name not in busy]
        if unmeasured:
            self._spawn(unmeasured[0], "evaluate")
            return
        following = next(iter(waiting(self.root)), None)
        if following is None or not _claimed(following):
            return
        job = Job.of(following) or Job(time.time())
        replace(job, mark=_saved(following)).save(following)
        self._spawn(following, "train")

    def _spawn(self, folder: RunFolder, task: str) -> None:
        logger.info("Starting %s of %s", task, folder.name)
        process = start_detached(
            self.command(folder, task), folder.path / "output.log", append=True
        )
        self.children.append(_Child(folder, task, process))

    def _stop_children(self) -> None:
        for child in self.children:
            if child.task != "train":
                child.process.terminate()
            elif observe(child.folder).state != "stopped":  # by a user, a moment ago
                child.folder.ask_to_stop(for_queue=True)
        deadline = time.monotonic() + FAREWELL
        for child in self.children:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("%s has not stopped yet and is left to itself", child.folder.name)
                continue
            if child.task == "train" and observe(child.folder).state == "interrupted":
                child.folder.set_status("queued", TORN)
                child.folder.stop_request.unlink(missing_ok=True)
        self.children.clear()


def _take_up_again(folder: RunFolder) -> None:
    """Queue a job whose process is gone, unless it went again and again without a step forward."""
    job = Job.of(folder)
    if job is None:
        return  # started by hand: whoever did will know whether to go on
    saved = _saved(folder)
    vanished = 1 if saved > job.mark else job.vanished + 1
    replace(job, vanished=vanished, mark=saved).save(folder)
    if vanished >= ATTEMPTS:
        folder.set_status(
            "failed",
            f"Its process was ended from outside {vanished} times in a row before it could save "
            "anything; most likely memory ran out. Lower the batch size or choose a smaller "
            "network, then resume.",
        )
        return
    logger.info("The process of %s is gone; it goes on from its last save", folder.name)
    folder.set_status("queued", "Its process was gone; it goes on from its last save.")


def _claimed(folder: RunFolder) -> bool:
    """Make a queued job this worker's, unless one of another machine was quicker."""
    claim = folder.claim
    if not claim.acquire():
        return False
    try:
        if observe(folder).state != "queued":
            return False
        # The job's process puts its own name here as soon as it can speak.
        folder.set_status("running", "Starting.")
        return True
    finally:
        claim.release()


def _note_evaluation(folder: RunFolder, code: int) -> None:
    """Keep how an evaluation ended: one that was killed is owed still, a few times."""
    job = Job.of(folder)
    if job is not None:
        lost = job.lost + (code < 0)
        job = replace(job, measured=code >= 0 or lost >= ATTEMPTS, lost=lost)
        job.save(folder)
        if code and job.measured and observe(folder).state == "finished":
            folder.set_status("finished", f"It could not be measured: {_said(folder)}")


def _saved(folder: RunFolder) -> float:
    return folder.last.stat().st_mtime if folder.last.exists() else 0.0


def _said(folder: RunFolder) -> str:
    return last_line(folder.path / "output.log") or "nothing was printed."


def ensure_worker(root: Path, *, jobs: int = 1, stay: bool = False) -> None:
    """Start this machine's worker, or keep the one at work, even if it was asked to end.

    It survives whoever calls.

    The worker learns the root from the environment, as everybody does.

    Raises:
        ValueError: This is another root than the environment's.
    """
    if root != run_root():
        raise ValueError(f"{root} is not the run root {run_root()}")
    lock = WorkerLock(root)
    if lock.is_held():
        stop_file(root).unlink(missing_ok=True)
        return
    lock.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "core", "queue", "run", "--jobs", str(jobs)]
    command += ["--stay"] if stay else []
    start_detached(command, lock.folder / "worker.log", append=True)


def work_until_told(worker: Worker) -> None:
    """Run a worker in this process; SIGTERM and SIGINT let it end in good order.

    Raises:
        TrainingError: Another process of this machine works on the queue.
    """

    def note(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    former = {kind: signal.signal(kind, note) for kind in (signal.SIGTERM, signal.SIGINT)}
    try:
        worker.work()
    finally:
        for kind, handler in former.items():
            signal.signal(kind, handler)
