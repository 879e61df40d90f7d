import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from core import Image
from core.types import FrameResult
from webapp.live_camera.worker import LatestFrameWorker


def picture(number: int) -> Image:
    return np.full((2, 2, 3), number, np.uint8)


class Analysis:
    """Takes as long as the test lets it, and remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.begun = threading.Semaphore(0)
        self.allowed = threading.Semaphore(0)
        self.broken: set[int] = set()
        self.results: list[FrameResult] = []
        self.threads: list[threading.Thread] = []

    def __call__(self, image: Image, moment: float) -> FrameResult:
        number = int(image[0, 0, 0])
        self.seen.append(number)
        self.threads.append(threading.current_thread())
        self.begun.release()
        assert self.allowed.acquire(timeout=10)
        if number in self.broken:
            raise ValueError("this frame is broken")
        return FrameResult(moment, 2, 2)

    def worker(self) -> LatestFrameWorker:
        return LatestFrameWorker(self, self.results.append)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_only_the_newest_frame_waits() -> None:
    analysis = Analysis()
    worker = analysis.worker()
    worker.submit(picture(1), 1.0)
    assert analysis.begun.acquire(timeout=10)

    for number in range(2, 10):
        last = worker.submit(picture(number), float(number))
    analysis.allowed.release(2)
    newest = worker.wait(last, 10)

    assert analysis.seen == [1, 9]
    assert worker.replaced == 7
    assert newest is not None
    assert newest.result.time == 9.0
    assert [result.time for result in analysis.results] == [1.0, 9.0]


def test_submitting_never_waits_for_the_analysis() -> None:
    analysis = Analysis()
    worker = analysis.worker()

    start = time.monotonic()
    tickets = [worker.submit(picture(number), 0.0) for number in range(200)]
    spent = time.monotonic() - start
    analysis.allowed.release(2)
    worker.wait(tickets[-1], 10)

    assert spent < 1


def test_an_impatient_caller_gets_the_newest_there_is() -> None:
    analysis = Analysis()
    worker = analysis.worker()
    analysis.allowed.release()
    first = worker.wait(worker.submit(picture(1), 1.0), 10)

    second = worker.wait(worker.submit(picture(2), 2.0), 0.01)
    analysis.allowed.release()

    assert first is not None
    assert second is not None
    assert first.ticket == second.ticket == 1


@pytest.mark.usefixtures("caplog")
def test_a_frame_that_breaks_is_logged_and_the_next_is_analysed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    analysis = Analysis()
    analysis.broken = {1}
    worker = analysis.worker()
    analysis.allowed.release(2)

    broken = worker.wait(worker.submit(picture(1), 1.0), 10)
    sound = worker.wait(worker.submit(picture(2), 2.0), 10)

    assert broken is None
    assert sound is not None
    assert worker.errors == 1
    assert "this frame is broken" in caplog.text


def test_a_reset_drops_the_result_that_comes_late() -> None:
    analysis = Analysis()
    worker = analysis.worker()
    worker.submit(picture(1), 1.0)
    assert analysis.begun.acquire(timeout=10)

    worker.reset()
    analysis.allowed.release(2)
    newest = worker.wait(worker.submit(picture(2), 2.0), 10)

    assert newest is not None
    assert newest.result.time == 2.0
    assert [result.time for result in analysis.results] == [2.0]


def test_the_thread_ends_when_no_frame_comes_and_begins_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webapp.live_camera.worker._IDLE", 0.05)
    analysis = Analysis()
    analysis.allowed.release(2)
    worker = analysis.worker()
    worker.wait(worker.submit(picture(1), 1.0), 10)

    until(lambda: not analysis.threads[0].is_alive())
    again = worker.wait(worker.submit(picture(2), 2.0), 10)

    assert again is not None
    assert again.result.time == 2.0
    assert analysis.threads[1] is not analysis.threads[0]
