"""Results as files to take away; their forms are those of the command line."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core import ImageResult
from core.explained import as_json
from core.scoring import Score, as_row, header
from webapp.cache import Answer


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of one file: its faces, or the reason why there are none.

    Attributes:
        name: Of the file.
        answers: One a face, largest face first.
        error: The sentence shown; "" where the file could be read.
    """

    name: str
    answers: tuple[Answer, ...] = ()
    error: str = ""

    def scores(self) -> list[Score]:
        """A row a face; a file without one has a row that says why."""
        path = Path(self.name)
        if self.error:
            return [Score(path, None, "", "unreadable", self.error)]
        if not self.answers:
            return [Score(path, None, "", "no_face", "No face was found.")]
        return [Score(path, answer.prediction, answer.detector, "ok") for answer in self.answers]


def scores_csv(outcomes: Iterable[Outcome], labels: Sequence[str]) -> str:
    """A row a face, and one for every file without; no file is left out.

    Args:
        outcomes: One a file.
        labels: The checkpoint's classes, which become columns.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header(labels))
    for outcome in outcomes:
        writer.writerows(as_row(score, labels) for score in outcome.scores())
    return file.getvalue()


def numbers_json(result: ImageResult, name: str, checkpoint: str) -> str:
    """Boxes, landmarks, probabilities and the map of every class, as text."""
    return json.dumps(as_json(result, image=name, checkpoint=checkpoint), indent=1)
