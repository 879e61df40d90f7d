"""The app as a process of its own, on this machine only."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.paths import PROJECT_ROOT

STARTED_WITHIN, STOPPED_WITHIN = 90, 20  # seconds


@dataclass(frozen=True, slots=True)
class Server:
    """A started app.

    Attributes:
        port: That it listens on.
        log: File that takes everything it prints.
        process: Its number.
    """

    port: int
    log: Path
    process: int

    @property
    def address(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def started(log: Path, module: str = "streamlit", **environment: str) -> Iterator[Server]:
    """Start the app by this module; it is stopped afterwards.

    Args:
        log: File that takes everything it prints.
        module: `streamlit`, or one that starts it otherwise.
        environment: What the app is told beyond this process's environment.

    Raises:
        AssertionError: It does not start.
    """
    for _ in range(3):  # the free port may be taken before the app asks for it
        port = _free_port()
        process = _launch(module, port, log, environment)
        try:
            if _is_up(port, process):
                yield Server(port, log, process.pid)
                return
        finally:
            _stop(process)
    raise AssertionError(f"The app did not start:\n{log.read_text()}")


def written(*folders: Path) -> list[tuple[str, int, int]]:
    """Every file below with its size and the time of its last change."""
    found = [path for folder in folders for path in sorted(folder.rglob("*"))]
    return [(str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in found]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _launch(
    module: str, port: int, log: Path, environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", module, "run", "webapp/Home.py"]
    with log.open("ab") as file:  # a pipe that nobody reads would fill up and block the app
        return subprocess.Popen(
            [*command, "--server.port", str(port), "--server.fileWatcherType", "none"],
            cwd=PROJECT_ROOT,
            env=os.environ | {"STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "none"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def _is_up(port: int, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
                return bool(answer.read() == b"ok")
        except OSError:
            time.sleep(0.1)
    return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
