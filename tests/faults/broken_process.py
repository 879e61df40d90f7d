"""A forked process whose file operations are counted, and broken from one of them on."""

import errno
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["kill", "full", "read-only"]
KINDS: tuple[Kind, ...] = ("kill", "full", "read-only")
LIMIT = 120.0  # seconds a process may take
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate")


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (minus the signal), and what it said."""

    code: int
    said: str
    value: Any = None

    @property
    def fault(self) -> str:
        """What a user would not want to see; "" for nothing."""
        if "Traceback" in self.said:
            return "a traceback: " + self.said.strip().splitlines()[-1][:200]
        if self.code < 0:
            return f"signal {-self.code}"
        if self.code == 1 and "Error: " not in self.said:
            return "exit code 1 without a sentence"
        return "" if self.code in (0, 1) else f"exit code {self.code}: {self.said[-200:]}"


class Meddler:
    """Counts the file operations of this process below folders, and breaks one.

    Args:
        roots: The folders.
        kind: What happens.
        at: At which operation, from 1; 0 only counts.
    """

    def __init__(self, roots: tuple[Path, ...], kind: Kind, at: int) -> None:
        self.roots = tuple(f"{root}{os.sep}" for root in roots)
        self.kind, self.at = kind, at
        self.count, self.owner = 0, os.getpid()
        flush = os.fsync

        def counted(handle: Any) -> None:  # noqa: ANN401 - a number or a file
            self.hit("a flush")
            flush(handle)

        os.fsync = counted  # type: ignore[assignment]  # its parameter has another name
        sys.addaudithook(self.audit)

    def audit(self, event: str, given: tuple[Any, ...]) -> None:
        """Told by Python before each operation."""
        if event == "open":
            writes = isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not writes:
                return
        elif event not in CHANGES:
            return
        with suppress(TypeError):
            path = os.fsdecode(given[0])
            if os.path.abspath(path).startswith(self.roots):  # noqa: PTH100 - no file is asked
                self.hit(path)

    def hit(self, path: str) -> None:
        """One operation."""
        if os.getpid() != self.owner:
            return
        self.count += 1
        if not self.at or self.count < self.at:
            return
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.kind == "read-only":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        else:  # no file can grow any more, whoever writes into it
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def in_child(work: Callable[[], Any]) -> Ended:
    """Do something in a forked process; what it returns comes back as JSON in `value`."""
    said_out, said_in = os.pipe()
    value_out, value_in = os.pipe()
    process = os.fork()
    if process == 0:
        os.setsid()
        os.dup2(said_in, 1)
        os.dup2(said_in, 2)
        for one in (said_out, value_out):
            os.close(one)
        code = 1
        try:
            value = work()
            os.write(value_in, json.dumps(value).encode())
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:  # noqa: BLE001 - whatever it is, the process ends here
            traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    for one in (said_in, value_in):
        os.close(one)
    texts = _read({said_out: b"", value_out: b""}, process)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    value = json.loads(texts[value_out]) if code == 0 and texts[value_out] else None
    return Ended(code, texts[said_out].decode(errors="replace"), value)


def _read(texts: dict[int, bytes], process: int) -> dict[int, bytes]:
    """All that comes through pipes until they are closed; the process is ended after LIMIT."""
    waiting, deadline = set(texts), time.monotonic() + LIMIT
    while waiting:
        ready, _, _ = select.select(list(waiting), [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(process, signal.SIGKILL)
            texts[min(texts)] += b"Traceback: not done in time"
            deadline += LIMIT
        for one in ready:
            part = os.read(one, 65536)
            texts[one] += part
            if not part:
                waiting.remove(one)
                os.close(one)
    return texts
