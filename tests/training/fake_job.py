"""Stands for a training process: `python fake_job.py FOLDER`; and what tests of it need.

A job.txt in the folder says what it does, an action a line: `work SECONDS` until a stop is asked
for, `deaf SECONDS` whatever is asked, `save` writes last.pt, `die` kills itself, `say TEXT` prints,
`exit CODE`, `finish`. What remains of the list is what the next process of the job does.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.training import RunConfig, RunFolder, Worker, add_run

PATIENCE = 60.0  # seconds; a machine under load starts processes slowly
STOPPED = {
    True: ("queued", "The queue was stopped; it goes on when the queue works again."),
    False: ("stopped", "Stopped on request; it can be resumed."),
}


def main() -> None:
    folder = RunFolder(Path(sys.argv[1]))
    folder.set_status("running")
    note(folder, "begin")
    script = folder.path / "job.txt"
    while lines := script.read_text().splitlines():
        script.write_text("\n".join(lines[1:]))
        action, _, argument = lines[0].partition(" ")
        if action == "work" and not work(folder, float(argument)):
            return
        if action == "deaf":
            note(folder, "deaf")
            time.sleep(float(argument))
        elif action == "save":
            folder.last.write_bytes(b"x")
        elif action == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif action == "say":
            sys.stdout.write(argument + "\n")
            sys.stdout.flush()
        elif action == "exit":
            sys.exit(int(argument))
        elif action == "finish":
            note(folder, "end")
            folder.set_status("finished")


def work(folder: RunFolder, seconds: float) -> bool:
    """Whether no stop was asked for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if folder.stop_request.exists():
            note(folder, "end")
            folder.set_status(*STOPPED[folder.goes_back])
            folder.stop_request.unlink()
            return False
        time.sleep(0.02)
    return True


def note(folder: RunFolder, what: str) -> None:
    with (folder.path.parent / "times.txt").open("a") as file:
        file.write(f"{folder.name} {what} {time.time()}\n")


def fake(folder: RunFolder, task: str) -> list[str]:
    return [sys.executable, __file__, str(folder.path)]


def add(root: Path, name: str, *actions: str) -> RunFolder:
    folder = add_run(root, name, RunConfig(), evaluate=False)
    (folder.path / "job.txt").write_text("\n".join(actions))
    return folder


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def times(root: Path) -> list[tuple[str, str]]:
    lines = (root / "times.txt").read_text().splitlines()
    return [(line.split()[0], line.split()[1]) for line in lines]


def working(worker: Worker) -> threading.Thread:
    thread = threading.Thread(target=worker.work)
    thread.start()
    return thread


if __name__ == "__main__":
    main()
