"""A running app and a real browser, both on this machine only."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from app_server import Server, started
from playwright.sync_api import Browser, Page, expect, sync_playwright

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


@pytest.fixture
def serve(tmp_path: Path, own_runs: Path) -> Iterator[Callable[..., Server]]:
    """Start the app on the test's own checkpoints, by this module; it is stopped afterwards."""
    with ExitStack() as stack:
        yield lambda module="streamlit": stack.enter_context(
            started(tmp_path / "server.log", module)
        )


@pytest.fixture(scope="session")
def serve_shared() -> Callable[..., AbstractContextManager[Server]]:
    """Start the app once for several tests: `started`, for fixtures of a module."""
    return started


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
