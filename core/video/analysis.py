"""A video file in; an annotated video, a table and a summary out."""

import time as clock
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from core.drawing import Style, annotate_frame
from core.errors import VideoError
from core.files import read_object, readable, write_json
from core.types import FINE_CELLS, FrameResult, Image
from core.video.answers import Seen
from core.video.overlap import ahead, behind
from core.video.pipeline import Pipeline, PipelineSettings
from core.video.protocols import FaceFinder, FrameModel, VideoFrame
from core.video.reader import LONGEST, VideoReader
from core.video.table import COARSE_NOTE, FaceTable, Summary, open_table, region_shares
from core.video.writer import SoundPacket, SoundTrack, VideoWriter, open_writer

BLANK_NOTE = (
    "In {blank:,} of {maps:,} maps nothing speaks for the expression named: they are blank. "
    "Another method may still find some evidence."
)
AGAINST_NOTE = (
    "In {against:,} of {maps:,} maps nothing speaks for the expression named: they show what "
    "speaks against it."
)
TOGETHER = 8  # frames whose faces the network sees at once
ANNOTATED, TABLE, SUMMARY = "annotated.mp4", "faces.csv", "summary.json"


def is_annotated(path: Path) -> bool:
    """Whether a file is the annotated video of an analysis, by the summary beside it."""
    if path.name != ANNOTATED:
        return False
    files = read_object(path.with_name(SUMMARY)).get("files")
    return isinstance(files, dict) and files.get("annotated") == ANNOTATED


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an analysis has come.

    Attributes:
        frames: Done.
        expected: Frames in all; None where the file does not say.
        time: Seconds of video done.
        elapsed: Seconds since the beginning.
    """

    frames: int
    expected: int | None
    time: float
    elapsed: float

    @property
    def share(self) -> float | None:
        """Part done, 0 to 1; None where the end is unknown."""
        return min(self.frames / self.expected, 1.0) if self.expected else None


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """What is done with a video file.

    Attributes:
        pipeline: How faces are found and named.
        drawing: What the annotated video shows.
        longest: Larger frames are shrunk to this longer side, in pixels.
        annotated: Whether an annotated video is written.
    """

    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    drawing: Style = field(default_factory=Style)
    longest: int = LONGEST
    annotated: bool = True


def analyse_video(
    source: Path,
    out: Path,
    model: FrameModel,
    finder: FaceFinder,
    settings: AnalysisSettings | None = None,
    *,
    made_of: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_frame: Callable[[Callable[[], Image]], None] = lambda draw: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Analyse a file frame by frame; memory does not depend on its length.

    Reading, finding, answering, and drawing and writing overlap, each in a thread of its own; what
    comes out does not depend on that.

    Writes `annotated.mp4` (with the original sound), `faces.csv` and, last, `summary.json`.

    Args:
        source: The video.
        out: Folder for the results; made where it is missing.
        model: Answers and explains.
        finder: Finds faces.
        settings: What to do.
        made_of: Kept in the summary as "origin", by which `finished_before` knows it again.
        on_progress: Called after every frame.
        on_frame: Called after every frame, in a thread of its own, with a function that gives the
            annotated frame, RGB uint8 (H, W, 3).
        stopped: Asked before every frame; once it says yes, what was done so far is kept.

    Returns:
        The content of `summary.json`.

    Raises:
        VideoError: The file cannot be read as a video, or a film of another origin is in the place
            of the annotated one.
    """
    settings = settings or AnalysisSettings()
    if settings.annotated:
        _leave_others_alone(source, out / ANNOTATED)
    started = clock.perf_counter()

    def goes_on(frame: VideoFrame) -> bool:
        elapsed = clock.perf_counter() - started
        on_progress(Progress(frame.number + 1, video.info.frames, frame.time, elapsed))
        return not stopped()

    with VideoReader(source, longest=settings.longest) as video:
        out.mkdir(parents=True, exist_ok=True)
        with (
            _annotating(out / ANNOTATED, video, wanted=settings.annotated) as (writer, track),
            open_table(out / TABLE, model.labels) as table,
        ):
            run = _Run(model, finder, settings, table, writer, track, on_frame)
            status = "finished" if run.take(video, goes_on) else "stopped"
    elapsed = clock.perf_counter() - started
    report = {
        "video": readable(source.name),
        "status": status,
        "source": asdict(video.info),
        "origin": dict(made_of or {}),
        "seconds": run.time,
        **run.summary.to_json(),
        "elapsed": elapsed,
        "times_real_time": run.time / elapsed,
        "settings": asdict(settings),
        "notes": [*video.notes, *run.notes],
        "files": {"table": TABLE, "annotated": ANNOTATED if settings.annotated else None},
    }
    write_json(out / SUMMARY, report)
    return report


def _leave_others_alone(source: Path, target: Path) -> None:
    """Refuse to overwrite a film that no analysis wrote, or the one to be analysed."""
    # Whoever is killed behind its film leaves a table, which is there before, and no summary.
    cut = target.with_name(TABLE).is_file() and not target.with_name(SUMMARY).is_file()
    ours = is_annotated(target) or cut
    if target.exists() and (not ours or target.samefile(source)):
        raise VideoError(
            f"{target} is a video already, not the annotated copy of an analysis to be replaced. "
            "Choose another folder for the results, or rename that file."
        )


@contextmanager
def _annotating(
    path: Path, video: VideoReader, *, wanted: bool
) -> Iterator[tuple[VideoWriter | None, SoundTrack | None]]:
    """A writer for the annotated video, or nothing where none is wanted."""
    if not wanted:
        yield None, None
        return
    info = video.info
    with open_writer(
        path, info.width, info.height, info.rate, sound=video.sound, sound_start=video.start
    ) as both:
        yield both


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A frame on its way and the sound before it; no frame for the sound behind the last one."""

    sound: tuple[SoundPacket, ...]
    frame: VideoFrame | None
    seen: Seen | None = None
    result: FrameResult | None = None


def _pieces(video: VideoReader) -> Iterator[_Piece]:
    sound: list[SoundPacket] = []
    for frame in video.frames(sound.append):
        yield _Piece(tuple(sound), frame)
        sound.clear()
    yield _Piece(tuple(sound), None)


class _Run:
    """What happens to each frame."""

    def __init__(
        self,
        model: FrameModel,
        finder: FaceFinder,
        settings: AnalysisSettings,
        table: FaceTable,
        writer: VideoWriter | None,
        track: SoundTrack | None,
        on_frame: Callable[[Callable[[], Image]], None],
    ) -> None:
        self._pipeline = Pipeline(model, finder, settings.pipeline, budget=0)
        preprocess = model.card.preprocess
        self._drawing = replace(settings.drawing, coverage=preprocess.crop / preprocess.size)
        self._table, self._writer, self._track = table, writer, track
        self._on_frame = on_frame
        self.summary = Summary(model.labels)
        self.time = 0.0
        self._maps = self._blank = self._against = 0
        self._notes: dict[str, None] = {}  # in the order they came up, each once

    @property
    def notes(self) -> list[str]:
        notes = [*self._notes]
        if self._blank:
            notes.append(BLANK_NOTE.format(blank=self._blank, maps=self._maps))
        if self._against:
            notes.append(AGAINST_NOTE.format(against=self._against, maps=self._maps))
        return notes

    def take(self, video: VideoReader, goes_on: Callable[[VideoFrame], bool]) -> bool:
        """Take all frames of a film, or until told not to go on; whether it came to the end."""
        with (
            ahead(_pieces(video)) as pieces,
            behind(self._write) as write,
            ahead(map(self._see, pieces)) as seen,
        ):
            while together := list(islice(seen, TOGETHER)):
                for piece in self._answered(together):
                    if piece.frame is not None and piece.result is not None:
                        self._add(piece.frame, piece.result)
                    write(piece)
                    if piece.frame is not None and not goes_on(piece.frame):
                        return False
        return True

    def _see(self, piece: _Piece) -> _Piece:
        if piece.frame is None:
            return piece
        return replace(piece, seen=self._pipeline.see(piece.frame.image, piece.frame.time))

    def _answered(self, pieces: list[_Piece]) -> Iterator[_Piece]:
        """Pieces with the results of their frames."""
        seen = [piece.seen for piece in pieces if piece.seen is not None]
        results = iter(self._pipeline.answer(seen) if seen else ())
        for piece in pieces:
            yield replace(piece, result=None if piece.seen is None else next(results))

    def _add(self, frame: VideoFrame, result: FrameResult) -> None:
        shares: dict[int, dict[str, float] | None] = {}
        for face in result.faces:
            if face.explanation is not None:
                label = face.label or face.prediction.predicted
                shares[face.id] = region_shares(face.face, face.explanation, label)
                self._maps += 1
                if face.label:
                    self._blank += face.explanation.is_blank(label)
                    self._against += face.explanation.speaks_only_against(label)
                cells = min(face.explanation.maps.shape[1:])
                if cells < FINE_CELLS:
                    self._notes[COARSE_NOTE.format(cells=f"{cells}x{cells}")] = None
        self._notes.update(dict.fromkeys(result.notes))
        self._table.add(frame.number, frame.time, result, shares)
        self.summary.add(frame.time, result, shares)
        self.time = frame.time

    def _write(self, piece: _Piece) -> None:
        """Draw a frame and write it, behind the sound before it."""
        if self._track is not None:
            for packet in piece.sound:
                self._track.add(packet)
        frame, result = piece.frame, piece.result
        if frame is None or result is None:
            return
        draw = cache(partial(annotate_frame, frame.image, result, self._drawing))
        if self._writer is not None:
            self._writer.write(draw(), frame.time)
        self._on_frame(draw)
