"""Records what is shown, on demand: annotated mp4 and a table, kept for this visit only."""

import logging
import queue
import shutil
import tempfile
import threading
import weakref
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from core import Box, Image
from core.preprocess import Preprocess
from core.types import FrameResult
from core.video import ANNOTATED, TABLE, open_table, open_writer, region_shares

logger = logging.getLogger(__name__)

LONGEST = 600.0  # seconds; a forgotten recording must not fill the disk
_WAITING = 12  # frames; more are left out rather than kept in memory
_SILENCE = 3.0  # seconds without a frame after which the recording ends, for example on STOP
_RATE = 25.0  # frames a second, roughly; each frame has its own time


@dataclass(frozen=True, slots=True)
class Recording:
    """A finished recording.

    Attributes:
        video: Annotated mp4.
        table: CSV, a row a face and frame, which says where scores are relative to a resting face.
        seconds: Its length.
        frames: In it.
        left_out: Frames that came faster than they could be written.
        shape: Of its picture: height and width.
    """

    video: Path
    table: Path
    seconds: float
    frames: int
    left_out: int
    shape: tuple[int, int]


_Item = tuple[Image, FrameResult, float]


class Recorder:
    """Writes one recording in a thread of its own.

    Args:
        labels: Class names, for the table's columns.
        preprocess: What the network's pictures go through, for the shares of the regions.
    """

    def __init__(self, labels: tuple[str, ...], preprocess: Preprocess) -> None:
        self._labels = labels
        self._folder = Path(tempfile.mkdtemp(prefix="recording-"))
        # Files go when nobody can reach this object any more: at the end of the visit.
        self._removal = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._items: queue.Queue[_Item | None] = queue.Queue(_WAITING)
        self._state = _State()
        arguments = (self._items, self._state, self._folder, labels, preprocess)
        # Not a bound method: the thread must not keep this object alive.
        self._thread = threading.Thread(
            target=_write, args=arguments, name="recording", daemon=True
        )
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether frames are still taken."""
        return self._thread.is_alive()

    @property
    def seconds(self) -> float:
        """Recorded so far."""
        return self._state.seconds

    @property
    def broke_off(self) -> bool:
        """Whether it could not be written, as on a full disk; the log says why."""
        return self._state.failed

    def add(self, image: Image, result: FrameResult, moment: float) -> None:
        """Take in a drawn frame; it is left out where the writer lags behind.

        Args:
            image: RGB uint8 (H, W, 3), not to be written to afterwards.
            result: What was found in it.
            moment: Seconds.
        """
        try:
            self._items.put_nowait((image, result, moment))
        except queue.Full:
            self._state.left_out += 1

    def stop(self) -> None:
        """End the recording once what waits is written."""
        while self.running:
            try:
                self._items.put(None, timeout=0.1)
            except queue.Full:
                continue  # the writer is busy, or it broke off and `running` will say so
            self._thread.join()

    def finished(self) -> Recording | None:
        """The files; None while they are written, or where no frame came."""
        state = self._state
        if self.running or not state.frames or state.failed:
            return None
        return Recording(
            self._folder / ANNOTATED,
            self._folder / TABLE,
            state.seconds,
            state.frames,
            state.left_out,
            state.shape,
        )

    def discard(self) -> None:
        """Stop and delete the files."""
        self.stop()
        self._removal()


class _State:
    def __init__(self) -> None:
        self.frames = 0
        self.left_out = 0
        self.seconds = 0.0
        self.failed = False
        self.shape = (0, 0)


def _write(
    items: "queue.Queue[_Item | None]",
    state: _State,
    folder: Path,
    labels: tuple[str, ...],
    preprocess: Preprocess,
) -> None:
    first = _next(items, wait=LONGEST)
    if first is None:
        return
    try:
        _write_all(first, items, state, folder, labels, preprocess)
    except Exception:  # a full disk, for example: the stream goes on
        state.failed = True
        logger.exception("The recording broke off")


def _write_all(
    first: _Item,
    items: "queue.Queue[_Item | None]",
    state: _State,
    folder: Path,
    labels: tuple[str, ...],
    preprocess: Preprocess,
) -> None:
    image, _, start = first
    state.shape = height, width = image.shape[0], image.shape[1]
    item: _Item | None = first
    with (
        open_table(folder / TABLE, labels, resting=True) as table,
        open_writer(folder / ANNOTATED, width, height, _RATE) as (writer, _),
    ):
        while item is not None and state.seconds < LONGEST:
            image, result, moment = item
            state.seconds = moment - start
            if image.shape[:2] != (height, width):
                image, result = _resized(image, width, height), _scaled(result, width, height)
            writer.write(image, state.seconds)
            table.add(state.frames, state.seconds, result, _shares(result, preprocess))
            state.frames += 1
            item = _next(items, wait=_SILENCE)


def _shares(result: FrameResult, preprocess: Preprocess) -> dict[int, dict[str, float] | None]:
    return {
        face.id: region_shares(
            face.face, face.explanation, face.label or face.prediction.predicted, preprocess
        )
        for face in result.faces
        if face.explanation is not None
    }


def _resized(image: Image, width: int, height: int) -> Image:
    """The picture at the recording's size: browsers shrink it while the connection is slow."""
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _scaled(result: FrameResult, width: int, height: int) -> FrameResult:
    """The result with its boxes in the recording's pixels."""
    across, down = width / result.width, height / result.height
    faces = []
    for live in result.faces:
        box = live.box
        moved = Box(
            round(box.left * across),
            round(box.top * down),
            round(box.right * across),
            round(box.bottom * down),
        )
        place = replace(live.face.detection, box=moved)
        faces.append(replace(live, face=replace(live.face, detection=place)))
    return replace(result, width=width, height=height, faces=tuple(faces))


def _next(items: "queue.Queue[_Item | None]", *, wait: float) -> _Item | None:
    try:
        return items.get(timeout=wait)
    except queue.Empty:
        return None
