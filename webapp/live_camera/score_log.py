"""The scores of a stream over time, with the visitor's marks: numbers only, kept in memory."""

import io
import threading
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from core.drawing import UNCLEAR
from core.tabular import CsvWriter
from core.types import FrameResult

MOST_ROWS = 100_000  # over an hour of one face; 8 MB a visit
LONGEST_STEP = 0.6  # seconds for which a row speaks; afterwards the face was out of view
PAUSE = 2.0  # seconds without a frame from which the camera did not run
NOBODY = -1
_LEAD = 4  # numbers of a row before its scores: seconds, face, label, whether relative


@dataclass(frozen=True, slots=True)
class Event:
    """A mark of the visitor's: its name, and its seconds since the first frame."""

    time: float
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class FaceScores:
    """What was seen of one face.

    Attributes:
        id: Of the face; it says where a face went, not who it is.
        times: float64 (T,), seconds since the first frame of the log.
        shares: float64 (T, K), scores as they were shown, 0 to 1.
        named: int64 (T,), index of the label shown, K for unclear.
        relative: bool (T,), whether the scores are relative to a resting face.
    """

    id: int
    times: NDArray[np.float64]
    shares: NDArray[np.float64]
    named: NDArray[np.int64]
    relative: NDArray[np.bool_]

    def lasting(self) -> NDArray[np.float64]:
        """Seconds that each row stands for, float64 (T,): until the next, LONGEST_STEP at most."""
        steps = np.diff(self.times, append=self.times[-1:])
        return np.minimum(steps, LONGEST_STEP)

    def drawn(self, most: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times float64 (P,) and shares (P, K) for lines of `most` points.

        A row of NaN breaks the lines where the face was away; rows between points are left out.
        """
        picked = np.unique(np.linspace(0, len(self.times) - 1, most).astype(np.int64))
        gaps = np.flatnonzero(np.diff(self.times) > LONGEST_STEP) + 1
        picked = np.union1d(picked, np.concatenate([gaps, gaps - 1]))
        times, shares = self.times[picked], self.shares[picked]
        ends = np.searchsorted(picked, gaps)
        return np.insert(times, ends, times[ends - 1]), np.insert(shares, ends, np.nan, axis=0)

    def time_shares(self) -> NDArray[np.float64]:
        """Share of its time in view under each label, float64 (K + 1,); the last is unclear."""
        weights = self.lasting()
        if not weights.any():
            weights = np.ones(len(self.times))
        found = np.bincount(self.named, weights, minlength=self.shares.shape[1] + 1)
        return np.asarray(found / weights.sum(), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a log held at a moment.

    Attributes:
        labels: Class names.
        began: Of the first frame, seconds since the epoch.
        rows: float64 (N, 4 + K): seconds since then, face (NOBODY for an empty frame), index of the
            label shown (K for unclear), 1 where scores are relative to a resting face; then scores.
        events: In the order of their times.
        is_full: Whether later rows were left out.
    """

    labels: tuple[str, ...]
    began: float
    rows: NDArray[np.float64]
    events: tuple[Event, ...]
    is_full: bool

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return float(self.rows[-1, 0]) if len(self.rows) else 0.0

    @property
    def watched(self) -> float:
        """Seconds that the camera ran: without the pauses between STOP and START."""
        steps = np.diff(self.rows[:, 0])
        return float(steps[steps <= PAUSE].sum())

    def faces(self) -> list[FaceScores]:
        """Every face, those in view longest first."""
        found = []
        for key in np.unique(self.rows[:, 1]):
            own = self.rows[self.rows[:, 1] == key]
            if key != NOBODY:
                named, relative = own[:, 2].astype(np.int64), own[:, 3] == 1
                found.append(FaceScores(int(key), own[:, 0], own[:, _LEAD:], named, relative))
        return sorted(found, key=lambda face: -len(face.times))

    def csv(self) -> str:
        """A row a face and frame, and one for each event, in the order of time.

        Columns: time (seconds since the first frame), clock (UTC), face, a score a class, label,
        relative (1 where the scores are relative to a resting face), event.
        """
        text = io.StringIO()
        writer = CsvWriter(text)
        writer.writerow(["time", "clock", "face", *self.labels, "label", "relative", "event"])
        writer.writerows(cells for _, cells in sorted(self._lines(), key=lambda line: line[0]))
        return text.getvalue()

    def _lines(self) -> Iterator[tuple[float, list[str]]]:
        names, empty = (*self.labels, UNCLEAR), [""] * (len(self.labels) + 2)
        for event in self.events:
            yield event.time, [*self._moment(event.time), "", *empty, event.name]
        for row in self.rows:
            cells = [*self._moment(row[0]), "", *empty, ""]
            if row[1] != NOBODY:
                scores = [f"{share:.6f}" for share in row[_LEAD:]]
                cells[2:-1] = [str(int(row[1])), *scores, names[int(row[2])], str(int(row[3]))]
            yield float(row[0]), cells

    def _moment(self, seconds: float) -> tuple[str, str]:
        clock = datetime.fromtimestamp(self.began + seconds, UTC)
        return f"{seconds:.3f}", clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ScoreLog:
    """Written by the analysing thread, marked and read by the page.

    Args:
        labels: Class names.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything; the next frame begins anew."""
        with self._lock:
            self._rows = array("d")
            self._events: list[Event] = []
            self._start = self._began = 0.0
            self._is_full = False

    def add(self, result: FrameResult) -> None:
        """Take in an analysed frame, whose time is one of `time.monotonic`."""
        empty = (NOBODY, 0.0, 0.0, *([0.0] * len(self._labels)))
        with self._lock:
            width = _LEAD + len(self._labels)
            if len(self._rows) >= MOST_ROWS * width:
                self._is_full = True
                return
            if not self._rows:
                self._start = result.time
                self._began = time.time() - (time.monotonic() - result.time)
            moment = result.time - self._start
            if not result.faces:
                self._rows.extend((moment, *empty))
            for face in result.faces:
                label = face.label
                named = len(self._labels) if label is None else self._labels.index(label)
                scores = face.prediction.probabilities.tolist()
                self._rows.extend((moment, face.id, named, face.resting == 1, *scores))

    def mark(self, name: str) -> None:
        """Note that something happens now; nothing before the first frame."""
        moment = time.monotonic()
        with self._lock:
            if self._rows:
                self._events.append(Event(moment - self._start, name))

    @property
    def is_empty(self) -> bool:
        """Whether no frame has come."""
        return not self._rows

    def scores(self) -> Scores:
        """What is in it now."""
        with self._lock:
            rows = np.array(self._rows).reshape(-1, _LEAD + len(self._labels))
            return Scores(self._labels, self._began, rows, tuple(self._events), self._is_full)

    def marks(self) -> tuple[Event, ...]:
        """The events so far."""
        with self._lock:
            return tuple(self._events)
