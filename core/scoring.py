"""Scores of whole folders: one row a file, whatever the file holds (paper, section 4.2)."""

import os
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.errors import ImageError
from core.files import readable
from core.images import read_image
from core.predict import Predictor
from core.types import WHOLE, Box, Image, Prediction

if TYPE_CHECKING:
    from core.faces import Found

FacesMode = Literal["auto", "whole", "detect"]
Status = Literal["ok", "no_face", "unreadable"]
CHUNK = 128  # files decoded ahead of the network
# In which Windows and macOS keep how a folder is shown.
_OF_FOLDERS = {b"thumbs.db", b"ehthumbs.db", b"desktop.ini", b".ds_store"}
BOX = ("left", "top", "right", "bottom")  # columns of a face's box
READERS = 2  # threads; decoding releases the interpreter lock


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """What is said of one file, or of one face of it.

    Attributes:
        path: As it was given or found.
        prediction: None where the file could not be read or nothing in it was scored.
        face: "whole", or the name of the detector that found the face; else empty.
        status: "ok"; "no_face": none was found, and the whole picture was scored instead by
            "detect", nothing by "auto"; "unreadable".
        error: One sentence where the status is not "ok".
        read_as: What was scored: "face", "whole" for the whole picture, or "face, turned 90" (180,
            270) where the picture was turned by so many degrees clockwise; empty for nothing.
        faces: Number of faces found; None where none was looked for.
        box: The face's box, in pixels of the picture turned as `read_as` says.
        note: Sentences that a user should see although there is a score.
    """

    path: Path
    prediction: Prediction | None
    face: str
    status: Status
    error: str = ""
    read_as: str = ""
    faces: int | None = None
    box: Box | None = None
    note: str = ""


def list_files(paths: Sequence[Path]) -> list[Path]:
    """All files named, and all below the folders named, each once; hidden ones are left out.

    So are the files in which Windows and macOS keep how a folder is shown.
    A link to nothing is listed, so that it gets a row as every other unreadable file.

    Raises:
        ImageError: A path does not exist, or there is no file at all.
    """
    found = [Path(os.fsdecode(file)) for _, _, file in sorted(walk_files(paths))]
    if not found:
        raise no_file(paths)
    return found


def walk_files(
    paths: Sequence[Path], without: Path | None = None
) -> Iterator[tuple[int, bytes, bytes]]:
    """The files of `list_files` in no order, one at a time.

    Args:
        paths: Files and folders; what an earlier one has already led to is passed over.
        without: A file that is left out wherever it is met.

    Yields:
        Number of the argument, a key that sorts as the parts of the path do, and the path.

    Raises:
        ImageError: A path does not exist.
    """
    seen: set[bytes] = set()  # places named before
    out = None if without is None else _place(without)
    for number, path in enumerate(paths):
        root, place = os.fsencode(path), _place(path)
        if path.is_dir():
            found: Iterator[tuple[bytes, bytes]] = (
                (os.path.relpath(file, root), file) for file in _below(root)
            )
        elif path.exists() or path.is_symlink():
            found = iter(((b"", root),))
        else:
            raise ImageError(f"{path} does not exist. Give pictures or folders of pictures.")
        for inside, file in found:
            real = b"/".join((place, inside)) if inside else place
            own = real == out or real.rpartition(b"/")[2].lower() in _OF_FOLDERS
            if not own and not _is_seen(real, seen):
                yield number, inside.replace(b"/", b"\0"), file
        seen.add(place)


def _place(path: Path) -> bytes:
    """Where a folder really is, or a file, itself not followed where it is a link."""
    return os.fsencode(path.resolve() if path.is_dir() else path.parent.resolve() / path.name)


def _is_seen(file: bytes, seen: Set[bytes]) -> bool:
    """Whether a file was named, or is visible below a folder that was."""
    if file in seen:
        return True
    above, name = os.path.split(file)
    while seen and name and not name.startswith(b"."):
        if above in seen:
            return True
        above, name = os.path.split(above)
    return False


def no_file(paths: Sequence[Path]) -> ImageError:
    """What to raise where there is no file at all."""
    named = ", ".join(str(path) for path in paths)
    return ImageError(f"There is no file in {named}. Give pictures or folders of them.")


def _below(folder: bytes) -> Iterator[bytes]:
    """Visible files below a folder; links to folders are not followed."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.name.startswith(b"."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file() or _lost(entry):
                    yield entry.path


def _lost(entry: os.DirEntry[bytes]) -> bool:
    """Whether this is a link whose target is gone."""
    return entry.is_symlink() and not Path(os.fsdecode(entry.path)).exists()


def score_files(
    files: Sequence[Path],
    predictor: Predictor,
    *,
    faces: FacesMode = "auto",
    all_faces: bool = False,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Iterator[Score]:
    """Score files in their order, in batches; a bad file never stops the others.

    Args:
        files: Pictures, or anything else, which is then reported as unreadable.
        predictor: The checkpoint to use.
        faces: "auto" looks for the largest face; where there is none, or it fills the picture, a
            picture that is small and square enough to be a crop is taken whole, and another not
            scored. "whole" takes each picture as one face without a look, "detect" as "auto", but
            any picture without a face is taken whole.
        all_faces: Whether every face gets a row, largest first, not only the largest.
        on_progress: Called with the number of files done, once a chunk.
    """
    with ThreadPoolExecutor(READERS) as readers:
        chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
        read = partial(_read, predictor=predictor, faces=faces, all_faces=all_faces)
        ahead = [readers.submit(read, path) for path in files[:CHUNK]]
        done = 0
        for number, chunk in enumerate(chunks):
            waiting = ahead
            following = chunks[number + 1] if number + 1 < len(chunks) else ()
            ahead = [readers.submit(read, path) for path in following]
            yield from _scored([one for future in waiting for one in future.result()], predictor)
            done += len(chunk)
            on_progress(done)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A row before the network has seen its pixels, None where there are none.

    They are uint8 (S, S), in colour (S, S, 3).
    """

    row: Score
    pixels: Image | None = None


def _read(path: Path, predictor: Predictor, faces: FacesMode, all_faces: bool) -> list[_Read]:
    pixels = predictor.card.preprocess.pixels
    try:
        image = read_image(path)
        if faces == "whole":
            return [_Read(Score(path, None, WHOLE, "ok", read_as=WHOLE), pixels(image))]
        from core.faces import halved_note, search_faces

        found = search_faces(image, small=all_faces)
        if found.detections:
            note = halved_note(image, path)
            found = replace(found, notes=(*found.notes, note)) if note else found
            return _found_in(path, found, pixels, all_faces)
        if faces == "auto":
            sentence = f"{' '.join(found.notes)} It was not scored."
            return [_Read(Score(path, None, "", "no_face", sentence, faces=0))]
        sentence = "No face was found; the whole picture was scored."
        row = Score(path, None, WHOLE, "no_face", sentence, WHOLE, 0)
        return [_Read(row, pixels(image))]
    except (ImageError, OSError) as error:  # not FaceError, which every other file would meet, too
        return [_Read(Score(path, None, "", "unreadable", readable(str(error))))]


def _found_in(
    path: Path, found: "Found", pixels: Callable[[Image], Image], all_faces: bool
) -> list[_Read]:
    """The rows of a picture in which faces were found, or which is one itself."""
    from core.faces import frame_face

    first = found.detections[0]
    if first.detector == WHOLE:
        count = int(first.is_seen)  # a face that fills the picture, or none
        row = Score(path, None, WHOLE, "ok", "", WHOLE, count, note=" ".join(found.notes))
        return [_Read(row, pixels(found.image))]
    count = len(found.detections)
    notes = list(found.notes)
    if count > 1 and not all_faces:
        notes.insert(0, f"{count} faces were found; the largest was scored.")
    rows = []
    for each in found.detections if all_faces else (first,):
        how = read_as(each.detector, found.turned)
        row = Score(path, None, each.detector, "ok", "", how, count, each.box, " ".join(notes))
        rows.append(_Read(row, pixels(frame_face(found.image, each).crop)))
    return rows


def read_as(detector: str, turned: int = 0) -> str:
    """What a row says was scored: "whole", "face", or "face, turned 90" and so on.

    Args:
        detector: Which found the face; "whole" for the whole picture.
        turned: Degrees clockwise by which the picture was turned.
    """
    if detector == WHOLE:
        return detector
    return f"face, turned {turned}" if turned else "face"


def _scored(reads: Sequence[_Read], predictor: Predictor) -> Iterator[Score]:
    usable = [read.pixels for read in reads if read.pixels is not None]
    logits = iter(predictor.logits(np.stack(usable)) if usable else ())
    for read in reads:
        prediction = predictor.prediction(next(logits)) if read.pixels is not None else None
        yield replace(read.row, prediction=prediction)


def header(labels: Sequence[str]) -> list[str]:
    """Columns of the scores file: the paper's first, then ours."""
    said = ("predicted", "confidence", "face", "status", "error")
    return ["filepath", *labels, *said, "read_as", "faces", *BOX, "note", "unclear"]


def as_row(score: Score, labels: Sequence[str]) -> list[str]:
    """One line of the scores file, probabilities in full precision.

    Bytes in a file's name that are no text stand as `readable` has them.
    """
    prediction = score.prediction
    if prediction is None:
        said = [""] * (len(labels) + 2)
    else:
        values = [repr(float(value)) for value in prediction.probabilities]
        said = [*values, prediction.predicted, repr(prediction.confidence)]
    count = "" if score.faces is None else str(score.faces)
    box = ["" if score.box is None else str(getattr(score.box, edge)) for edge in BOX]
    unclear = ""
    if prediction is not None and prediction.threshold > 0:
        unclear = str(prediction.unclear).lower()
    told = [score.face, score.status, score.error, score.read_as, count, *box, score.note, unclear]
    return [readable(score.path), *said, *told]
