"""One frame is analysed at a time, always the newest; nothing waits in a queue."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from core import Image
from core.types import FrameResult

logger = logging.getLogger(__name__)

Analyse = Callable[[Image, float], FrameResult]

_IDLE = 5.0  # seconds without a frame after which the thread ends, so that a dead tab leaves none
# All streams of this process together: more analyses at once than cores only slow each other.
_GATE = threading.BoundedSemaphore(max(os.cpu_count() or 1, 1))


@dataclass(frozen=True, slots=True)
class Analysed:
    """The newest analysis.

    Attributes:
        ticket: Which frame, as `submit` numbered them.
        result: What was found.
    """

    ticket: int
    result: FrameResult


class LatestFrameWorker:
    """A mailbox with one slot and a thread that empties it; knows neither WebRTC nor Streamlit.

    Args:
        analyse: Runs in the worker's thread, never twice at once.
        on_result: Takes each result, in the same thread; must not take long.
    """

    def __init__(self, analyse: Analyse, on_result: Callable[[FrameResult], None]) -> None:
        self._analyse, self._on_result = analyse, on_result
        self._changed = threading.Condition()
        self._waiting: tuple[int, int, Image, float] | None = None
        self._newest: Analysed | None = None
        self._failed = -1
        self._tickets = 0
        self._generation = 0
        self._running = False
        self.replaced = 0
        self.errors = 0

    def submit(self, image: Image, moment: float) -> int:
        """Hand over a frame without waiting; one that still lies there is dropped.

        Args:
            image: RGB uint8 (H, W, 3), not to be written to afterwards.
            moment: Seconds on a clock that does not go back.

        Returns:
            A number for `wait`.
        """
        with self._changed:
            self.replaced += self._waiting is not None
            self._tickets += 1
            self._waiting = (self._generation, self._tickets, image, moment)
            if not self._running:
                self._running = True
                threading.Thread(target=self._work, name="frame analysis", daemon=True).start()
            self._changed.notify_all()
            return self._tickets

    def wait(self, ticket: int, patience: float) -> Analysed | None:
        """The newest analysis; waits a moment for the one of this frame.

        Args:
            ticket: From `submit`.
            patience: Seconds to wait at most.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._done(ticket), patience)
            return self._newest

    def reset(self) -> None:
        """Forget frames, results and counts, also the one being computed now."""
        with self._changed:
            self.replaced = self.errors = 0
            self._generation += 1
            self._waiting = self._newest = None

    def _done(self, ticket: int) -> bool:
        newest = self._newest.ticket if self._newest is not None else -1
        return max(newest, self._failed) >= ticket

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None, _IDLE)
                if self._waiting is None:
                    self._running = False
                    return
                generation, ticket, image, moment = self._waiting
                self._waiting = None
            result = self._analysed(image, moment)
            with self._changed:
                if generation != self._generation:
                    continue  # `reset` was called meanwhile
                if result is None:
                    self._failed = ticket
                else:
                    self._newest = Analysed(ticket, result)
                    self._on_result(result)
                self._changed.notify_all()

    def _analysed(self, image: Image, moment: float) -> FrameResult | None:
        """The result, or None where the frame could not be analysed, which is logged."""
        try:
            with _GATE:
                return self._analyse(image, moment)
        except Exception:  # the stream must outlive one bad frame
            self.errors += 1
            logger.exception("A frame could not be analysed")
            return None
