"""What was seen a while: answers, the chart of their last minute, rates for the panel."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from core.labels import colour
from core.types import FrameResult, LiveFace
from webapp.svg import INK, embedded

SPAN = 60.0  # seconds shown
_STEP = 0.1  # seconds between points kept; the eye sees no more on a chart a minute wide
_GAP = 0.6  # seconds out of view from which a line is broken
_SPAN = 3.0  # seconds looked back
WIDTH, HEIGHT = 600, 200  # units of the chart, which is scaled to the page
_MARKS = (0, 15, 30, 45, 60)  # seconds ago
_TEXT = "font-size:0.8rem;opacity:0.75"


@dataclass(frozen=True, slots=True)
class FaceHistory:
    """Probabilities of one face over time.

    Attributes:
        id: Of the face.
        times: Seconds, newest last.
        rows: Probabilities at these times; a row of None breaks the line.
    """

    id: int
    times: list[float] = field(default_factory=list)
    rows: list[tuple[float, ...] | None] = field(default_factory=list)


class History:
    """Written by the analysing thread, read by the page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faces: dict[int, deque[tuple[float, tuple[float, ...] | None]]] = {}
        self._newest: FrameResult | None = None

    def add(self, result: FrameResult) -> None:
        """Take in an analysed frame."""
        with self._lock:
            self._newest = result
            for face in result.faces:
                self._add_face(result.time, face)
            for key, points in list(self._faces.items()):
                while points and points[0][0] < result.time - SPAN:
                    points.popleft()
                if not points:
                    del self._faces[key]

    def _add_face(self, time: float, face: LiveFace) -> None:
        points = self._faces.setdefault(face.id, deque())
        if points and time - points[-1][0] < _STEP:
            return
        if points and time - points[-1][0] > _GAP:
            points.append((points[-1][0] + _STEP, None))
        points.append((time, tuple(face.prediction.probabilities.tolist())))

    def newest(self) -> FrameResult | None:
        """The result added last."""
        with self._lock:
            return self._newest

    def of(self, key: int) -> FaceHistory:
        """The last minute of one face, empty where it was not seen."""
        with self._lock:
            points = list(self._faces.get(key, ()))
        return FaceHistory(key, [time for time, _ in points], [row for _, row in points])

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._faces.clear()
            self._newest = None


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


def minute(history: FaceHistory, labels: Sequence[str], now: float) -> str:
    """HTML with an SVG: probabilities of the last minute, newest on the right.

    A chart of plotly takes a browser longer to draw than two updates are apart; this takes none.

    Args:
        history: Of one face.
        labels: Class names, in the order of its rows.
        now: The second at the right edge.
    """
    lines = "".join(
        f'<polyline points="{points}" stroke="{colour(label)}" stroke-width="2"/>'
        for index, label in enumerate(labels)
        for points in _pieces(history, index, now)
    )
    grid = "".join(
        f'<path d="M0 {y}H{WIDTH}" stroke="{INK}" opacity="0.4"/>' for y in (0, HEIGHT // 2, HEIGHT)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -2 {WIDTH} {HEIGHT + 4}" '
        f'fill="none" stroke-linejoin="round">{grid}{lines}</svg>'
    )
    ago = "".join(f"<span>{mark} s</span>" for mark in reversed(_MARKS))
    return (
        '<div class="live-minute"><img decoding="sync" style="width:100%;display:block" '
        f'alt="Probabilities of the last minute" src="{embedded(svg)}"/>'
        f'<div style="display:flex;justify-content:space-between;{_TEXT}">{ago}</div>'
        f'<div style="{_TEXT}">seconds ago; from 0 to 100 %, colours as above</div></div>'
    )


def _pieces(history: FaceHistory, index: int, now: float) -> list[str]:
    """The unbroken stretches of one class's line, each as a list of points."""
    pieces: list[list[str]] = [[]]
    for time, row in zip(history.times, history.rows, strict=True):
        if row is None:
            pieces.append([])
            continue
        x = WIDTH * (1 - (now - time) / SPAN)
        pieces[-1].append(f"{x:.1f},{HEIGHT * (1 - row[index]):.1f}")
    return [" ".join(points) for points in pieces if len(points) > 1]
