"""Processes that outlive whoever starts them, and which of them may work on what."""

import errno
import hashlib
import json
import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path
from typing import IO, Any

TOLERANCE = 60.0  # seconds between wall clocks that told when a process began, one may have stepped
PATIENCE = 0.5  # seconds; whoever only looks at a claim holds its lock for a moment as well
PROC = Path("/proc")
UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)  # no locks on this disk


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of some machine.

    Attributes:
        pid: Its number, which is used again after its end.
        created: When it began, seconds since the machine's start where `boot` is known, which no
            step of a clock changes, else since the epoch; 0 where it is not known.
        host: Name of its machine.
        boot: The machine's own name for the time since its start; "" where it has none.
    """

    pid: int
    created: float
    host: str = field(default_factory=platform.node)
    boot: str = ""

    @classmethod
    def of(cls, pid: int | None = None) -> "ProcessId":
        """A process of this machine, None for this one; begun at 0 where it has ended already."""
        number = os.getpid() if pid is None else pid
        boot = _boot()
        began = _began(number, boot)
        return cls(number, 0.0 if began is None else began, platform.node(), boot)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ProcessId":
        """Read what `to_json` wrote, also inside other values; what is missing is not known."""
        return cls(
            int(values.get("pid", 0)),
            float(values.get("created", 0.0)),
            str(values.get("host") or platform.node()),
            str(values.get("boot") or ""),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def fields(self) -> dict[str, Any]:
        """The values of `ProcessFields`, by name."""
        return {"pid": self.pid, "born": self.created, "boot": self.boot}

    @property
    def token(self) -> str:
        """The same as a part of a file's name, which `is_token_dead` reads."""
        return f"{self.pid}-{_short(self.host)}{_short(self.boot)}-{self.created * 1000:.0f}"

    @classmethod
    def is_token_dead(cls, token: str) -> bool:
        """Whether the process of a `token` has ended; False on another machine."""
        number, place, _ = token.split("-")
        if place[:8] != _short(platform.node()):
            return False
        living = cls.of(int(number))
        return living.token != token or not living.is_alive()

    @property
    def age(self) -> float:
        """Seconds since it began; 0 where that is not known."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME) if self.boot else time.time()
        return max(now - self.created, 0.0) if self.created else 0.0

    @property
    def is_here(self) -> bool:
        """Whether it belongs to this machine, so that `is_alive` can tell."""
        return self.host == platform.node()

    def is_alive(self, before: float = float("inf")) -> bool:
        """Whether it still works; on another machine, which cannot be asked, it is believed to.

        Args:
            before: Latest time at which it may have begun, seconds since the epoch, used where
                `created` is not known.
        """
        if not self.is_here:
            return True
        if self.boot and self.created:
            return self.boot == _boot() and _began(self.pid, self.boot) == self.created
        began = _began(
            self.pid, ""
        )  # told by an earlier version, or where there is no better clock
        if began is None:
            return False
        if self.created:
            return abs(began - self.created) < TOLERANCE
        return began < before + TOLERANCE


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _began(pid: int, boot: str) -> float | None:
    """Start of a living process: since the machine's where `boot` is known, else by the clock."""
    if boot:
        try:
            text = (PROC / str(pid) / "stat").read_text(errors="replace")
        except OSError:
            return None
        fields = text.rpartition(")")[2].split()  # the program's name may hold anything
        return None if fields[0] in "ZX" else int(fields[19]) / os.sysconf("SC_CLK_TCK")
    import psutil

    try:
        process = psutil.Process(pid)
        zombie = process.status() == psutil.STATUS_ZOMBIE
        return None if zombie else float(process.create_time())
    except (psutil.Error, ValueError):
        return None


class Claim:
    """The right of one process, or thread, to work on something.

    The lock is the system's, so that it ends with its holder, however that ends, and no clock is
    asked. The file names the holder for people and goes with a release. Where the file system has
    no locks, the name alone counts.

    Args:
        path: The file, in a folder that exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take it; False where somebody else has it.

        Raises:
            OSError: The file cannot be written.
        """
        deadline = time.monotonic() + PATIENCE
        while not self._take():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _take(self) -> bool:
        file = self.path.open("a+", encoding="utf-8", errors="replace")
        try:
            taken = (
                _locked(file, self.path)
                and not _is_held_by_name(self.path)
                and os.path.samestat(os.fstat(file.fileno()), self.path.stat())
            )
        except FileNotFoundError:
            taken = False  # its former holder has just removed it
        except BaseException:
            file.close()
            raise
        if not taken:
            file.close()
            return False
        self._file = file
        try:
            self.note()
        except BaseException:
            self.release()
            raise
        return True

    @contextmanager
    def held(self, refusal: Callable[[object], Exception]) -> Iterator[None]:
        """Hold it meanwhile.

        Args:
            refusal: Makes an error of the holder's process number, raised where another one has it.

        Raises:
            OSError: The file cannot be written.
        """
        if not self.acquire():
            raise refusal(self.holder().get("pid", "unknown"))
        try:
            yield
        finally:
            self.release()

    def note(self, **values: Any) -> None:  # noqa: ANN401 - JSON
        """Say what the holder does; the file keeps its inode, since the lock hangs on it."""
        if self._file is None:
            raise RuntimeError("the claim is not held")
        text = json.dumps({**ProcessId.of().to_json(), "time": time.time(), **values})
        self._file.seek(0)
        self._file.truncate()
        self._file.write(text)
        self._file.flush()

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            with suppress(OSError):
                self.path.unlink()
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what a full disk did not take is written no later
                self._file.close()
            self._file = None

    def is_held(self) -> bool:
        """Whether somebody has it now, this process among them."""
        try:
            with self.path.open(encoding="utf-8") as file:
                return not _locked(file, self.path, shared=True) or _is_held_by_name(self.path)
        except OSError:
            return False

    def holder(self) -> dict[str, Any]:
        """What the present or last holder said; empty where there was none."""
        try:
            content = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _locked(file: IO[str], path: Path, *, shared: bool = False) -> bool:
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            values = Claim(path).holder()
            return not values or not ProcessId.from_json(values).is_alive()
        return False
    return True


def _is_held_by_name(path: Path) -> bool:
    """Whether the claim is one of an earlier version, `pid start`, whose process lives."""
    try:
        number, began = path.read_text(encoding="utf-8").split()
        return ProcessId(int(number), float(began)).is_alive()
    except (OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFields:
    """What a file says of the process of this machine that does the work it is about.

    Attributes:
        pid: Of the process; 0 until it has begun.
        born: Start of the process, as in `ProcessId`; tells it from a later one of this pid.
        boot: As in `ProcessId`.
    """

    pid: int = 0
    born: float = 0.0
    boot: str = ""

    @property
    def process(self) -> ProcessId:
        """Who works, or worked."""
        return ProcessId(self.pid, self.born, boot=self.boot)


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
            cwd=Path(__file__).resolve().parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Waited for, so that no zombie stays while the web server lives.
    threading.Thread(target=process.wait, name=f"wait for {process.pid}", daemon=True).start()
    return process


def end_with_parent() -> None:
    """Let a worker of multiprocessing end when its parent is killed; else it waits for ever."""
    if (parent := parent_process()) is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def last_line(log: Path) -> str:
    """The last thing that processes printed into a log, without "Error:"; empty for nothing."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return lines[-1].strip().removeprefix("Error: ") if lines else ""
