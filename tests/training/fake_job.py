"""Stands for a training process: `python fake_job.py FOLDER`.

A job.txt in the folder says what it does, an action a line: `work SECONDS` until a stop is asked
for, `save` writes last.pt, `die` kills itself, `say TEXT` prints, `exit CODE`, `finish`. What
remains of the list is what the next process of the job does.
"""

import os
import signal
import sys
import time
from pathlib import Path

from core.training import RunFolder


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
        if action == "save":
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
            folder.set_status("stopped", "Stopped on request; it can be resumed.")
            folder.stop_request.unlink()
            return False
        time.sleep(0.02)
    return True


def note(folder: RunFolder, what: str) -> None:
    with (folder.path.parent / "times.txt").open("a") as file:
        file.write(f"{folder.name} {what} {time.time()}\n")


if __name__ == "__main__":
    main()
