"""A video file, or a part of it, in; an annotated video, a table and a summary out."""

import time as clock
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from core.drawing import Style, annotate_frame
from core.errors import ConfigError, VideoError
from core.files import read_object, readable, write_json
from core.types import FINE_CELLS, FrameResult, Image
from core.video.answers import Seen
from core.video.overlap import ahead, behind
from core.video.pipeline import Pipeline, PipelineSettings
from core.video.protocols import WHOLE, FaceFinder, FrameModel, Progress, Span, VideoFrame
from core.video.reader import LONGEST, VideoReader
from core.video.table import (
    ANNOTATED,
    SUMMARY,
    TABLE,
    FaceTable,
    Summary,
    conclude,
    open_table,
    region_shares,
)
from core.video.writer import SoundPacket, SoundTrack, VideoWriter, open_writer

COARSE_NOTE = (
    "The maps have {cells} cells, in which neighbouring parts of a face share a cell: read region "
    "shares as rough."
)
DAMAGED_NOTE = "{damaged} damaged pieces of the file were passed over."
FILLED_NOTE = (
    "Frames in which the decoder filled in damaged parts: {filled:,}; those after them may carry "
    "the damage on."
)
BLANK_NOTE = (
    "In {blank:,} of {maps:,} maps nothing speaks for the expression named: they are blank. "
    "Another method may still find some evidence."
)
AGAINST_NOTE = (
    "In {against:,} of {maps:,} maps nothing speaks for the expression named: they show what "
    "speaks against it."
)
SHORTEST_PIECE = 1.0  # seconds
SMALLEST = 64  # pixels of the longer side
TOGETHER = 8  # frames whose faces the network sees at once


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """What is done with a video file.

    Attributes:
        pipeline: How faces are found and named.
        drawing: What the annotated video shows.
        longest: Larger frames are shrunk to this longer side, in pixels.
        annotated: Whether an annotated video is written.
        piece: Seconds of the pieces into which a film of at least two of them is cut; 0 for none.
    """

    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    drawing: Style = field(default_factory=Style)
    longest: int = LONGEST
    annotated: bool = True
    piece: float = 300.0

    def __post_init__(self) -> None:
        if self.piece != 0 and not self.piece >= SHORTEST_PIECE:
            raise ConfigError(
                f"Pieces of {self.piece:g} s are asked for; expected at least "
                f"{SHORTEST_PIECE:g} s, or 0 for a film in one go."
            )
        if self.longest < SMALLEST:
            raise ConfigError(
                f"Frames are to be shrunk to {self.longest} pixels; expected at least {SMALLEST}."
            )


class _LessThanBefore(Exception):  # noqa: N818 - not an error
    """What is being written is not to replace what is there."""


def analyse_span(
    source: Path,
    out: Path,
    model: FrameModel,
    finder: FaceFinder,
    settings: AnalysisSettings,
    span: Span = WHOLE,
    *,
    made_of: Mapping[str, Any],
    on_progress: Callable[[Progress], None],
    on_frame: Callable[[Callable[[], Image]], None],
    stopped: Callable[[], bool],
    earlier: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Analyse a film, or a part of it.

    A part has no sound, its annotated copy begins at its own start, and its summary holds as "part"
    what `core.video.pieces` needs to join it to others.

    Args:
        source: The video.
        out: Folder for the results; made where it is missing.
        model: Answers and explains.
        finder: Finds faces.
        settings: What to do.
        span: The part.
        made_of: Kept in the summary as "origin".
        on_progress: Called after every frame.
        on_frame: Called after every frame with a function that draws it.
        stopped: Asked before every frame.
        earlier: Summary of the same, whose files are there; they stay if this one is stopped
            before it has come as far.

    Returns:
        The content of `summary.json`.
    """
    began, started = clock.time(), clock.perf_counter()

    def goes_on(frame: VideoFrame) -> bool:
        if frame.number >= 0:
            elapsed = clock.perf_counter() - started
            on_progress(Progress(frame.number + 1, video.info.frames, frame.time, elapsed))
        return not stopped()

    with VideoReader(source, longest=settings.longest) as video:
        out.mkdir(parents=True, exist_ok=True)
        run, status = None, ""
        try:
            with (
                _annotating(out / ANNOTATED, video, span, wanted=settings.annotated) as written,
                open_table(out / TABLE, model.labels) as table,
            ):
                run = _Run(model, finder, settings, span, table, *written, on_frame)
                status = "finished" if run.take(video, goes_on) else "stopped"
                if earlier and status == "stopped" and (run.time or 0.0) < earlier["seconds"]:
                    raise _LessThanBefore
                if earlier is None:
                    drop(out)
        except _LessThanBefore:
            return dict(earlier or {})
        except VideoError:
            if span == WHOLE or run is None or run.time is not None or not status:
                raise  # else a part without a frame, which has no annotated copy
        run.counts["damaged"] = video.damaged
    elapsed, seconds = clock.perf_counter() - started, run.time or 0.0
    notes = [*video.notes, *run.notes]
    part = {
        "sums": run.summary.sums(),
        "counts": dict(run.counts),
        "notes": notes,
        "run_up": run.run_up,
        "began": began,
    }
    name = readable(source.name)
    return conclude(
        out,
        run.summary,
        asdict(settings),
        status=status,
        seconds=seconds,
        elapsed=elapsed,
        notes=[*notes, *counted(run.counts)],
        origin={"video": name, "source": asdict(video.info), "origin": dict(made_of)},
        part=None if span == WHOLE else part,
    )


def drop(out: Path) -> None:
    """Let what a summary tells of count as not done, as before its files are replaced by others."""
    report = read_object(out / SUMMARY)
    if "status" in report:
        write_json(out / SUMMARY, {**report, "status": "dropped"})


def spent(parts: Sequence[Mapping[str, Any]]) -> float:
    """Seconds in which at least one part was analysed: several may have been at once.

    Args:
        parts: Summaries by `analyse_span`.
    """
    total = until = 0.0
    for began, elapsed in sorted((one["part"].get("began", 0.0), one["elapsed"]) for one in parts):
        total += max(began + elapsed - max(began, until), 0.0)
        until = max(until, began + elapsed)
    return total


def counted(counts: Mapping[str, int]) -> list[str]:
    """Sentences on what was counted: maps, blank ones, those against, and damaged places."""
    sentences = {
        "damaged": DAMAGED_NOTE,
        "filled": FILLED_NOTE,
        "blank": BLANK_NOTE,
        "against": AGAINST_NOTE,
    }
    return [text.format(**counts) for name, text in sentences.items() if counts.get(name)]


@contextmanager
def _annotating(
    path: Path, video: VideoReader, span: Span, *, wanted: bool
) -> Iterator[tuple[VideoWriter | None, SoundTrack | None]]:
    """A writer for the annotated video, or nothing where none is wanted."""
    if not wanted:
        yield None, None
        return
    info = video.info
    sound = video.sound if span == WHOLE else None
    with open_writer(
        path, info.width, info.height, info.rate, sound=sound, sound_start=video.start
    ) as both:
        yield both


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A frame on its way and the sound before it; no frame for the sound behind the last one."""

    sound: tuple[SoundPacket, ...]
    frame: VideoFrame | None
    seen: Seen | None = None
    result: FrameResult | None = None


def _steps(video: VideoReader, span: Span) -> Iterator[_Step]:
    sound: list[SoundPacket] = []
    for frame in video.frames(sound.append, span):
        yield _Step(tuple(sound), frame)
        sound.clear()
    yield _Step(tuple(sound), None)


class _Run:
    """What happens to each frame."""

    def __init__(
        self,
        model: FrameModel,
        finder: FaceFinder,
        settings: AnalysisSettings,
        span: Span,
        table: FaceTable,
        writer: VideoWriter | None,
        track: SoundTrack | None,
        on_frame: Callable[[Callable[[], Image]], None],
    ) -> None:
        self._pipeline = Pipeline(model, finder, settings.pipeline, budget=0)
        self._preprocess = preprocess = model.card.preprocess
        self._drawing = replace(settings.drawing, coverage=preprocess.crop / preprocess.size)
        self._table, self._writer, self._track = table, writer, track
        self._span, self._on_frame = span, on_frame
        self.summary = Summary(model.labels)
        self.time: float | None = None  # of the last frame
        self.counts = Counter[str]()
        self.notes: dict[str, None] = {}  # in the order they came up, each once
        self.run_up: list[tuple[float, int, int, int, int, int]] = []  # time, face, its box

    def take(self, video: VideoReader, goes_on: Callable[[VideoFrame], bool]) -> bool:
        """Take all frames of a film, or until told not to go on; whether it came to the end."""
        with (
            ahead(_steps(video, self._span)) as steps,
            behind(self._write) as write,
            ahead(map(self._see, steps)) as seen,
        ):
            while together := list(islice(seen, TOGETHER)):
                for step in self._answered(together):
                    frame, result = step.frame, step.result
                    if frame is not None and result is not None:
                        if frame.number < 0:
                            self._warm_up(frame, result)
                        else:
                            self._add(frame, result)
                            write(step)
                    else:
                        write(step)
                    if frame is not None and not goes_on(frame):
                        return False
        return True

    def _see(self, step: _Step) -> _Step:
        if step.frame is None:
            return step
        return replace(step, seen=self._pipeline.see(step.frame.image, step.frame.time))

    def _answered(self, steps: list[_Step]) -> Iterator[_Step]:
        """Steps with the results of their frames."""
        seen = [step.seen for step in steps if step.seen is not None]
        results = iter(self._pipeline.answer(seen) if seen else ())
        for step in steps:
            yield replace(step, result=None if step.seen is None else next(results))

    def _warm_up(self, frame: VideoFrame, result: FrameResult) -> None:
        """Keep nothing of a frame before the part but where its faces are."""
        for face in result.faces:
            box = face.box
            place = (box.left, box.top, box.right, box.bottom)
            self.run_up.append((frame.time, face.id, *place))

    def _add(self, frame: VideoFrame, result: FrameResult) -> None:
        self.counts["filled"] += frame.filled
        shares: dict[int, dict[str, float] | None] = {}
        for face in result.faces:
            if face.explanation is not None:
                label = face.label or face.prediction.predicted
                shares[face.id] = region_shares(
                    face.face, face.explanation, label, self._preprocess
                )
                self.counts["maps"] += 1
                if face.label:
                    self.counts["blank"] += face.explanation.is_blank(label)
                    self.counts["against"] += face.explanation.speaks_only_against(label)
                cells = min(face.explanation.maps.shape[1:])
                if cells < FINE_CELLS:
                    self.notes[COARSE_NOTE.format(cells=f"{cells}x{cells}")] = None
        self.notes.update(dict.fromkeys(result.notes))
        self._table.add(frame.number, frame.time, result, shares)
        self.summary.add(frame.time, result, shares)
        self.time = frame.time

    def _write(self, step: _Step) -> None:
        """Draw a frame and write it, behind the sound before it."""
        if self._track is not None:
            for packet in step.sound:
                self._track.add(packet)
        frame, result = step.frame, step.result
        if frame is None or result is None:
            return
        draw = cache(partial(annotate_frame, frame.image, result, self._drawing))
        if self._writer is not None:
            self._writer.write(draw(), frame.time - self._span.start)
        self._on_frame(draw)
