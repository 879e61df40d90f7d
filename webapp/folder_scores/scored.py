"""Scores of many files as one value a page can keep and draw."""

import base64
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd

from core.evaluation import Predictions
from core.labels import label_in_name
from core.scoring import FacesMode, Score, as_row, header, score_files

if TYPE_CHECKING:
    from core.predict import Predictor

THUMBNAIL = 48  # px, longer side
SMALL_FILE = 2**20  # bytes; larger pictures are read at a quarter of their size
JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What came of a set of files.

    Attributes:
        labels: The model's classes.
        table: One row a file: picture (a data address or ""), file, label (in its name, or ""),
            answer, confidence, one column a class, status, note.
        csv: The scores file, in the form of the command `classify`.
    """

    labels: tuple[str, ...]
    table: pd.DataFrame
    csv: str

    @property
    def labelled(self) -> pd.DataFrame:
        """The rows that have both a label and an answer."""
        return self.table[(self.table["label"] != "") & (self.table["answer"] != "")]

    def predictions(self) -> Predictions:
        """The labelled rows in the form the figures are computed from."""
        rows = self.labelled.reset_index(drop=True)
        facts = pd.DataFrame({"path_hash": rows["file"], "pixel_hash": rows["file"]})
        facts = facts.assign(source="folder", origin="", part="test", twin="", true=rows["label"])
        return Predictions(self.labels, pd.concat([facts, rows[list(self.labels)]], axis=1))


def score(
    files: Sequence[Path],
    root: Path,
    predictor: "Predictor",
    faces: FacesMode,
    on_progress: Callable[[int], None],
) -> Scored:
    """Score files and keep what the page shows of them.

    Args:
        files: Pictures on disk.
        root: Names are relative to this folder.
        predictor: The checkpoint.
        faces: As `score_files` takes it.
        on_progress: Called with the number of files done.
    """
    labels = predictor.labels
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header(labels))
    rows = []
    for one in score_files(files, predictor, faces=faces, on_progress=on_progress):
        name = one.path.relative_to(root).as_posix()
        cells = as_row(one, labels)
        writer.writerow([name, *cells[1:]])
        rows.append(_row(one, name, labels))
    return Scored(labels, pd.DataFrame(rows), text.getvalue())


def _row(one: Score, name: str, labels: Sequence[str]) -> dict[str, object]:
    prediction = one.prediction
    if prediction is None:
        answer, confidence, shares = "", np.nan, np.full(len(labels), np.nan)
    else:
        answer, confidence = prediction.predicted, prediction.confidence
        shares = prediction.probabilities
    unclear = prediction is not None and prediction.unclear
    return {
        "picture": thumbnail(one.path) if prediction is not None else "",
        "file": name,
        "label": label_in_name(name, labels) or "",
        "answer": answer,
        "confidence": confidence,
        **dict(zip(labels, shares.tolist(), strict=True)),
        "status": "unclear" if unclear else one.status.replace("_", " "),
        "note": one.error,
    }


def thumbnail(path: Path) -> str:
    """A small JPEG of a picture file as a data address; "" where OpenCV cannot read it."""
    large = path.stat().st_size > SMALL_FILE
    mode = cv2.IMREAD_REDUCED_COLOR_4 if large else cv2.IMREAD_COLOR
    # Not through cv2.imread: it cannot open every name that Python can.
    image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), mode)
    if image is None:
        return ""
    height, width = image.shape[:2]
    scale = THUMBNAIL / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}" if done else ""
