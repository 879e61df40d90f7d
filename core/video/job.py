"""An analysis in a process of its own, watched through a small file in its result folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from core.drawing import resized
from core.files import replacing, write_json
from core.process import ProcessFields, ProcessId, last_line, start_detached
from core.stored import read_shaped
from core.types import Image
from core.video.analysis import AnalysisSettings
from core.video.protocols import Progress

State = Literal["running", "finished", "stopped", "failed"]

_STATUS, _LOG, _STOP = "job.json", "job.log", "job.stop"
_EVERY = 0.5  # seconds between two notes of progress
_TELLING = 25  # frames from which a pace can be told
_PICTURE, _PICTURE_EVERY, _PICTURE_SIDE = "job.jpg", 1.0, 640  # seconds; its longer side in pixels
_VANISHED = "The analysis ended without a word; the computer may have run out of memory."


@dataclass(frozen=True, slots=True)
class JobStatus(ProcessFields):
    """What is known of an analysis.

    Attributes:
        state: Where it stands.
        reason: Why it failed; empty otherwise.
        video: The file being analysed.
        number: Of that file in a folder, from 1.
        of: Files in all.
        frames: Done in that file.
        expected: Frames in all; None where the file does not say.
        time: Seconds of video done.
        elapsed: Seconds spent.
        pace: Seconds a frame since the first ones were done; 0 before that can be told.
    """

    state: State
    reason: str = ""
    video: str = ""
    number: int = 1
    of: int = 1
    frames: int = 0
    expected: int | None = None
    time: float = 0.0
    elapsed: float = 0.0
    pace: float = 0.0

    @property
    def share(self) -> float | None:
        """Part done, 0 to 1; None where the end is unknown."""
        return min(self.frames / self.expected, 1.0) if self.expected else None


class JobRecord:
    """Written by the process that analyses.

    Args:
        out: The result folder; made where it is missing.
    """

    def __init__(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._path = out / _STATUS
        self._own = ProcessId.of().fields()
        self._noted = 0.0
        self._first: tuple[int, float] | None = None  # frames of this file, and when
        self._last = ("", 0)  # file and frames
        self._forget_picture()
        self._told: dict[str, Any] = {"state": "running"}
        self._write()

    def note(self, video: str, progress: Progress, number: int = 1, of: int = 1) -> None:
        """Keep the progress, at most twice a second.

        Args:
            video: Name of the file.
            progress: In that file.
            number: Of the file in a folder, from 1.
            of: Files in all.
        """
        place = {"video": video, "number": number, "of": of}
        pace = self._told.get("pace", 0.0)
        self._told = {"state": "running", "pace": pace, **place, **asdict(progress)}
        if time.monotonic() - self._noted >= _EVERY:
            self._noted = time.monotonic()
            self._told["pace"] = self._pace(video, progress)
            self._write()

    def _pace(self, video: str, progress: Progress) -> float:
        """Seconds a frame; what comes before the first frame, as loading, counts for none."""
        done, now = progress.frames, time.monotonic()
        if self._first is None or self._last[0] != video or done < self._last[1]:
            self._first = (done, now) if done else None
        self._last = (video, done)
        if self._first is None or done - self._first[0] < _TELLING:
            return 0.0
        return (now - self._first[1]) / (done - self._first[0])

    def show(self, draw: Callable[[], Image]) -> None:
        """Keep a small copy of what is drawn; see `keep_picture`."""
        keep_picture(self._path.parent, draw)

    def _forget_picture(self) -> None:
        with suppress(OSError):  # what ended the analysis is told
            self._path.with_name(_PICTURE).unlink(missing_ok=True)

    def end(self, state: State, reason: str = "") -> None:
        """Keep how it ended."""
        self._forget_picture()
        self._told |= {"state": state, "reason": reason}
        self._write()

    def _write(self) -> None:
        write_json(self._path, {**self._told, **self._own})


def keep_picture(out: Path, draw: Callable[[], Image]) -> None:
    """Keep a small copy of what is drawn for `latest_frame`, at most once a second.

    Args:
        out: The result folder; several processes may share it.
        draw: Gives the frame, RGB uint8 (H, W, 3).
    """
    path = out / _PICTURE
    with suppress(OSError):
        if path.exists() and time.time() - path.stat().st_mtime < _PICTURE_EVERY:
            return
        frame = draw()
        small = resized(frame, min(_PICTURE_SIDE / max(frame.shape), 1.0))
        _, coded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        with replacing(path) as temporary:
            temporary.write_bytes(coded.tobytes())


def read_job(out: Path) -> JobStatus | None:
    """What the result folder says; None where no analysis was begun there.

    A process that is gone without having said how it ended has failed.
    """
    try:
        status = JobStatus(**read_shaped(out / _STATUS, JobStatus))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        return JobStatus("failed", f"Its {_STATUS} cannot be read ({error}).")
    if status.state == "running" and not status.process.is_alive():
        if (out / _STOP).exists():  # it was asked to end before it could answer
            return JobStatus("stopped")
        return JobStatus("failed", last_line(job_log(out)) or _VANISHED)
    return status


def job_log(out: Path) -> Path:
    """The file in a result folder that takes what the process of its analysis prints."""
    return out / _LOG


def latest_frame(out: Path) -> Image | None:
    """What a running analysis drew last, RGB uint8 (H, W, 3); None before the first frame."""
    try:
        coded = np.frombuffer((out / _PICTURE).read_bytes(), np.uint8)
        found = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB)
    except (OSError, cv2.error):
        return None
    return None if found is None else found.astype(np.uint8, copy=False)


def start_job(source: Path, out: Path, options: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
    """Begin `python -m core video` and return at once.

    Args:
        source: The video.
        out: Result folder; made where it is missing.
        options: Further options of the command.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in (_STOP, _PICTURE):
        (out / name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "core", "video", str(source), "--out", str(out), *options]
    process = start_detached(command, job_log(out))
    begun = JobStatus("running", **ProcessId.of(process.pid).fields())
    write_json(out / _STATUS, asdict(begun))
    return process


def command_options(settings: AnalysisSettings, checkpoint: Path) -> list[str]:
    """The options of `python -m core video` that stand for these settings; drawing has none."""
    pipeline = settings.pipeline
    return [
        *("--checkpoint", str(checkpoint)),
        *("--detector", pipeline.detector),
        *("--detect-every", str(pipeline.detect_every)),
        *("--smoothing", str(pipeline.smoothing)),
        *("--label-every", str(pipeline.label_every)),
        *("--max-faces", str(pipeline.max_faces)),
        *("--method", pipeline.method or "none"),
        *("--longest", str(settings.longest)),
        *("--piece", str(settings.piece)),
        "--annotated" if settings.annotated else "--no-annotated",
    ]


def stop_job(out: Path) -> None:
    """Ask the analysis to end; what it did so far is kept."""
    status = read_job(out)
    if status is not None and status.state == "running":
        (out / _STOP).touch()
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(status.pid, signal.SIGTERM)
