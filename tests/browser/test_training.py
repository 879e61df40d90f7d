"""A run in a real browser: begun in the form, its curve seen, found again, and stopped."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from few_drawings import prepare_few
from playwright.sync_api import Page, expect

from core.training import RunFolder, WorkerLock, list_jobs, observe, request_stop, stop_worker

CURVE_WITHIN = 3.0  # seconds from an epoch's end to the page
POLL = 0.05
TRIES = 4  # a machine that tests is busy at times
QUIET_MS = 1000  # in which an answer under way arrives

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with the prepared demo, for this test and the app it starts."""
    root = tmp_path / "data"
    prepare_few(root / "demo")
    monkeypatch.setenv("GIMEFIVE_DATA", str(root))
    return root


@pytest.fixture
def runs(own_runs: Path) -> Iterator[Path]:
    """The run root; whatever trains in it is stopped afterwards."""
    yield own_runs
    stop_worker(own_runs)
    for job in list_jobs(own_runs):
        if observe(job).is_active:
            request_stop(job)
    until("the worker's end", lambda: not WorkerLock(own_runs).is_held())
    until(
        "the end of all runs",
        lambda: not any(observe(job).state == "running" for job in list_jobs(own_runs)),
    )


def until(what: str, true: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"Waited {seconds:g} s in vain for {what}."
        time.sleep(POLL)


def fill(page: Page, values: dict[str, str], settled: Callable[[Page], None]) -> None:
    """Fill the fields of these labels, and again those that a busy server's late answer reset."""
    for _ in range(TRIES):
        for label, value in values.items():
            field = page.get_by_label(label, exact=True)
            if field.input_value() != value:
                field.fill(value)
                field.press("Enter")
                settled(page)
        page.wait_for_timeout(QUIET_MS)
        settled(page)
        found = {label: page.get_by_label(label, exact=True).input_value() for label in values}
        if found == values:
            return
    raise AssertionError(f"Filled {TRIES} times with {values}, the form shows {found}.")


def start_run(
    page: Page, address: str, name: str, epochs: str, settled: Callable[[Page], None]
) -> None:
    """Begin a run of a network that is small enough for any machine."""
    page.goto(f"{address}/training")
    expect(page.get_by_role("heading", name="Training")).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()  # its last part
    settled(page)
    for group in ("Network", "Learning"):
        page.locator("summary", has_text=group).click()
    values = {"Convolution blocks": "2", "Channels of the first": "4", "Epochs": epochs}
    fill(page, {**values, "Name of the run": name}, settled)
    page.get_by_role("button", name="Start", exact=True).click()


def shown_epochs(page: Page) -> int:
    text = page.get_by_test_id("stMetricValue").first.inner_text()
    return int(text.split(" of ")[0])


def seconds_to_page(page: Page, folder: RunFolder) -> float:
    """Seconds from the next epoch's end to the page; a busy moment makes it long."""
    done = len(list(folder.history()))
    until("the next epoch", lambda: len(list(folder.history())) > done)
    ended = time.monotonic()
    until("the page to show the epoch", lambda: shown_epochs(page) > done, seconds=60)
    return time.monotonic() - ended


def test_a_run_of_two_epochs_is_started_seen_and_found_after_a_reload(
    drawings: Path,
    runs: Path,
    serve: Callable[[], Any],
    page: Page,
    foreign_requests: list[str],
    settled: Callable[[Page], None],
) -> None:
    server = serve()
    start_run(page, server.address, "two", "2", settled)

    expect(page.get_by_test_id("stMetricValue").first).to_have_text("2 of 2")
    curve = page.locator(".js-plotly-plot .scatterlayer .js-line").first
    expect(curve).to_be_attached()
    lines = list(RunFolder(runs / "two").history())
    assert [line["epoch"] for line in lines] == [1, 2]

    page.reload()

    expect(page.get_by_test_id("stMetricValue").first).to_have_text("2 of 2")
    expect(page.locator(".stMarkdownBadge", has_text="finished").first).to_be_visible()
    assert "run=two" in page.url
    assert foreign_requests == []
    assert "Traceback" not in server.log.read_text()


def test_curves_follow_an_epoch_and_a_killed_server_finds_the_run_again(
    drawings: Path,
    runs: Path,
    serve: Callable[[], Any],
    page: Page,
    settled: Callable[[Page], None],
) -> None:
    server = serve()
    start_run(page, server.address, "long", "10000", settled)
    folder = RunFolder(runs / "long")
    until("the first epoch", lambda: len(list(folder.history())) >= 1)
    expect(page.locator(".js-plotly-plot .scatterlayer .js-line").first).to_be_attached()

    assert any(seconds_to_page(page, folder) < CURVE_WITHIN for _ in range(TRIES))

    trainer = observe(folder).process
    killed = next(one for one in psutil.Process().children() if _is_server(one))
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(30)
    second = serve()
    page.goto(f"{second.address}/training")
    expect(page.locator(".stMarkdownBadge", has_text="running").first).to_be_visible()
    assert observe(folder).process == trainer
    assert shown_epochs(page) > 1

    main = page.get_by_test_id("stMainBlockContainer")  # the header has a Stop of its own
    main.get_by_role("button", name="Stop", exact=True).click()
    until(
        "the run to stop",
        lambda: not folder.stop_request.exists() and observe(folder).state == "stopped",
    )
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()
    assert folder.last.exists()


def _is_server(process: psutil.Process) -> bool:
    try:
        return "streamlit" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it ended since it was listed, or just now
        return False
