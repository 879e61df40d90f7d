"""Several methods side by side, each for every expression (paper, Figure 5, as a grid)."""

from dataclasses import dataclass, replace

import streamlit as st

from core import CoreError, Explanation
from core.drawing import COLOURS_IN_WORDS, ONLY_AGAINST, Style, default_colours
from core.explain import EXPLAINERS, SLOW_PASSES, recommended_method, stored_faithfulness
from core.types import Image
from webapp import pictures
from webapp.errors import sentence
from webapp.faithfulness_badges import badges, row_title, show_numbers
from webapp.image_explanation import downloads
from webapp.image_explanation.subject import Subject
from webapp.picture_rows import Plate, Row, Tile, plate_html, plate_sheet
from webapp.text import counted, literal, percent
from webapp.waiting import Waiting, passes_shown

ALWAYS = ("grad_cam", "layer_cam", "hires_cam", "saliency")
ON_FACE, ALONE = "On the face", "Alone"


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Maps of the methods that apply, and why the others do not."""

    explanations: tuple[Explanation, ...]
    refused: tuple[tuple[str, str], ...]


def show(subject: Subject, style: Style) -> None:
    """Draw the view."""
    chosen = st.multiselect(
        "Methods",
        list(EXPLAINERS),
        default=first_choice(subject),
        format_func=_option,
        key="methods",
        help="A row a method. The slow ones take seconds to minutes for all expressions.",
    )
    way = st.segmented_control(
        "Maps", (ON_FACE, ALONE), default=ON_FACE, required=True, key="methods way"
    )
    if not chosen:
        st.info("Choose at least one method.")
        return
    compared = _compared(subject, chosen)
    for name, reason in compared.refused:
        st.warning(f"{literal(EXPLAINERS[name].title)} does not apply: {literal(reason)}")
    if not compared.explanations:
        return
    plate = methods_plate(subject, compared.explanations, style, on_face=way == ON_FACE)
    st.html(plate_html(plate))
    st.caption(
        "Each row has a colour scale of its own, shared by its expressions: methods measure in "
        f"different units. {COLOURS_IN_WORDS}. "
        f"{pictures.emptiness_in_words(tile.mark for row in plate.rows for tile in row.tiles)} "
        "The badges are measured over many test faces, for the predicted expression."
    )
    with st.expander(
        "The numbers behind the badges", key="methods numbers", on_change="rerun"
    ) as x:
        if x.open:
            report = stored_faithfulness(subject.folder)
            for one in compared.explanations:
                st.markdown(f"**{literal(EXPLAINERS[one.method].title)}**")
                show_numbers(report, one.method, one.layer)
    title = _title(subject)
    downloads.offer(
        subject,
        "methods",
        lambda: plate_sheet(with_layers(plate, compared.explanations), title),
        lambda: downloads.as_text(
            {
                "checkpoint": subject.folder.name,
                "methods": [downloads.map_values(one) for one in compared.explanations],
                "refused": dict(compared.refused),
            }
        ),
    )


def first_choice(subject: Subject) -> list[str]:
    """The chosen method, the recommended one, and quick ones of several kinds."""
    wanted = {subject.method, recommended_method(subject.folder), *ALWAYS}
    return [
        name
        for name, info in EXPLAINERS.items()
        if name in wanted and (info.passes < SLOW_PASSES or name == subject.method)
    ]


def _option(name: str) -> str:
    info = EXPLAINERS[name]
    return f"{info.title} (slow)" if info.passes >= SLOW_PASSES else info.title


def _compared(subject: Subject, chosen: list[str]) -> Compared:
    """The maps of each method; what was computed before is at hand."""
    explanations, refused = [], []
    waiting = Waiting((subject.key, tuple(chosen)), "cancel methods")
    if waiting.was_cancelled:
        waiting.offer("The slow ones were cancelled; take them out above, or go on.")
    for number, name in enumerate(chosen):
        info = EXPLAINERS[name]
        one = subject if name == subject.method else subject.by(name)
        slow = info.passes >= SLOW_PASSES and one.explanation_at_hand() is None
        if slow and waiting.was_cancelled:
            continue

        def show(share: float, words: str, number: int = number) -> None:
            waiting.show((number + share) / len(chosen), words)

        try:
            with passes_shown(show, info.title, info.passes * len(one.predictor.labels)):
                explanations.append(one.explanation())
        except CoreError as error:
            refused.append((name, sentence(error)))
    if not waiting.was_cancelled:
        waiting.end()
    return Compared(tuple(explanations), tuple(refused))


def methods_plate(
    subject: Subject, explanations: tuple[Explanation, ...], style: Style, *, on_face: bool
) -> Plate:
    """Rows methods, columns expressions; maps that seem empty are marked."""
    prediction = subject.face.prediction
    shares = dict(zip(prediction.labels, prediction.probabilities.tolist(), strict=True))
    report = stored_faithfulness(subject.folder)
    face = pictures.face_alone(subject.face) if on_face else None
    headings = tuple((label, percent(shares[label])) for label in prediction.labels)
    rows = []
    for one in explanations:
        tiles = tuple(_tile(face, one, label, style) for label in prediction.labels)
        rows.append(Row(row_title(one), tiles, badges(report, one.method, one.layer)))
    return Plate(headings, tuple(rows))


def with_layers(plate: Plate, explanations: tuple[Explanation, ...]) -> Plate:
    """The same with the layers' own names, for a figure to take away."""
    rows = zip(plate.rows, explanations, strict=True)
    return replace(
        plate, rows=tuple(replace(row, title=row_title(one, named=True)) for row, one in rows)
    )


def _tile(face: Image | None, explanation: Explanation, label: str, style: Style) -> Tile:
    """One map on the face, or alone where there is none."""
    if explanation.signed or style.colours == "diverging":
        style = replace(style, colours=default_colours(signed=explanation.signed))
    evidence, scale = explanation.map_of(label), explanation.scale
    title = EXPLAINERS[explanation.method].title
    if face is None:
        drawn = pictures.evidence_alone(evidence, scale, style)
    else:
        drawn = pictures.evidence_on_face(face, evidence, scale, style)
    mark = pictures.emptiness(evidence, scale)
    words = (ONLY_AGAINST,) if explanation.speaks_only_against(label) else ()
    return Tile(drawn, f"{title}, evidence for {label}", words, mark)


def _title(subject: Subject) -> str:
    answer = subject.face.prediction
    count = counted(len(answer.labels), "expression")
    return f"Evidence for {count}; the network answers {answer.predicted}"
