"""A film whole: cut into pieces where it is long, each kept as it is done, and joined at the end.

A piece is analysed as a film of its own that begins some seconds early, so that faces are being
followed and answers are steady when it starts. What the seconds before a piece show of its faces
tells which of the faces before it they are.
"""

import csv
import json
import shutil
import time as clock
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from core.checkpoints import WEIGHTS
from core.files import file_hash, read_object, readable, replacing
from core.tabular import CsvWriter
from core.types import Box, Image
from core.video.analysis import (
    AnalysisSettings,
    analyse_span,
    counted,
    drop,
    spent,
)
from core.video.protocols import WHOLE, FaceFinder, FrameModel, Progress, Span
from core.video.reader import VideoReader
from core.video.table import ANNOTATED, SUMMARY, TABLE, Summary, conclude, leave_others_alone
from core.video.writer import join_films

RUN_UP = 2.0  # seconds; a face that was lost keeps its number as long
PIECES = ".pieces"
ENDS = ("finished", "stopped")  # whose results can be shown
PIECES_NOTE = (
    "The film was analysed in {pieces} pieces of {seconds:g} s. Faces keep their numbers from one "
    "to the next where they are seen on both sides."
)
_NETWORK = "network"  # its name in the origin of results
_SAME = 0.5  # overlap from which boxes of one frame are one face

Report = dict[str, Any]
Ids = dict[int, int]


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
) -> Report:
    """Analyse a file frame by frame; memory does not depend on its length.

    Reading, finding, answering, and drawing and writing overlap, each in a thread of its own; what
    comes out does not depend on that. A long film is cut into pieces, see `AnalysisSettings`, which
    are kept below `out` until all are done: after any end the same call goes on with the next.

    Writes `annotated.mp4` (with the original sound), `faces.csv` and, last, `summary.json`.

    Args:
        source: The video.
        out: Folder for the results; made where it is missing.
        model: Answers and explains.
        finder: Finds faces.
        settings: What to do.
        made_of: Kept in the summary as "origin", by which `finished_before` knows it again, and
            without which no piece of an earlier call is taken.
        on_progress: Called after every frame.
        on_frame: Called after every frame, in a thread of its own, with a function that gives the
            annotated frame, RGB uint8 (H, W, 3).
        stopped: Asked before every frame; after yes, what is done, or was earlier, if more, stays.

    Returns:
        The content of `summary.json`.

    Raises:
        VideoError: The file cannot be read as a video, or a file of another origin is in the place
            of a result.
    """
    settings = settings or AnalysisSettings()
    leave_others_alone(source, out, annotated=settings.annotated)
    spans = cut(source, settings)
    started, before, kept, reports = clock.perf_counter(), 0, 0.0, list[Report]()

    def forward(progress: Progress) -> None:
        elapsed = clock.perf_counter() - started + kept
        on_progress(replace(progress, frames=before + progress.frames, elapsed=elapsed))

    for number, span in enumerate(spans):
        place = out if span == WHOLE else piece_folder(out, number)
        origin_of_piece = origin_of(span, made_of or {})
        earlier = finished_before(place, settings, origin_of_piece, ENDS) if made_of else None
        whole = earlier is not None and earlier["status"] == "finished" and span != WHOLE
        report = earlier if whole or stopped() else None
        kept += report["elapsed"] if report else 0.0
        if report is None and reports and stopped():
            break
        if report is None:
            report = analyse_span(
                source,
                place,
                model,
                finder,
                settings,
                span,
                made_of=origin_of_piece,
                on_progress=forward,
                on_frame=on_frame,
                stopped=stopped,
                earlier=earlier,
            )
        before += report["frames"]
        reports.append(report)
        if report["status"] == "stopped":
            break
    result = reports[0]
    if spans != [WHOLE]:
        result = _joined(source, out, spans, reports, model.labels, settings, made_of or {})
    if result["status"] == "finished":
        shutil.rmtree(out / PIECES, ignore_errors=True)
    return result


def cut(source: Path, settings: AnalysisSettings) -> list[Span]:
    """The pieces of a film; one, the whole, where it is short or can only be read in one go.

    Raises:
        VideoError: The file cannot be read as a video.
    """
    with VideoReader(source) as video:
        length, every = video.info.duration or 0.0, settings.piece
        if not every or length < 2 * every:
            return [WHOLE]
        starts = [number * every for number in range(int(length // every))]
        if not all(video.begins_at(max(start - RUN_UP, 0.0)) for start in starts):
            return [WHOLE]
    ends = [*starts[1:], None]
    return [Span(start, end, RUN_UP) for start, end in zip(starts, ends, strict=True)]


def piece_folder(out: Path, number: int) -> Path:
    """Where the results of a piece are kept until all are done."""
    return out / PIECES / f"{number:05d}"


def forget(out: Path) -> None:
    """Let a film and pieces of it count as not done; results stay until others replace them."""
    shutil.rmtree(out / PIECES, ignore_errors=True)
    drop(out)


def kept_seconds(out: Path) -> float:
    """Seconds of a film, from its beginning, in whole pieces: they are not analysed again."""
    found = (read_object(piece_folder(out, number) / SUMMARY) for number in count())
    whole = takewhile(lambda piece: piece.get("status") == "finished", found)
    return max((float(piece["origin"]["span"]["end"] or 0) for piece in whole), default=0.0)


def origin_of(span: Span, made_of: Mapping[str, Any]) -> Report:
    """What a piece was made of; of a whole film, what it was made of."""
    return dict(made_of) if span == WHOLE else {**made_of, "span": asdict(span)}


def origin(source: Path, checkpoint: Path) -> dict[str, Any]:
    """What an analysis was made of beside its settings: the film, and the network that answered.

    The hashes are those that reports and cards of the network name.
    """
    facts = source.stat()
    return {
        _NETWORK: checkpoint.name,
        "bytes": facts.st_size,
        "modified": facts.st_mtime_ns,
        "weights_sha256": file_hash(checkpoint / WEIGHTS),
        "card_sha256": file_hash(checkpoint / "card.json"),
    }


def finished_before(
    result: Path,
    settings: AnalysisSettings,
    made_of: Mapping[str, Any],
    ends: Sequence[str] = ("finished",),
) -> dict[str, Any] | None:
    """The summary of an analysis that came to its end, of the same film in the same way.

    Args:
        result: Its folder.
        settings: What is asked now.
        made_of: What `origin` says now.
        ends: How it may have ended: "finished", "stopped".

    Returns:
        None where there is none, or not all of its files are there.
    """
    summary = read_object(result / SUMMARY)
    same = (
        summary.get("status") in ends
        and _unnamed(summary.get("origin", {})) == _unnamed(made_of)
        and summary.get("settings") == json.loads(json.dumps(asdict(settings)))
    )
    files = [TABLE, *([ANNOTATED] if settings.annotated else [])]
    return summary if same and all((result / name).is_file() for name in files) else None


def _unnamed(made_of: Mapping[str, Any]) -> Report:
    """Without the name, under which others may know the same network."""
    return {key: value for key, value in made_of.items() if key != _NETWORK}


def broken_off(result: Path, settings: AnalysisSettings, made_of: Mapping[str, Any]) -> bool:
    """Whether something is kept of an analysis of the same film in the same way that broke off."""
    if finished_before(result, settings, made_of, ("stopped",)) is not None:
        return True
    span = read_object(piece_folder(result, 0) / SUMMARY).get("origin", {}).get("span")
    first = piece_folder(result, 0)
    return finished_before(first, settings, {**made_of, "span": span}, ENDS) is not None


def _joined(
    source: Path,
    out: Path,
    all_spans: Sequence[Span],
    parts: Sequence[Report],
    labels: tuple[str, ...],
    settings: AnalysisSettings,
    made_of: Mapping[str, Any],
) -> Report:
    """Put what pieces gave together, and write it; those after a stop are not there."""
    started = clock.perf_counter()
    folders = [piece_folder(out, number) for number in range(len(parts))]
    spans = all_spans[: len(parts)]
    with replacing(out / TABLE) as temporary:
        ids = _join_tables(temporary, folders, spans, parts)
        if finished_before(out, settings, made_of, ENDS) is None:
            drop(out)
    summary, counts = Summary(labels), Counter[str]()
    for part, known in zip(parts, ids, strict=True):
        summary.take(part["part"]["sums"], known)
        counts.update(part["part"]["counts"])
    whole = len(parts) == len(all_spans) and parts[-1]["status"] == "finished"
    status, seconds = "finished" if whole else "stopped", max(part["seconds"] for part in parts)
    if settings.annotated:
        films = [(one / ANNOTATED, span.start) for one, span in zip(folders, spans, strict=True)]
        with VideoReader(source) as video:
            join_films(
                out / ANNOTATED,
                [film for film in films if film[0].is_file()],
                sound=video.sound,
                sounds=video.sounds(),
                sound_start=video.start,
                end=None if whole else seconds,
            )
    elapsed = spent(parts) + clock.perf_counter() - started
    notes = [note for part in parts for note in part["part"]["notes"]]
    if len(parts) > 1:
        notes.append(PIECES_NOTE.format(pieces=len(parts), seconds=settings.piece))
    return conclude(
        out,
        summary,
        asdict(settings),
        status=status,
        seconds=seconds,
        elapsed=elapsed,
        notes=[*dict.fromkeys(notes), *counted(counts)],
        origin={
            "video": readable(source.name),
            "source": parts[0]["source"],
            "origin": dict(made_of),
        },
    )


def _join_tables(
    target: Path, folders: Sequence[Path], spans: Sequence[Span], parts: Sequence[Report]
) -> list[Ids]:
    """Write the tables of pieces as one; of each piece, the face of the film that each face is."""
    ids: list[Ids] = []
    frames, highest, tail = 0, 0, dict[float, list[tuple[int, Box]]]()
    with target.open("w", newline="") as file:
        writer = CsvWriter(file, "\r\n")
        for folder, span, part in zip(folders, spans, parts, strict=True):
            known = same_faces(part["part"]["run_up"], tail)
            for key in sorted(int(key) for key in part["part"]["sums"]["faces"]):
                if key not in known:
                    known[key] = highest = highest + 1
            ids.append(known)
            tail.clear()
            for number, row in enumerate(_rows(folder / TABLE)):
                if number == 0:
                    if frames == 0:
                        writer.writerow(row)
                    continue
                row[0] = str(int(row[0]) + frames)
                if row[2]:
                    row[2] = str(known[int(row[2])])
                    if span.end is not None and float(row[1]) >= span.end - RUN_UP - 1e-3:
                        box = Box(*(int(edge) for edge in row[3:7]))
                        tail.setdefault(float(row[1]), []).append((int(row[2]), box))
                writer.writerow(row)
            frames += part["frames"]
    return ids


def _rows(table: Path) -> Iterator[list[str]]:
    with table.open(newline="") as file:
        yield from csv.reader(file)


def same_faces(
    run_up: Sequence[Sequence[float]], before: Mapping[float, Sequence[tuple[int, Box]]]
) -> Ids:
    """Which faces of one piece are faces of the one before, by the frames that both have seen.

    Args:
        run_up: Of the piece: seconds, face, and left, top, right and bottom of its box.
        before: Of the piece before: faces and boxes by seconds, rounded as in the table.
    """
    votes = Counter(
        (int(face), other)
        for time, face, *edges in run_up
        for other, box in before.get(round(time, 4), ())
        if box.overlap(Box(*(int(edge) for edge in edges))) >= _SAME
    )
    found: Ids = {}
    for (face, other), _ in votes.most_common():
        if face not in found and other not in found.values():
            found[face] = other
    return found
