"""Processes that outlive whoever starts them, told apart from later ones of the same number."""

import platform
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from core.paths import PROJECT_ROOT

TOLERANCE = 2.0  # seconds between clocks that tell when a process began


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of some machine.

    Attributes:
        pid: Its number, which is used again after its end.
        created: When it began, seconds since the epoch; 0 where it is not known.
        host: Name of its machine.
    """

    pid: int
    created: float
    host: str = field(default_factory=platform.node)

    @classmethod
    def of(cls, pid: int | None = None) -> "ProcessId":
        """A process of this machine, None for this one; begun at 0 where it has ended already."""
        try:
            process = psutil.Process(pid)
            return cls(process.pid, process.create_time(), platform.node())
        except psutil.Error:
            return cls(pid or 0, 0.0, platform.node())

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ProcessId":
        """Read what `to_json` wrote, also inside other values; what is missing is not known."""
        return cls(
            int(values.get("pid", 0)),
            float(values.get("created", 0.0)),
            str(values.get("host") or platform.node()),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def fields(self) -> dict[str, Any]:
        """The values of `ProcessFields`, by name."""
        return {"pid": self.pid, "born": self.created}

    @property
    def is_here(self) -> bool:
        """Whether it belongs to this machine, so that `is_alive` can tell."""
        return self.host == platform.node()

    def is_alive(self, before: float = float("inf")) -> bool:
        """Whether it still works; on another machine, which cannot be asked, it is believed to.

        Args:
            before: Latest time at which it may have begun, used where `created` is not known.
        """
        if not self.is_here:
            return True
        try:
            process = psutil.Process(self.pid)
            began = process.create_time()
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
        except (psutil.Error, ValueError):
            return False
        if self.created:
            return abs(began - self.created) < TOLERANCE
        return began < before + TOLERANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFields:
    """What a file says of the process of this machine that does the work it is about.

    Attributes:
        pid: Of the process; 0 until it has begun.
        born: Start of the process, seconds since the epoch; tells it from a later one of this pid.
    """

    pid: int = 0
    born: float = 0.0

    @property
    def process(self) -> ProcessId:
        """Who works, or worked."""
        return ProcessId(self.pid, self.born)


def start_detached(
    command: Sequence[str], log: Path, *, append: bool = False
) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own, so that it goes on when this one ends.

    Args:
        command: Program and arguments; run from the project's root.
        log: File that takes all it prints.
        append: Whether what the file holds already is kept.
    """
    with log.open("ab" if append else "wb") as output:
        process = subprocess.Popen(
            list(command),
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Waited for, so that no zombie stays while the web server lives.
    threading.Thread(target=process.wait, name=f"wait for {process.pid}", daemon=True).start()
    return process
