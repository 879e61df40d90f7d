"""The command for video files: video."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.inference import CheckpointOption
from core.cli.terminal import progress_bar, writable_folder
from core.errors import CoreError
from core.files import readable

if TYPE_CHECKING:
    from core.video import AnalysisSettings


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
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Keep nothing of what was finished before."),
    ] = False,
) -> None:
    """Analyse a video: annotated mp4 with its sound, a CSV row a face and frame, a summary.

    The same command goes on where it was broken off: finished films of a folder, and finished
    pieces of a film of at least two, are kept.
    """
    from core.video import AnalysisSettings, PipelineSettings

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
    with _stop_signal() as stop:
        report = _analyse(path, out, checkpoint, settings, stop, restart=restart)
    if stop.is_set():
        typer.echo(f"Stopped. What was done so far is in {readable(out)}.", err=True)
        raise typer.Exit(130)
    typer.echo(_said(report, out))


def _analyse(
    path: Path,
    out: Path,
    checkpoint: str,
    settings: "AnalysisSettings",
    stop: threading.Event,
    *,
    restart: bool,
) -> dict[str, Any]:
    """The summary of a video or of a folder; how it goes and ends is noted in the result folder."""
    from core.predict import Predictor
    from core.video import (
        CoreFaceFinder,
        JobRecord,
        Progress,
        analyse_folder,
        analyse_video,
        finished_before,
        forget_pieces,
        list_videos,
        origin,
    )

    record = JobRecord(out)
    begun = 0

    def one(source: Path, folder: Path) -> dict[str, Any]:
        nonlocal begun
        begun += 1
        if restart:
            forget_pieces(folder)
        with progress_bar(readable(source.name), 100) as advance:

            def show(progress: Progress) -> None:
                advance(100 * (progress.share or 0.0))
                record.note(readable(source.name), progress, begun, videos)

            return analyse_video(
                source,
                folder,
                model,
                reader,
                settings,
                made_of=origin(source, model.folder),
                on_progress=show,
                on_frame=record.show,
                stopped=stop.is_set,
            )

    def done(source: Path, folder: Path) -> dict[str, Any] | None:
        nonlocal begun
        found = finished_before(folder, settings, origin(source, model.folder))
        begun += found is not None
        return found

    try:
        model, reader = Predictor.load(checkpoint), CoreFaceFinder()
        videos = len(list_videos(path)) if path.is_dir() else 1
        if path.is_dir():
            report = analyse_folder(
                path, out, one, stopped=stop.is_set, done=(lambda *_: None) if restart else done
            )
        else:
            report = one(path, out)
    except BaseException as error:
        known = isinstance(error, CoreError)
        record.end(
            "failed", readable(str(error)) if known else "An error that should not be: see the log."
        )
        raise
    record.end("stopped" if stop.is_set() else "finished")
    return report


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
