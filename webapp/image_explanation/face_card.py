"""One face on the page: its pictures, its probabilities, its maps for all expressions."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import Explanation, FaceResult
from core.drawing import NO_EVIDENCE, ONLY_AGAINST, Style, default_colours
from core.explain import EXPLAINERS
from core.images import quick_png
from core.types import BLANK
from webapp import pictures
from webapp.charts.bars import probability_bars
from webapp.faithfulness_badges import show_badges
from webapp.text import percent
from webapp.waiting import room_for

_SMALL = "display:flex;font-size:0.82rem;opacity:0.75"


class FaceCard:
    """One face: the answer and its bars at once, its maps in their place when they are there.

    Args:
        number: As on the box in the photo.
        face: With its answer.
        style: What is drawn and how.
        report: What was measured of the checkpoint's explanations.
    """

    def __init__(
        self, number: int, face: FaceResult, style: Style, report: Mapping[str, Any] | None
    ) -> None:
        self._number, self._style, self._report = number, style, report
        self._face = face
        with st.container(border=True):
            st.markdown(f"#### Face {number}: {answer_of(face)}")
            form = (pictures.FACE, 3 * pictures.FACE + 2 * pictures.GAP)
            self._row = room_for(st.container(), form, "row").empty()
            self._legend = st.empty()
            self._badges = st.container()
            st.html(probability_bars(face.prediction.labels, face.prediction.probabilities))
            self._all = st.container()

    def fill(self, face: FaceResult, scale: float) -> None:
        """Draw the map, or a blank where it will come.

        Args:
            face: With its explanation, or without.
            scale: The value of the strongest colour, one for all faces of the photo.
        """
        self._face = face
        with self._legend.container():
            if face.explanation is None:
                row, alt = _pending(face, self._style), "Face; its map is being computed"
            else:
                row = _maps(face, face.explanation, scale, self._style)
                alt = ", ".join(_titles(face, self._style))
        self._row.image(quick_png(row), width="stretch", alt=alt)

    def finish(self) -> None:
        """Draw what needs the map and is drawn once."""
        explanation = self._face.explanation
        if explanation is None:
            self._row.empty()
            self._legend.empty()
            return
        with self._badges:
            key = f"badges {self._number}"
            show_badges(self._report, explanation.method, explanation.layer, key)
        maps = self._all.expander(
            "The maps of all expressions", key=f"maps_{self._number}", on_change="rerun"
        )
        if maps.open:  # drawn when asked for: packing the pictures takes longer than the maps
            with maps:
                _all_maps(self._face, explanation, self._style)


def shown_answer(face: FaceResult) -> str:
    """The expression named, or "unclear"."""
    return "unclear" if face.prediction.unclear else face.prediction.predicted


def answer_of(face: FaceResult) -> str:
    """The expression named and its probability, in words."""
    answer = f"{face.prediction.predicted}, {percent(face.prediction.confidence)}"
    return f"unclear (nearest: {answer})" if face.prediction.unclear else answer


def _pending(face: FaceResult, style: Style) -> NDArray[np.uint8]:
    """The face beside two empty squares, as high as the maps that will stand there."""
    marked = pictures.face_alone(face, landmarks=style.landmarks)
    grey = np.full_like(marked, 128)
    row = pictures.side_by_side(marked, grey, grey)
    row[:, marked.shape[1] :, 3] //= 8
    st.html(f'<div style="{_SMALL};margin-bottom:0.6rem;height:2.6rem">The map follows …</div>')
    return row


def _titles(face: FaceResult, style: Style) -> tuple[str, str, str]:
    return "Face", f"Evidence for {style.label_of(face)}", "Map on the face"


def _maps(
    face: FaceResult, explanation: Explanation, scale: float, style: Style
) -> NDArray[np.uint8]:
    """Face, map and overlay side by side; draws the words and the colour bar below them."""
    label = style.label_of(face)
    if explanation.signed:
        style = replace(style, colours=default_colours(signed=True))
    original = pictures.face_alone(face)
    heat = pictures.map_alone(explanation, label, scale, style)
    both = pictures.map_on_face(original, explanation, label, scale, style)
    marked = pictures.face_alone(face, landmarks=style.landmarks)
    titles = "".join(
        f'<span style="flex:1;text-align:center">{escape(word)}</span>'
        for word in _titles(face, style)
    )
    bar = _colour_bar(scale, style) if scale > BLANK else ""
    st.html(f'<div style="{_SMALL};margin-bottom:0.6rem">{titles}</div>{bar}')
    rectified = not EXPLAINERS[explanation.method].signed
    if explanation.signed and rectified and not explanation.is_blank(label):
        st.info(
            f"{EXPLAINERS[explanation.method].title} keeps only what speaks for an expression and "
            f"is blank for {label} here. Shown is the same map before its last step (ReLU), with "
            "what speaks against."
        )
    elif explanation.is_blank(label):
        st.info(f"The map is blank: {NO_EVIDENCE} for {label}. Another method may still find some.")
    elif explanation.speaks_only_against(label):
        st.info(f"The map shows {ONLY_AGAINST}: nothing on this face speaks for {label}.")
    # One picture instead of three, so that they stay side by side on a phone.
    return pictures.side_by_side(marked, heat, both)


def _colour_bar(scale: float, style: Style) -> str:
    """The legend of the maps, in the page's own letters."""
    strip = b64encode(quick_png(pictures.colour_strip(scale, style.colours))).decode()
    words: tuple[str, ...] = ("no evidence", "the strongest in the picture (ringed)")
    if style.colours == "diverging":
        words = ("speaks against (broken ring)", "neither", "speaks for (whole ring)")
    spans = "".join(f"<span>{escape(one)}</span>" for one in words)
    return (
        f'<img src="data:image/png;base64,{strip}" alt="" style="width:100%;height:12px;'
        f'border-radius:3px"/><div style="{_SMALL};justify-content:space-between">'
        f"{spans}</div>"
    )


def _all_maps(face: FaceResult, explanation: Explanation, style: Style) -> None:
    """Map and overlay for every class on one scale, side by side (paper, Figure 5)."""
    scale = explanation.scale
    original = pictures.face_alone(face)
    shares = dict(zip(face.prediction.labels, face.prediction.probabilities, strict=True))
    empty = {
        label: pictures.emptiness(explanation.map_of(label), scale) for label in explanation.labels
    }
    if told := pictures.emptiness_in_words(empty.values()):
        st.caption(told)
    for start in range(0, len(explanation.labels), 2):
        row = explanation.labels[start : start + 2]
        for column, label in zip(st.columns(2), row, strict=False):
            against = ONLY_AGAINST if explanation.speaks_only_against(label) else ""
            said = ", ".join(filter(None, (percent(shares[label]), empty[label], against)))
            column.caption(f"**{label}** {said}")
            heat = pictures.map_alone(explanation, label, scale, style)
            both = pictures.map_on_face(original, explanation, label, scale, style)
            pair = pictures.side_by_side(heat, both)
            pictures.draw(column, pair, f"maps {label}", alt=f"Evidence for {label}")
