"""A video file in; an annotated video, a table and a summary out."""

import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.drawing import Style, annotate_frame
from core.errors import VideoError
from core.files import read_object, readable, write_json
from core.types import FINE_CELLS
from core.video.pipeline import Pipeline, PipelineSettings
from core.video.protocols import FaceFinder, FrameModel, VideoFrame
from core.video.reader import LONGEST, VideoReader
from core.video.sound import SoundTrack
from core.video.table import COARSE_NOTE, FaceTable, Summary, open_table, region_shares
from core.video.writer import VideoWriter, open_writer

BLANK_NOTE = (
    "In {blank:,} of {maps:,} maps nothing speaks for the expression named: they are blank. "
    "Another method may still find some evidence."
)
AGAINST_NOTE = (
    "In {against:,} of {maps:,} maps nothing speaks for the expression named: they show what "
    "speaks against it."
)
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
    on_progress: Callable[[Progress], None] = lambda progress: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Analyse a file frame by frame; memory does not depend on its length.

    Writes `annotated.mp4` (with the original sound), `faces.csv` and, last, `summary.json`.

    Args:
        source: The video.
        out: Folder for the results; made where it is missing.
        model: Answers and explains.
        finder: Finds faces.
        settings: What to do.
        on_progress: Called after every frame.
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
    status = "finished"
    with VideoReader(source, longest=settings.longest) as video:
        out.mkdir(parents=True, exist_ok=True)
        with (
            _annotating(out / ANNOTATED, video, wanted=settings.annotated) as (writer, track),
            open_table(out / TABLE, model.labels) as table,
        ):
            run = _Run(model, finder, settings, table, writer)
            for frame in video.frames(track.add if track else None):
                run.add(frame)
                elapsed = clock.perf_counter() - started
                on_progress(Progress(frame.number + 1, video.info.frames, frame.time, elapsed))
                if stopped():
                    status = "stopped"
                    break
    elapsed = clock.perf_counter() - started
    report = {
        "video": readable(source.name),
        "status": status,
        "source": asdict(video.info),
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


class _Run:
    """What happens to each frame."""

    def __init__(
        self,
        model: FrameModel,
        finder: FaceFinder,
        settings: AnalysisSettings,
        table: FaceTable,
        writer: VideoWriter | None,
    ) -> None:
        self._pipeline = Pipeline(model, finder, settings.pipeline, budget=0)
        preprocess = model.card.preprocess
        self._drawing = replace(settings.drawing, coverage=preprocess.crop / preprocess.size)
        self._table, self._writer = table, writer
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

    def add(self, frame: VideoFrame) -> None:
        result = self._pipeline.process(frame.image, frame.time)
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
        if self._writer is not None:
            self._writer.write(annotate_frame(frame.image, result, self._drawing), frame.time)
        self.time = frame.time
