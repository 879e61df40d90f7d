"""Films on all cores or machines: each piece is analysed by whoever takes its number.

What they give lies where `analyse_video` looks for it, which then has only to join it.
"""

import multiprocessing
import os
import shutil
import signal
import time as clock
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from threading import Event, Thread

from core.errors import CoreError
from core.files import path_of, path_text, read_object, write_json
from core.video.analysis import AnalysisSettings, analyse_span
from core.video.job import keep_picture
from core.video.pieces import (
    ENDS,
    cut,
    finished_before,
    origin,
    origin_of,
    piece_folder,
)
from core.video.pipeline import CoreFaceFinder
from core.video.protocols import WHOLE, FrameModel, Progress, Span
from core.video.reader import VideoReader
from core.video.table import leave_others_alone

WORK = ".work"  # folder below the results, there while pieces are being done
_JOBS, _STOP = "jobs.json", "stop"
_EVERY = 0.5  # seconds between two looks at how far all are

Load = Callable[..., FrameModel]  # takes a checkpoint's folder, and `threads`
Do = Callable[..., object]  # takes a number, and `threads`
WORTH = 1_500  # frames; fewer are nearly done before other processes have started
_PER_CORE = 0.6


@dataclass(frozen=True, slots=True)
class FilmWork:
    """What any process needs to analyse a piece by its number.

    Attributes:
        out: Folder of all results.
        checkpoint: The network's folder.
        settings: What is done with each film.
        load: Gives the network.
    """

    out: Path
    checkpoint: Path
    settings: AnalysisSettings
    load: Load

    def __call__(self, number: int, *, threads: int = 0) -> None:
        """Analyse a piece. A film that cannot be read is left to `analyse_video`, which says so.

        Args:
            number: Of the piece.
            threads: Threads the network may use; 0 for one a core.
        """
        if multiprocessing.parent_process() is not None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever began this asks it to end
        work = self.out / WORK
        if (work / _STOP).exists():
            return
        listed = work / _JOBS
        source, place, span = _jobs(listed, listed.stat().st_mtime_ns)[number]
        told = clock.monotonic()

        def tell(progress: Progress) -> None:
            nonlocal told
            if clock.monotonic() - told >= _EVERY:
                told = clock.monotonic()
                write_json(work / f"{number}.json", {"frames": progress.frames})

        try:
            made_of = origin_of(span, origin(source, self.checkpoint))
            report = analyse_span(
                source,
                place,
                _network(self.load, self.checkpoint, threads),
                CoreFaceFinder(),
                self.settings,
                span,
                made_of=made_of,
                on_progress=tell,
                on_frame=lambda draw: keep_picture(self.out, draw),
                stopped=(work / _STOP).exists,
                earlier=finished_before(place, self.settings, made_of, ENDS),
            )
        except CoreError:
            return
        write_json(work / f"{number}.json", {"frames": report["frames"]})


@lru_cache(maxsize=1)
def _network(load: Load, checkpoint: Path, threads: int) -> FrameModel:
    return load(checkpoint, threads=threads)


@lru_cache(maxsize=1)
def _jobs(path: Path, written: int) -> list[tuple[Path, Path, Span]]:
    """Film, place and part of every piece, as the file says that was written at that time."""
    found = read_object(path)["jobs"]
    return [(path_of(film), path_of(place), Span(*span)) for film, place, span in found]


def own_processes() -> int:
    """Films or pieces that this machine does at once where nobody says how many.

    The steps of one overlap, but wait for each other: on two cores one keeps 1.7 busy, two all.
    """
    return ceil(_PER_CORE * (os.cpu_count() or 1))


def spread(
    films: Iterable[tuple[Path, Path]],
    task: FilmWork,
    work: Callable[[Do, Sequence[int]], Iterator[int]],
    *,
    least: int = 1,
    worth: int = 0,
    on_progress: Callable[[Progress], None],
    stopped: Callable[[], bool],
) -> set[Path]:
    """Have the pieces of films done that are not done yet; `analyse_video` then joins them.

    Args:
        films: Each film, and the folder for its results.
        task: What is done with each.
        work: Takes the task and numbers, has each done, and gives those that are.
        least: Fewer pieces than this are left to be done.
        worth: Fewer frames than this, too.
        on_progress: Called twice a second with the frames of all together.
        stopped: Asked as often; once it says yes, pieces in progress are broken off.

    Returns:
        The films of which something was done.
    """
    jobs, expected = _planned(films, task, stopped)
    if len(jobs) < max(least, 1) or expected < worth:
        return set()
    folder = task.out / WORK
    shutil.rmtree(folder, ignore_errors=True)  # of a call that was killed
    folder.mkdir(parents=True)
    described = [
        (path_text(film), path_text(place), [*asdict(span).values()]) for film, place, span in jobs
    ]
    write_json(folder / _JOBS, {"jobs": described})
    started = clock.monotonic()

    def look() -> None:
        with suppress(OSError):  # of a full disk, too, a request to end must get through
            if stopped():
                (folder / _STOP).touch()
            told = (read_object(folder / f"{number}.json") for number in range(len(jobs)))
            frames = sum(one.get("frames", 0) for one in told)
            on_progress(Progress(frames, expected, 0.0, clock.monotonic() - started))

    try:
        with _repeated(look):
            for _ in work(task, range(len(jobs))):
                pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {film for film, _, _ in jobs}


def _planned(
    films: Iterable[tuple[Path, Path]], task: FilmWork, stopped: Callable[[], bool]
) -> tuple[list[tuple[Path, Path, Span]], int]:
    """The pieces that are still to be done, and how many frames they have, roughly."""
    jobs, frames = [], 0.0
    for source, out in films:
        made_of = origin(source, task.checkpoint)
        if finished_before(out, task.settings, made_of) is not None:
            continue
        if stopped():
            return [], 0
        try:
            leave_others_alone(source, out, annotated=task.settings.annotated)
            spans = cut(source, task.settings)
            with VideoReader(source) as video:
                info = video.info
        except CoreError:
            continue
        for number, span in enumerate(spans):
            place = out if span == WHOLE else piece_folder(out, number)
            if finished_before(place, task.settings, origin_of(span, made_of)) is None:
                jobs.append((source, place, span))
                frames += ((span.end or info.duration or 0.0) - span.start) * info.rate
    return jobs, round(frames)


@contextmanager
def _repeated(look: Callable[[], None]) -> Iterator[None]:
    """Call it again and again beside the block, and once at its end."""
    over = Event()

    def again() -> None:
        while not over.wait(_EVERY):
            look()

    thread = Thread(target=again, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    look()
