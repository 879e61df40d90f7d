"""A running app and a real browser, both on this machine only."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.paths import PROJECT_ROOT

STARTED_WITHIN, STOPPED_WITHIN = 90, 20  # seconds
PATIENCE_MS = 120_000  # machines that test may be busy
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
READY = (
    '[data-testid="stApp"][data-test-script-state="notRunning"]'
    '[data-test-connection-state="CONNECTED"]'
)


@dataclass(frozen=True, slots=True)
class Server:
    """A started app.

    Attributes:
        address: Without a slash at the end.
        log: File that takes everything it prints.
    """

    address: str
    log: Path


@pytest.fixture
def serve(tmp_path: Path, own_runs: Path) -> Iterator[Callable[..., Server]]:
    """Start the app on the test's own checkpoints, by this module; it is stopped afterwards."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(module: str = "streamlit") -> Server:
        log = tmp_path / "server.log"
        for _ in range(3):  # the free port may be taken before the app asks for it
            port = _free_port()
            processes.append(_launch(module, port, log))
            if _is_up(port, processes[-1]):
                return Server(f"http://127.0.0.1:{port}", log)
            _stop(processes.pop())
        raise AssertionError(f"The app did not start:\n{log.read_text()}")

    yield start

    for process in processes:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _launch(module: str, port: int, log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", module, "run", "webapp/Home.py"]
    with log.open("ab") as file:  # a pipe that nobody reads would fill up and block the app
        return subprocess.Popen(
            [*command, "--server.port", str(port), "--server.fileWatcherType", "none"],
            cwd=PROJECT_ROOT,
            env=os.environ | {"STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "none"},
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; Playwright's own download is not needed."""
    expect.set_options(timeout=PATIENCE_MS)
    program = shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor's tab that may not leave this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


@pytest.fixture
def foreign_requests(page: Page) -> list[str]:
    """Addresses outside this machine that the tab asked for."""
    found: list[str] = []

    def note(request: Any) -> None:  # noqa: ANN401 - playwright's request
        if not request.url.startswith(("http://127.0.0.1", "data:", "blob:")):
            found.append(request.url)

    page.on("request", note)
    return found


@pytest.fixture
def settled() -> Callable[[Page], None]:
    """Wait until the page's script has run and the server is connected."""

    def wait(page: Page) -> None:
        page.wait_for_timeout(200)  # a rerun that was just asked for begins within this time
        page.wait_for_selector(READY)

    return wait
