"""One worker a machine: a file that the system unlocks when its holder ends, however it ends."""

import fcntl
import json
import platform
import re
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from core.errors import TrainingError
from core.process import ProcessId

PATIENCE = 2.0  # seconds; whoever only looks holds the lock for a moment as well


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
        try:
            content = json.loads(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def has_crashed(self) -> bool:
        """Whether the last worker went without a farewell: killed, or with the machine."""
        return self.holder().get("state") == "working" and not self.is_held()


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
