"""Why this and not that: the evidence that decides between two expressions."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core import Explanation
from core.drawing import COLOURS_IN_WORDS, Style
from core.explain import EXPLAINERS, contrast_map, region_evidence, stored_faithfulness
from core.types import FINE_CELLS, evidence_scale
from webapp import pictures
from webapp.chart_frame import draw_chart
from webapp.charts.faithfulness import part_bars, told
from webapp.faithfulness_badges import show_badges
from webapp.figure_file import Sheet, stacked
from webapp.image_explanation import downloads
from webapp.image_explanation.subject import Subject, signed_method
from webapp.picture_rows import Plate, Row, Tile, plate_html, plate_sheet
from webapp.text import literal


def show(subject: Subject, style: Style) -> None:
    """Draw the view."""
    labels = subject.predictor.labels
    if len(labels) < 2:
        st.info("This checkpoint knows one expression only: there is nothing to compare.")
        return
    label, other = _pair(subject, labels)
    if label == other:
        st.info("Choose two different expressions.")
        return
    if not EXPLAINERS[subject.method].signed:
        title, signed = EXPLAINERS[subject.method].title, signed_method(subject)
        st.info(
            f"{literal(title)} keeps only what speaks for an expression, so the difference of two "
            "of its maps does not tell what decides between them. "
            f"{EXPLAINERS[signed].title} stands in here: it is signed."
        )
        subject = subject.by(signed)
    explanation = subject.explanation()
    show_badges(
        stored_faithfulness(subject.folder),
        explanation.method,
        explanation.layer,
        "contrast badges",
    )
    row = contrast_plate(subject, explanation, label, other, style)
    st.html(plate_html(row))
    st.caption(
        f"{COLOURS_IN_WORDS}. The strongest colour stands for "
        "{:.2g} in the first two pictures, for {:.2g} in the third. ".format(
            *scales(explanation, label, other)
        )
        + sums(subject, explanation, label, other)
    )
    if said := pictures.emptiness_in_words(tile.mark for tile in row.rows[0].tiles):
        st.caption(said)
    names, values = _by_parts(subject, explanation, label, other)
    if names:
        st.markdown(f"##### Which parts speak for {label} rather than {other}")
        draw_chart(
            part_bars(names, values, "logits"),
            key="contrast bars",
            alt=", ".join(f"{n} {told(v, 'logits')}" for n, v in zip(names, values, strict=True)),
        )
    downloads.offer(
        subject,
        "contrast",
        lambda: contrast_sheet(row, label, other, names, values),
        lambda: downloads.as_text(_values(explanation, label, other, names, values)),
    )


def _pair(subject: Subject, labels: tuple[str, ...]) -> tuple[str, str]:
    """The two expressions: at first the answer and the runner-up."""
    order = np.argsort(-subject.face.prediction.probabilities, kind="stable")
    left, right = st.columns(2)
    _, _, digest, detector, number = subject.key
    key = f"{digest} {detector} {number}"  # another face begins with its own two
    first = left.selectbox("Why this …", labels, index=int(order[0]), key=f"this {key}")
    second = right.selectbox("… and not that", labels, index=int(order[1]), key=f"that {key}")
    return first, second


def contrast_plate(
    subject: Subject, explanation: Explanation, label: str, other: str, style: Style
) -> Plate:
    """The maps of both expressions on one scale, and of their difference on its own."""
    own, against = explanation.map_of(label), explanation.map_of(other)
    difference = contrast_map(explanation, label, other)
    shared, alone = scales(explanation, label, other)
    face = pictures.face_alone(subject.face)
    signed = replace(style, colours="diverging")
    tiles = []
    for name, values, scale in (
        (label, own, shared),
        (other, against, shared),
        (f"{label} rather than {other}", difference, alone),
    ):
        drawn = pictures.evidence_on_face(face, values, scale, signed)
        mark = pictures.emptiness(values, scale)
        tiles.append(Tile(drawn, f"Evidence for {name}", mark=mark))
    headings = (("for", label), ("for", other), (label, f"rather than {other}"))
    return Plate(headings, (Row("", tuple(tiles)),))


def scales(explanation: Explanation, label: str, other: str) -> tuple[float, float]:
    """What the strongest colour stands for: in both single maps, and in their difference."""
    single = max(explanation.scale_of(name) for name in (label, other))
    return single, evidence_scale(contrast_map(explanation, label, other))


def sums(subject: Subject, explanation: Explanation, label: str, other: str) -> str:
    """How the map's cells compare with the difference of the logits they stand for."""
    logits = subject.face.prediction.logits
    places = [explanation.labels.index(name) for name in (label, other)]
    apart = float(logits[places[0]] - logits[places[1]])
    total = float(contrast_map(explanation, label, other).sum())
    text = (
        f"The values of the difference, field by field (cells), add up to {total:+.2f}; the "
        f"network's scores for the two (logits) differ by {apart:+.2f}. "
    )
    if explanation.complete:
        return text + "The map is complete: the rest is a constant that no place of the face holds."
    return text + "At this layer the map is not complete, so the two need not agree."


def _by_parts(
    subject: Subject, explanation: Explanation, label: str, other: str
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Evidence of each part; empty where parts cannot be told apart."""
    masks = subject.masks()
    if not masks or min(explanation.maps.shape[1:]) < FINE_CELLS:
        return (), ()
    found = region_evidence(explanation, masks, label, other)
    return tuple(one.region for one in found), tuple(one.contrast for one in found)


def contrast_sheet(
    row: Plate, label: str, other: str, names: tuple[str, ...], values: tuple[float, ...]
) -> Sheet:
    """The view as one figure."""
    title = f"Evidence for {label} rather than {other}"
    drawn = plate_sheet(row, title)
    if not names:
        return drawn
    return stacked(
        drawn, downloads.bars_sheet("The same by parts of the face", names, values, "logits")
    )


def _values(
    explanation: Explanation,
    label: str,
    other: str,
    names: tuple[str, ...],
    values: tuple[float, ...],
) -> dict[str, object]:
    return {
        "for": label,
        "against": other,
        "difference": contrast_map(explanation, label, other).tolist(),
        "regions": dict(zip(names, values, strict=True)),
        **downloads.map_values(explanation),
    }
