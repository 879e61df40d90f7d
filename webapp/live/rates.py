"""How the stream is doing: frames a second, delay, frames left out."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

_SPAN = 3.0  # seconds looked back


@dataclass(frozen=True, slots=True)
class StreamNumbers:
    """Measured over the last seconds.

    Attributes:
        frames_per_second: Sent back to the browser.
        analysed_per_second: Of these, drawn from a new analysis.
        latency: Seconds a frame spends in this app, median; the network comes on top.
        dropped: Frames left out since the stream began, so that none comes late.
        frames: Received since the stream began.
        errors: Frames that could not be analysed since the stream began.
    """

    frames_per_second: float = 0.0
    analysed_per_second: float = 0.0
    latency: float = 0.0
    dropped: int = 0
    frames: int = 0
    errors: int = 0


class Rates:
    """Counts frames; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._sent: deque[tuple[float, float, bool]] = deque()
            self._frames = self._dropped = 0

    def came(self, frames: int) -> None:
        """Note frames that arrived together; all but the newest are left out."""
        with self._lock:
            self._frames += frames
            self._dropped += frames - 1

    def went(self, now: float, seconds: float, *, fresh: bool) -> None:
        """Note a frame sent back.

        Args:
            now: Seconds.
            seconds: It spent here.
            fresh: Whether it shows an analysis not shown before.
        """
        with self._lock:
            self._sent.append((now, seconds, fresh))
            while self._sent and self._sent[0][0] < now - _SPAN:
                self._sent.popleft()

    def numbers(self, now: float, *, replaced: int = 0, errors: int = 0) -> StreamNumbers:
        """What to show.

        Args:
            now: Seconds; a stream that stopped falls to 0.
            replaced: Frames dropped elsewhere.
            errors: Frames that failed.
        """
        with self._lock:
            late = [entry for entry in self._sent if entry[0] >= now - _SPAN]
            frames, dropped = self._frames, self._dropped
        if len(late) < 2:
            return StreamNumbers(frames=frames, dropped=dropped + replaced, errors=errors)
        span = max(now - late[0][0], 0.5)
        return StreamNumbers(
            frames_per_second=len(late) / span,
            analysed_per_second=sum(entry[2] for entry in late) / span,
            latency=float(np.median([entry[1] for entry in late])),
            dropped=dropped + replaced,
            frames=frames,
            errors=errors,
        )
