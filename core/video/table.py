"""The files an analysis leaves: rows, shares and the summary of a video as it runs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from core.drawing import UNCLEAR
from core.errors import VideoError
from core.explain import cell_shares, evidence_shares, fit_masks
from core.faces import REGIONS, regions
from core.files import read_object, replacing, write_json
from core.preprocess import Preprocess
from core.tabular import CsvWriter
from core.types import Explanation, Face, FrameResult, LiveFace

ANNOTATED, TABLE, SUMMARY = "annotated.mp4", "faces.csv", "summary.json"
Shares = Mapping[int, Mapping[str, float] | None]  # region shares by the id of the face
CAVEAT = (
    "Labels are how raters would label the expression in a picture, not what a person feels. "
    "Ids follow a face while it is in view; they do not recognise a person."
)
_SLOWEST = 2000  # milliseconds; longer frames count as this long
RELATIVE = "relative"  # column: 1 where scores are relative to a resting face
_PLACE = ("frame", "time", "face", "left", "top", "right", "bottom")


def columns(labels: Sequence[str]) -> list[str]:
    """Names of the columns."""
    shares = [f"share_{name}" for name in REGIONS]
    return [*_PLACE, *labels, "label", "detected", *shares]


def is_table(path: Path) -> bool:
    """Whether a file is a table of an analysis, by the names of its first columns."""
    return first_line(path).startswith(",".join(_PLACE))


def first_line(path: Path) -> str:
    """The beginning of a text file's first line, 200 bytes at most; empty where there is none."""
    try:
        with path.open("rb") as file:
            return file.readline(200).decode(errors="replace").strip()
    except OSError:
        return ""


def is_annotated(path: Path) -> bool:
    """Whether a file is the annotated video of an analysis, by the summary beside it."""
    if path.name != ANNOTATED:
        return False
    files = read_object(path.with_name(SUMMARY)).get("files")
    return isinstance(files, dict) and files.get("annotated") == ANNOTATED


def leave_others_alone(source: Path, out: Path, *, annotated: bool) -> None:
    """Refuse to overwrite what no analysis wrote, or the film to be analysed.

    Args:
        source: That film.
        out: Folder for the results.
        annotated: Whether an annotated video is written.

    Raises:
        VideoError: Such a file has the name of a result.
    """
    table, summary, film = (out / name for name in (TABLE, SUMMARY, ANNOTATED))
    analysed = is_table(table)
    own = {table: analysed, summary: "status" in read_object(summary)}
    # Whoever is killed behind its film leaves a table, which is there before, and no summary.
    if annotated:
        own[film] = is_annotated(film) or (analysed and not summary.exists())
    if film.exists() and source.exists() and film.samefile(source):
        own[film] = False
    refuse_others(own)


def refuse_others(results: Mapping[Path, bool]) -> None:
    """Refuse to overwrite what no analysis wrote.

    Args:
        results: Files that would be written, which need not be there; whether an analysis wrote
            what is there now.

    Raises:
        VideoError: Another wrote one of them.
    """
    for path, ours in results.items():
        if path.exists() and not ours:
            raise VideoError(
                f"{path} would be replaced, but no analysis has written it. Choose another folder "
                "for the results, or rename that file."
            )


class FaceTable:
    """Writes the rows; made by `open_table`."""

    def __init__(self, file: TextIO, labels: Sequence[str], *, resting: bool) -> None:
        self._writer = CsvWriter(file, "\r\n")
        self._resting = resting
        names = [*columns(labels), *([RELATIVE] if resting else [])]
        self._width = len(names)
        self._writer.writerow(names)

    def add(self, number: int, time: float, result: FrameResult, shares: Shares) -> None:
        """Append a frame; one without a face gets a row with nothing but its time.

        Args:
            number: Of the frame.
            time: Seconds from the beginning of the file.
            result: What was found.
            shares: Region shares by face id; an absent one leaves its cells empty.
        """
        start = [str(number), f"{time:.4f}"]
        if not result.faces:
            self._writer.writerow([*start, *[""] * (self._width - len(start))])
        for face in result.faces:
            last = [str(int(face.resting == 1))] if self._resting else []
            self._writer.writerow([*start, *_cells(face, shares.get(face.id)), *last])


def _cells(face: LiveFace, shares: Mapping[str, float] | None) -> Iterator[str]:
    yield str(face.id)
    for edge in (face.box.left, face.box.top, face.box.right, face.box.bottom):
        yield str(edge)
    for share in face.prediction.probabilities:
        yield f"{float(share):.6f}"
    yield face.label or UNCLEAR
    yield str(int(face.detected))
    for name in REGIONS:
        yield "" if shares is None else f"{shares[name]:.4f}"


@contextmanager
def open_table(path: Path, labels: Sequence[str], *, resting: bool = False) -> Iterator[FaceTable]:
    """Give a table; the CSV file takes its place when the block ends well.

    Args:
        path: Of the file.
        labels: Class names.
        resting: Whether scores may be relative to a resting face: a last column says which are.
    """
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        yield FaceTable(file, labels, resting=resting)


@dataclass(slots=True, eq=False)
class _FaceSum:
    first: float
    last: float
    probabilities: NDArray[np.float64]
    frames: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    began: str = ""
    shown: str = ""
    shares: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(REGIONS)))
    mapped: int = 0

    def take(self, later: "_FaceSum") -> None:
        """Add what was seen of the face behind this."""
        self.changes += later.changes + (later.began != self.shown)
        self.last, self.shown = later.last, later.shown
        self.frames += later.frames
        self.mapped += later.mapped
        self.labels.update(later.labels)
        self.probabilities += later.probabilities
        self.shares += later.shares


class Summary:
    """Sums over the frames of a video.

    Args:
        labels: Class names.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._faces: dict[int, _FaceSum] = {}
        self._milliseconds = np.zeros(_SLOWEST + 1, np.int64)
        self._empty = 0

    def add(self, time: float, result: FrameResult, shares: Shares) -> None:
        """Take in a frame; arguments as for `FaceTable.add`."""
        self._milliseconds[min(round(1000 * result.seconds), _SLOWEST)] += 1
        self._empty += not result.faces
        for face in result.faces:
            self._add_face(time, face, shares)

    def _add_face(self, time: float, face: LiveFace, shares: Shares) -> None:
        probabilities = face.prediction.probabilities
        known = self._faces.get(face.id)
        if known is None:
            known = self._faces[face.id] = _FaceSum(time, time, np.zeros(len(probabilities)))
        label = face.label or UNCLEAR
        known.began = known.began or label
        known.changes += known.frames > 0 and label != known.shown
        known.frames, known.last, known.shown = known.frames + 1, time, label
        known.labels[label] += 1
        known.probabilities += probabilities
        own = shares.get(face.id)
        if own is not None:
            known.shares += [own[name] for name in REGIONS]
            known.mapped += 1

    def sums(self) -> dict[str, Any]:
        """All that was summed up as plain values, for `take`."""
        faces = {
            str(key): {
                **asdict(known),
                "labels": dict(known.labels),
                "probabilities": known.probabilities.tolist(),
                "shares": known.shares.tolist(),
            }
            for key, known in self._faces.items()
        }
        counted = np.flatnonzero(self._milliseconds)
        times = {str(one): int(self._milliseconds[one]) for one in counted}
        return {"faces": faces, "milliseconds": times, "empty": self._empty}

    def take(self, sums: Mapping[str, Any], ids: Mapping[int, int]) -> None:
        """Take in what another summary gave of the frames behind these.

        Args:
            sums: What its `sums` gave.
            ids: The face here that each face there is.
        """
        self._empty += sums["empty"]
        for one, count in sums["milliseconds"].items():
            self._milliseconds[int(one)] += count
        for key, values in sums["faces"].items():
            later = _FaceSum(
                **{
                    **values,
                    "labels": Counter(values["labels"]),
                    "probabilities": np.array(values["probabilities"]),
                    "shares": np.array(values["shares"]),
                }
            )
            known = self._faces.setdefault(ids[int(key)], later)
            if known is not later:
                known.take(later)

    def to_json(self) -> dict[str, Any]:
        """Plain values: frames, faces (most frames first) and times a frame."""
        ranked = sorted(self._faces.items(), key=lambda entry: -entry[1].frames)
        return {
            "frames": int(self._milliseconds.sum()),
            "frames_without_face": self._empty,
            "faces": [self._face(key, known) for key, known in ranked],
            "frame_milliseconds": {"median": self._quantile(0.5), "p95": self._quantile(0.95)},
            "caveat": CAVEAT,
        }

    def _face(self, key: int, known: _FaceSum) -> dict[str, Any]:
        means = known.probabilities / known.frames
        regions = None
        if known.mapped:
            values = known.shares / known.mapped
            regions = dict(zip(REGIONS, values.tolist(), strict=True))
        return {
            "face": key,
            "first": known.first,
            "last": known.last,
            "frames": known.frames,
            "label_changes": known.changes,
            "labels": {name: count / known.frames for name, count in known.labels.most_common()},
            "mean_probabilities": dict(zip(self._labels, means.tolist(), strict=True)),
            "mean_region_shares": regions,
        }

    def _quantile(self, share: float) -> int:
        """Milliseconds below which this share of the frames took."""
        reached = np.cumsum(self._milliseconds)
        return int(np.searchsorted(reached, share * reached[-1])) if reached[-1] else 0


def region_shares(
    face: Face, explanation: Explanation, label: str, preprocess: Preprocess
) -> dict[str, float] | None:
    """Share of the positive evidence for a class in each region, as for a photo.

    Args:
        face: With landmarks.
        explanation: Of that face.
        label: The class.
        preprocess: What the explained network's pictures go through.

    Returns:
        One number a region of `core.faces.REGIONS`, 0 to 1, sum 1; None for a blank map or where
        there are no landmarks.
    """
    points = face.crop_landmarks
    if points is None:
        return None
    masks = fit_masks(regions(points, face.crop.shape[0]), preprocess)
    heat = explanation.map_of(label).astype(np.float64)
    shares = evidence_shares(heat, cell_shares(masks, *heat.shape))
    return None if shares is None else dict(zip(masks, shares.tolist(), strict=True))


def conclude(
    out: Path,
    summary: Summary,
    settings: Mapping[str, Any],
    *,
    status: str,
    seconds: float,
    elapsed: float,
    notes: Sequence[str],
    origin: Mapping[str, Any],
    part: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write the summary that ends an analysis; a film of an earlier one does not stay beside it.

    Args:
        out: Folder of the results.
        summary: What was seen.
        settings: What was asked for, plain values.
        status: "finished" or "stopped".
        seconds: Of the film.
        elapsed: Seconds of work.
        notes: What to know, in sentences.
        origin: "video", "source" and "origin" of the summary: what it was made from.
        part: What joining needs to know of a part of a film.
    """
    film = ANNOTATED if settings["annotated"] else None
    report = {
        **origin,
        "status": status,
        "seconds": seconds,
        **summary.to_json(),
        "elapsed": elapsed,
        "times_real_time": seconds / elapsed,
        "settings": settings,
        "notes": list(notes),
        "files": {"table": TABLE, "annotated": film},
        **({} if part is None else {"part": part}),
    }
    if film is None and is_annotated(out / ANNOTATED):
        (out / ANNOTATED).unlink()
    write_json(out / SUMMARY, report)
    return report
