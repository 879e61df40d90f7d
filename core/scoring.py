"""Scores of whole folders: one row a file, whatever the file holds (paper, section 4.2)."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np

from core.errors import CoreError, ImageError
from core.files import replacing
from core.images import read_image
from core.predict import Predictor
from core.types import Image, Prediction

FacesMode = Literal["whole", "detect"]
Status = Literal["ok", "no_face", "unreadable"]
CHUNK = 128  # files decoded ahead of the network
READERS = 2  # threads; decoding releases the interpreter lock


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """What is said of one file.

    Attributes:
        path: As it was given or found.
        prediction: None where the file could not be read.
        face: "whole", or the name of the detector that found the face; empty when unreadable.
        status: "ok"; "no_face": none was found and the whole picture was scored instead;
            "unreadable".
        error: One sentence where the status is not "ok".
    """

    path: Path
    prediction: Prediction | None
    face: str
    status: Status
    error: str = ""


def list_files(paths: Sequence[Path]) -> list[Path]:
    """All files named, and all below the folders named, hidden ones left out.

    A link to nothing is listed, so that it gets a row as every other unreadable file.

    Raises:
        ImageError: A path does not exist, or there is no file at all.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (entry for entry in path.rglob("*") if entry.is_file() or _lost(entry))
            visible = (
                entry
                for entry in inside
                if not any(part.startswith(".") for part in entry.relative_to(path).parts)
            )
            found.extend(sorted(visible))
        elif path.exists() or _lost(path):
            found.append(path)
        else:
            raise ImageError(f"{path} does not exist. Give pictures or folders of pictures.")
    if not found:
        named = ", ".join(str(path) for path in paths)
        raise ImageError(f"There is no file in {named}. Give pictures or folders of them.")
    return found


def _lost(path: Path) -> bool:
    """Whether this is a link whose target is gone."""
    return path.is_symlink() and not path.exists()


def score_files(
    files: Sequence[Path],
    predictor: Predictor,
    *,
    faces: FacesMode = "whole",
    on_progress: Callable[[int], None] = lambda done: None,
) -> Iterator[Score]:
    """Score files in their order, in batches; a bad file never stops the others.

    Args:
        files: Pictures, or anything else, which is then reported as unreadable.
        predictor: The checkpoint to use.
        faces: "whole" takes each picture as one face, as data sets of crops need it; "detect" looks
            for the largest face.
        on_progress: Called with the number of files done, once a chunk.
    """
    with ThreadPoolExecutor(READERS) as readers:
        chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
        ahead = [readers.submit(_read, path, predictor, faces) for path in chunks[0]]
        done = 0
        for number, chunk in enumerate(chunks):
            waiting = ahead
            following = chunks[number + 1] if number + 1 < len(chunks) else ()
            ahead = [readers.submit(_read, path, predictor, faces) for path in following]
            yield from _scored(chunk, [future.result() for future in waiting], predictor)
            done += len(chunk)
            on_progress(done)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    pixels: Image | None
    face: str = ""
    status: Status = "ok"
    error: str = ""


def _read(path: Path, predictor: Predictor, faces: FacesMode) -> _Read:
    preprocess = predictor.card.preprocess
    try:
        image = read_image(path)
        if faces == "whole":
            return _Read(preprocess.pixels(image), "whole")
        from core.faces import find_faces

        found = find_faces(image, detector="auto", landmarks=True)
        if found.faces:
            face = found.faces[0]
            return _Read(preprocess.pixels(face.crop), face.detection.detector)
        sentence = "No face was found; the whole picture was scored."
        return _Read(preprocess.pixels(image), "whole", "no_face", sentence)
    except (CoreError, OSError) as error:
        return _Read(None, "", "unreadable", str(error))


def _scored(paths: Sequence[Path], reads: Sequence[_Read], predictor: Predictor) -> Iterator[Score]:
    usable = [read.pixels for read in reads if read.pixels is not None]
    logits = iter(predictor.logits(np.stack(usable)) if usable else ())
    for path, read in zip(paths, reads, strict=True):
        prediction = predictor.prediction(next(logits)) if read.pixels is not None else None
        yield Score(path, prediction, read.face, read.status, read.error)


def header(labels: Sequence[str]) -> list[str]:
    """Columns of the scores file: the paper's first, then ours."""
    return ["filepath", *labels, "predicted", "confidence", "face", "status", "error"]


def as_row(score: Score, labels: Sequence[str]) -> list[str]:
    """One line of the scores file, probabilities in full precision."""
    if score.prediction is None:
        empty = [""] * (len(labels) + 2)
        return [str(score.path), *empty, score.face, score.status, score.error]
    values = [repr(float(value)) for value in score.prediction.probabilities]
    said = [score.prediction.predicted, repr(score.prediction.confidence)]
    return [str(score.path), *values, *said, score.face, score.status, score.error]


def _csv(path: Path) -> IO[str]:
    return path.open("w", newline="", encoding="utf-8", errors="surrogateescape")


def write_scores(scores: Iterable[Score], labels: Sequence[str], path: Path) -> dict[str, int]:
    """Write a scores CSV as the scores come, replaced at once at the end.

    It is UTF-8 whatever the system's locale; names that are none keep their bytes.

    Returns:
        Number of rows by status.
    """
    counts: dict[str, int] = {"ok": 0, "no_face": 0, "unreadable": 0}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, _csv(temporary) as file:
        writer = csv.writer(file)
        writer.writerow(header(labels))
        for score in scores:
            writer.writerow(as_row(score, labels))
            counts[score.status] += 1
    return counts
