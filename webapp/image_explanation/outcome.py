"""What came of each file: the work, its pictures and cards, and files to take away."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core import ImageResult
from core.explained import as_json
from core.scoring import Score, as_row, header, read_as
from core.tabular import CsvWriter
from webapp import cache, widgets
from webapp.cache import Answer
from webapp.errors import sentence
from webapp.inputs import Picture, choose_sample
from webapp.text import counted, literal

if TYPE_CHECKING:
    from core.predict import Predictor

HOW_TO_BEGIN = (
    "Upload one or more photos, choose **Sample photo**, or take a picture with **Camera**. "
    "Pictures stay in the memory of the machine that runs this app, and only for your visit."
)
WHAT_HELPS = (
    "Another face detector may find it. Faces are found best where they look at the camera, "
    "stand upright, are evenly lit and at least 30 pixels high."
)


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
            return [Score(path, None, "", "no_face", "No face was found.", faces=0)]
        return [
            Score(
                path,
                answer.prediction,
                answer.detector,
                "ok",
                read_as=read_as(answer.detector, answer.turned),
                faces=answer.faces,
                box=answer.box,
                note=" ".join(answer.notes),
            )
            for answer in self.answers
        ]


def scores_csv(outcomes: Iterable[Outcome], labels: Sequence[str]) -> str:
    """A row a face, and one for every file without; no file is left out.

    Args:
        outcomes: One a file.
        labels: The checkpoint's classes, which become columns.
    """
    file = io.StringIO()
    writer = CsvWriter(file)
    writer.writerow(header(labels))
    for outcome in outcomes:
        writer.writerows(as_row(score, labels) for score in outcome.scores())
    return file.getvalue()


def numbers_json(result: ImageResult, name: str, checkpoint: str) -> str:
    """Boxes, landmarks, probabilities and the map of every class, as text."""
    return json.dumps(as_json(result, image=name, checkpoint=checkpoint), indent=1)


def ready_picture(
    folder: Path | None, chosen: list[Picture], detector: str
) -> "tuple[Predictor, Picture] | None":
    """The loaded checkpoint and the picture to show.

    Args:
        folder: Of the checkpoint; None where there is none, which the page then has said.
        chosen: The visitor's pictures.
        detector: Which looks for faces.

    Returns:
        None where something is missing; the page then says what.
    """
    if folder is None:
        return None
    begin = st.empty()  # so that the instruction goes as soon as there is a picture
    if not chosen:
        with begin.container():
            st.info(HOW_TO_BEGIN)
            st.button("Try the sample photo", key="try sample", on_click=choose_sample)
        return None
    model = widgets.loaded(folder)
    if model is None:
        return None
    with begin, st.spinner("Looking for faces …"):
        found = outcomes(folder, chosen, detector)
    begin.empty()
    for outcome in found:
        if outcome.error:
            st.error(literal(f"{outcome.name}: {outcome.error}"))
    picture = picture_picker(chosen, found, model.labels)
    return None if picture is None else (model, picture)


def outcomes(folder: Path, chosen: list[Picture], detector: str) -> list[Outcome]:
    """Analyse every file; one that cannot be read gets a sentence, and the others go on."""
    found = []
    bar = st.progress(0.0) if len(chosen) > 1 else None
    for number, picture in enumerate(chosen):
        if bar is not None:
            text = f"{number + 1} of {counted(len(chosen), 'file')}: {literal(picture.name)}"
            bar.progress(number / len(chosen), text=text)
        try:
            found.append(Outcome(picture.name, cache.answers(folder, picture, detector)))
        except Exception as error:  # noqa: BLE001 - `sentence` logs; the other files go on
            found.append(Outcome(picture.name, error=sentence(error)))
    if bar is not None:
        bar.empty()
    return found


def picture_picker(
    chosen: list[Picture], found: list[Outcome], labels: tuple[str, ...]
) -> Picture | None:
    """The picture to show in full; None where none could be read."""
    readable = [number for number, outcome in enumerate(found) if not outcome.error]
    if len(chosen) == 1:
        return chosen[0] if readable else None
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    right.download_button(
        "Scores of all files (CSV)",
        lambda: scores_csv(found, labels),
        "scores.csv",
        "text/csv",
        key="all_scores",
        on_click="ignore",
        width="stretch",
    )
    if not readable:
        return None
    number = left.selectbox(
        f"Picture shown, of {counted(len(chosen), 'file')}",
        readable,
        format_func=lambda number: _summary(found[number]),
        key="shown",
    )
    return chosen[number]


def _summary(outcome: Outcome) -> str:
    named = [answer.prediction for answer in outcome.answers]
    said = ", ".join("unclear" if one.unclear else one.predicted for one in named)
    return f"{outcome.name}: {said or 'no face found'}"


def no_face(result: ImageResult) -> str:
    """What to tell of a picture without a face, and what helps."""
    return f"{literal(' '.join(result.notes))} {WHAT_HELPS}"
