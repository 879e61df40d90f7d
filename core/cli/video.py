"""The command for video files: video."""

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.inference import CheckpointOption
from core.cli.terminal import progress_bar, writable_folder
from core.errors import CoreError
from core.files import readable
from core.paths import ray_address
from core.process import Claim

if TYPE_CHECKING:
    from core.batch_inference import Cluster
    from core.video import AnalysisSettings, Progress


def video(
    path: Annotated[Path, typer.Argument(help="A video, or a folder of videos.", metavar="FILE")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the results.", callback=writable_folder)
    ],
    checkpoint: CheckpointOption = "default",
    detector: Annotated[str, typer.Option("--detector", help="Face detector.")] = "auto",
    detect_every: Annotated[
        int, typer.Option("--detect-every", help="Frames from one search for faces to the next.")
    ] = 5,
    smoothing: Annotated[
        float, typer.Option("--smoothing", help="0 for each frame by itself, to 1 for steadiest.")
    ] = 0.5,
    label_every: Annotated[
        int, typer.Option("--label-every", help="Frames between label changes; the paper has 5.")
    ] = 1,
    max_faces: Annotated[int, typer.Option("--max-faces", help="Faces a frame.")] = 16,
    method: Annotated[
        str, typer.Option("--method", help="Explanation method, `recommended` or `none`.")
    ] = "recommended",
    longest: Annotated[
        int, typer.Option("--longest", help="Shrink frames to this longer side in pixels.")
    ] = 1920,
    annotated: Annotated[
        bool, typer.Option("--annotated/--no-annotated", help="Write the annotated video.")
    ] = True,
    piece: Annotated[
        float,
        typer.Option(
            "--piece", help="Seconds of the pieces into which a long film is cut; 0 for none."
        ),
    ] = 300.0,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", min=0, help="Films or pieces at once; 0 for three on five cores."
        ),
    ] = 0,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="Where: `processes` of this machine, or `ray` on a cluster (that of "
            "RAY_ADDRESS); auto chooses.",
        ),
    ] = "auto",
    restart: Annotated[
        bool, typer.Option("--restart", help="Keep nothing of what was finished before.")
    ] = False,
) -> None:
    """Analyse a video: annotated mp4 with its sound, a CSV row a face and frame, a summary.

    The same command goes on where it was broken off: finished films of a folder, and finished
    pieces of a film of at least two, are kept.
    """
    from core.video import AnalysisSettings, PipelineSettings

    if engine not in ("auto", "processes", "ray"):
        raise typer.BadParameter(f"--engine is {engine!r}; expected auto, processes or ray.")
    settings = AnalysisSettings(
        pipeline=PipelineSettings(
            detector=detector,
            detect_every=detect_every,
            smoothing=smoothing,
            label_every=label_every,
            max_faces=max_faces,
            method=None if method == "none" else method,
        ),
        longest=longest,
        annotated=annotated,
        piece=piece,
    )
    out.mkdir(parents=True, exist_ok=True)
    with _held(out), _stop_signal() as stop:
        analysis = _Analysis(path, out, checkpoint, settings, stop)
        report = analysis.run(engine, workers, restart=restart)
    if stop.is_set():
        typer.echo(f"Stopped. What was done so far is in {readable(out)}.", err=True)
        raise typer.Exit(130)
    typer.echo(_said(report, out))


class _Analysis:
    """A video or a folder of them; how it goes and ends is noted in the result folder."""

    def __init__(
        self,
        path: Path,
        out: Path,
        checkpoint: str,
        settings: "AnalysisSettings",
        stop: threading.Event,
    ) -> None:
        from core.video import CoreFaceFinder, JobRecord

        self._path, self._out, self._settings, self._stop = path, out, settings, stop
        self._checkpoint = checkpoint
        self._record = JobRecord(out)
        self._finder = CoreFaceFinder()
        self._begun, self._films = 0, [(path, out)]

    def run(self, engine: str, workers: int, *, restart: bool) -> dict[str, Any]:
        """The summary of a video or of a folder.

        Args:
            engine: "processes" or "ray", or "auto".
            workers: Films or pieces at once; 0 for three on five cores.
            restart: Whether nothing that was finished is kept.
        """
        try:
            report = self._report(engine, workers, restart=restart)
        except BaseException as error:
            known = isinstance(error, CoreError)
            self._record.end(
                "failed",
                readable(str(error))
                if known
                else "An error that nobody foresaw; the log tells more.",
            )
            raise
        self._record.end("stopped" if self._stop.is_set() else "finished")
        return report

    def _report(self, engine: str, workers: int, *, restart: bool) -> dict[str, Any]:
        from core.predict import Predictor
        from core.video import VideoReader, analyse_folder, films_of, forget, network_threads

        self._model = Predictor.load(self._checkpoint, threads=network_threads())
        if self._path.is_dir():
            self._films = films_of(self._path, self._out)
        else:
            VideoReader(self._path).close()  # nothing is forgotten for a path that is wrong
        if restart:
            for _, result in self._films:
                forget(result)
        made = self._spread(engine, workers)
        if not self._path.is_dir():
            if (kept := self._done(self._path, self._out)) is None:
                return self._one(self._path, self._out)
            if not made and not self._stop.is_set():
                typer.echo("It was finished before; --restart analyses it again.", err=True)
            return kept
        return analyse_folder(
            self._path,
            self._out,
            self._one,
            stopped=self._stop.is_set,
            done=self._done,
            made=made,
            films=self._films,
        )

    def _spread(self, engine: str, workers: int) -> set[Path]:
        """Have others do what several can do at once; the films they worked on."""
        from core.batch_inference import begun
        from core.predict import Predictor
        from core.video import WORTH, FilmWork, own_processes, spread

        on_cluster = engine == "ray" or (engine == "auto" and ray_address() is not None)
        worth = 0 if workers or on_cluster else WORTH
        if not on_cluster:
            workers = workers or own_processes()
            if workers == 1:
                return set()
        where: Cluster = "ray" if on_cluster else "processes"
        name = readable(self._path.name)
        task = FilmWork(self._out, self._model.folder, self._settings, Predictor)
        with begun(where, workers) as engine_for, progress_bar(name, 100) as advance:

            def show(progress: "Progress") -> None:
                advance(100 * (progress.share or 0.0))
                self._record.note(name, progress)

            return spread(
                self._films,
                task,
                lambda do, numbers: engine_for(len(numbers))(do, numbers, workers),
                least=1 if on_cluster else 2,
                worth=worth,
                on_progress=show,
                stopped=self._stop.is_set,
            )

    def _one(self, source: Path, result: Path) -> dict[str, Any]:
        from core.video import analyse_video, origin

        self._begun += 1
        with progress_bar(readable(source.name), 100) as advance:

            def show(progress: "Progress") -> None:
                advance(100 * (progress.share or 0.0))
                self._record.note(readable(source.name), progress, self._begun, len(self._films))

            return analyse_video(
                source,
                result,
                self._model,
                self._finder,
                self._settings,
                made_of=origin(source, self._model.folder),
                on_progress=show,
                on_frame=self._record.show,
                stopped=self._stop.is_set,
            )

    def _done(self, source: Path, result: Path) -> dict[str, Any] | None:
        """The summary of what is finished; where an end was asked for, of what there is."""
        from core.video import broken_off, finished_before, origin

        made_of = origin(source, self._model.folder)
        found = finished_before(result, self._settings, made_of)
        if found is None and self._stop.is_set() and broken_off(result, self._settings, made_of):
            return self._one(source, result)
        self._begun += found is not None
        return found


def _held(out: Path) -> AbstractContextManager[None]:
    """Make sure that nobody else writes into the folder meanwhile.

    Raises:
        CoreError: Somebody does.
    """
    return Claim(out / ".claim").held(
        lambda number: CoreError(
            f"{readable(out)} is being written by process {number}. Wait for it, or name another "
            "--out."
        )
    )


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a request to end sets, instead of breaking off in mid-file."""
    stop = threading.Event()
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda *_: stop.set()) for kind in kinds]
    try:
        yield stop
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def _said(report: dict[str, Any], out: Path) -> str:
    """One line about a video, or one about a folder."""
    if "videos" in report:
        failed = sum(entry["status"] == "failed" for entry in report["videos"])
        kept = f"{report['kept']} of them finished before, " if report["kept"] else ""
        return (
            f"{len(report['videos'])} videos, {kept}{failed} of them unreadable, "
            f"{len(report['pairs'])} left/right pairs. Written to {readable(out)}."
        )
    return (
        f"{report['frames']} frames, {len(report['faces'])} face(s), "
        f"{report['frames_without_face']} frames without a face, "
        f"{report['times_real_time']:.1f} x real time. Written to {readable(out)}."
    )
