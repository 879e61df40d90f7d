"""A folder of videos, one after the other; recordings of one scene from two sides are compared."""

import csv
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CoreError, VideoError
from core.files import read_object, readable, replacing, write_json
from core.tabular import CsvWriter
from core.video.table import TABLE, first_line, is_annotated, refuse_others

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".qt", ".avi", ".divx", ".webm", ".mkv"),
    *(".mpg", ".mpeg", ".mpe", ".m2v", ".vob", ".wmv", ".asf", ".ogv", ".ogm", ".flv", ".f4v"),
    *(".3gp", ".3g2", ".mts", ".m2ts", ".m2t", ".tod", ".mxf", ".dv", ".ts", ".mod"),
)
# Camcorders share these endings with program text and music; their films begin like this.
_SHARED_SUFFIXES = {".ts": b"\x47", ".mod": b"\x00\x00\x01\xba"}

BATCH, BATCH_TABLE = "batch.json", "batch.csv"

# "LeftVideoSN001_comp.avi" and "RightVideoSN001_Comp.avi", or folders of such names, as in DISFA
# (Mavadati et al., 2013), whose cameras stand left and right of one face.
_SIDE = re.compile(r"left|right", re.IGNORECASE)
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


def is_video(path: Path) -> bool:
    """Whether a file is a video by its ending, and by its beginning where the ending is shared."""
    suffix = path.suffix.lower()
    if suffix not in VIDEO_SUFFIXES or path.name.startswith(".") or not path.is_file():
        return False
    beginning = _SHARED_SUFFIXES.get(suffix, b"")
    if not beginning:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(beginning)) == beginning
    except OSError:
        return True  # reading it will say why it cannot be read


def list_videos(folder: Path) -> list[Path]:
    """All videos below a folder, by name; hidden ones and annotated copies left out.

    Raises:
        VideoError: There is none.
    """
    found = sorted(
        path
        for path in folder.rglob("*")
        if is_video(path)
        and not is_annotated(path)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not found:
        raise VideoError(
            f"There is no video in {folder}. Expected files ending in {', '.join(VIDEO_SUFFIXES)}."
        )
    return found


@dataclass(frozen=True, slots=True)
class Pair:
    """Two recordings of one scene, as paths below the folder."""

    left: Path
    right: Path


def pairs(paths: Iterable[Path]) -> list[Pair]:
    """Videos whose names, or else paths, differ in the words left and right only.

    >>> pairs([Path("LeftVideoSN001_comp.avi"), Path("RightVideoSN001_Comp.avi")])[0].left.name
    'LeftVideoSN001_comp.avi'
    """
    sides: dict[str, dict[str, Path]] = {}
    for path in paths:
        # The folders' own names may differ in more; file names that tell the side are enough.
        text = path.name if _SIDE.search(path.name) else str(path)
        words = {word.lower() for word in _SIDE.findall(text)}
        if len(words) == 1:
            key = _NOT_ALPHANUMERIC.sub("", _SIDE.sub("", text).lower())
            sides.setdefault(key, {})[words.pop()] = path
    return [
        Pair(both["left"], both["right"]) for _, both in sorted(sides.items()) if len(both) == 2
    ]


def films_of(folder: Path, out: Path) -> list[tuple[Path, Path]]:
    """Every video below a folder, and the folder for its results, named like it.

    Raises:
        VideoError: There is no video, a result folder would be where a file is, or a file of
            another origin is in the place of a result.
    """
    films = [(path, out / readable(path.relative_to(folder))) for path in list_videos(folder)]
    for path, result in films:
        if result.is_file():
            raise VideoError(
                f"The results of {path.name} need a folder {result}, but that is a file. Choose "
                "another folder for the results."
            )
    summary, table = out / BATCH, out / BATCH_TABLE
    names = first_line(table)  # empty where a batch was stopped before its first film
    refuse_others(
        {
            summary: "videos" in read_object(summary),
            table: not names or names.startswith("video,status,"),
        }
    )
    return films


def analyse_folder(
    folder: Path,
    out: Path,
    analyse: Callable[[Path, Path], dict[str, Any]],
    *,
    stopped: Callable[[], bool] = lambda: False,
    done: Callable[[Path, Path], dict[str, Any] | None] = lambda source, result: None,
    made: Container[Path] = (),
    films: Sequence[tuple[Path, Path]] | None = None,
) -> dict[str, Any]:
    """Analyse every video below a folder; one that cannot be read is noted, the others go on.

    Writes one folder a video, named like it (see `core.files.readable`), and `batch.csv` and
    `batch.json` beside them.

    Args:
        folder: Searched through.
        out: For the results.
        analyse: Takes a video and its result folder, and gives its summary.
        stopped: Asked before every video.
        done: Takes what `analyse` takes, and gives the summary of an earlier run that need not be
            made again, or None; see `finished_before`.
        made: Films that this run has done before, by `spread`, which are not counted as kept.
        films: What `films_of` gave before.

    Returns:
        The content of `batch.json`: one entry a video, how many an earlier run had finished, and
        the agreement of left/right pairs.

    Raises:
        VideoError: There is no video, or a result folder would be where a file is.
    """
    films = films_of(folder, out) if films is None else films
    entries = []
    results: dict[Path, Path] = {}
    kept = 0
    for path, result in films:
        name = result.relative_to(out)
        try:
            before = done(path, result)
            kept += before is not None and path not in made
            if before is None and stopped():
                continue
            summary = before or analyse(path, result)
        except CoreError as error:
            entries.append({"video": str(name), "status": "failed", "error": readable(str(error))})
            continue
        results[name] = result
        entries.append(_entry(name, summary))
    report = {
        "videos": entries,
        "left_out": len(films) - len(entries),
        "kept": kept,
        "pairs": [_compared(pair, results) for pair in pairs(results)],
    }
    write_json(out / BATCH, report)
    _write_table(out / BATCH_TABLE, entries)
    return report


def _entry(name: Path, summary: Mapping[str, Any]) -> dict[str, Any]:
    main = summary["faces"][0] if summary["faces"] else None
    means = main["mean_probabilities"] if main else {}
    return {
        "video": str(name),
        "status": summary["status"],
        "error": "",
        "frames": summary["frames"],
        "frames_without_face": summary["frames_without_face"],
        "faces": len(summary["faces"]),
        "most_frequent_label": next(iter(main["labels"]), "") if main else "",
        **{f"mean_{key}": value for key, value in means.items()},
    }


def _compared(pair: Pair, results: Mapping[Path, Path]) -> dict[str, Any]:
    """How far both sides agree on the face with most frames, over the frames both have."""
    left, right = _main_face(results[pair.left] / TABLE), _main_face(results[pair.right] / TABLE)
    common = sorted(set(left) & set(right))
    answer: dict[str, Any] = {
        "left": str(pair.left),
        "right": str(pair.right),
        "common_frames": len(common),
        "same_label": None,
        "mean_difference": None,
    }
    if common:
        answer["same_label"] = sum(left[n][0] == right[n][0] for n in common) / len(common)
        answer["mean_difference"] = float(
            np.mean([np.abs(left[n][1] - right[n][1]).mean() for n in common])
        )
    return answer


def _main_face(path: Path) -> dict[int, tuple[str, NDArray[np.float64]]]:
    """Label and probabilities by frame number, of the face that has most rows."""
    faces: dict[str, dict[int, tuple[str, NDArray[np.float64]]]] = {}
    with path.open(newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        first, last = header.index("bottom") + 1, header.index("label")
        for row in rows:
            if row[2]:
                values = np.array([float(value) for value in row[first:last]])
                faces.setdefault(row[2], {})[int(row[0])] = row[last], values
    return max(faces.values(), key=len, default={})


def _write_table(path: Path, entries: list[dict[str, Any]]) -> None:
    given = (name for entry in entries for name in entry)
    names = list(dict.fromkeys(("video", "status", "error", *given)))
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file, "\r\n")
        writer.writerow(names)
        writer.writerows([entry.get(name, "") for name in names] for entry in entries)
