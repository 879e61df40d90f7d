"""The last minute of every face in view."""

import threading
from collections import deque
from dataclasses import dataclass, field

from core.types import FrameResult, LiveFace

SPAN = 60.0  # seconds shown
_STEP = 0.1  # seconds between points kept; the eye sees no more on a chart a minute wide
_GAP = 0.6  # seconds out of view from which a line is broken


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
