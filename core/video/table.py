"""A row for every face in every frame, written as the frames come."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from core.drawing import UNCLEAR
from core.faces import REGIONS
from core.files import replacing
from core.types import FrameResult, LiveFace

Shares = Mapping[int, Mapping[str, float] | None]  # region shares by the id of the face


def columns(labels: Sequence[str]) -> list[str]:
    """Names of the columns."""
    box = ["left", "top", "right", "bottom"]
    shares = [f"share_{name}" for name in REGIONS]
    return ["frame", "time", "face", *box, *labels, "label", "detected", *shares]


class FaceTable:
    """Writes the rows; made by `writing_table`."""

    def __init__(self, file: TextIO, labels: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._width = len(columns(labels))
        self._writer.writerow(columns(labels))

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
            self._writer.writerow([*start, *_cells(face, shares.get(face.id))])


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
def writing_table(path: Path, labels: Sequence[str]) -> Iterator[FaceTable]:
    """Give a table; the CSV file takes its place when the block ends well."""
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        yield FaceTable(file, labels)
