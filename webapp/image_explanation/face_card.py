"""One face on the page: its pictures, its probabilities, its maps for all expressions."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from core import Explanation, FaceResult, Prediction
from core.drawing import NO_EVIDENCE, ONLY_AGAINST, Style, default_colours
from core.explain import EXPLAINERS
from core.images import quick_png
from core.types import BLANK
from webapp import pictures
from webapp.charts.bars import probability_bars
from webapp.faithfulness_badges import show_badges
from webapp.text import percent

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
            self._maps = st.empty()
            self._badges = st.container()
            _bars(number, face.prediction)
            self._all = st.container()

    def fill(self, face: FaceResult, scale: float) -> None:
        """Draw the map, or a blank where it will come.

        Args:
            face: With its explanation, or without.
            scale: The value of the strongest colour, one for all faces of the photo.
        """
        self._face = face
        with self._maps.container():
            if face.explanation is None:
                _pending(face, self._style)
            else:
                _maps(face, face.explanation, scale, self._style)

    def finish(self) -> None:
        """Draw what needs the map and is drawn once."""
        explanation = self._face.explanation
        if explanation is None:
            self._maps.empty()
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


def _bars(number: int, prediction: Prediction) -> None:
    st.plotly_chart(
        probability_bars(prediction),
        key=f"bars_{number}",
        config={"displayModeBar": False},
        alt=", ".join(
            f"{label} {percent(share)}"
            for label, share in zip(prediction.labels, prediction.probabilities, strict=True)
        ),
    )


def _pending(face: FaceResult, style: Style) -> None:
    """The face beside two empty squares, as high as the maps that will stand there."""
    marked = pictures.face_alone(face, landmarks=style.landmarks)
    grey = np.full_like(marked, 128)
    row = pictures.side_by_side(marked, grey, grey)
    row[:, marked.shape[1] :, 3] //= 8
    st.image(quick_png(row), width="stretch", alt="Face; its map is being computed")
    st.html(f'<div style="{_SMALL};margin-bottom:0.6rem;height:2.6rem">The map follows …</div>')


def _maps(face: FaceResult, explanation: Explanation, scale: float, style: Style) -> None:
    """Face, map and overlay side by side, with the colour bar they share."""
    label = style.label_of(face)
    if explanation.signed:
        style = replace(style, colours=default_colours(signed=True))
    original = pictures.face_alone(face)
    heat = pictures.map_alone(explanation, label, scale, style)
    both = pictures.map_on_face(original, explanation, label, scale, style)
    marked = pictures.face_alone(face, landmarks=style.landmarks)
    words = ("Face", f"Evidence for {label}", "Map on the face")
    # One picture instead of three, so that they stay side by side on a phone.
    row = pictures.side_by_side(marked, heat, both)
    st.image(quick_png(row), width="stretch", alt=", ".join(words))
    titles = "".join(
        f'<span style="flex:1;text-align:center">{escape(word)}</span>' for word in words
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


def _colour_bar(scale: float, style: Style) -> str:
    """The legend of the maps, in the page's own letters."""
    strip = b64encode(quick_png(pictures.colour_strip(scale, style.colours))).decode()
    signed = style.colours == "diverging"
    low = f"≤ {-scale:.2g}" if signed else "0"
    words = "evidence, one scale for the picture"
    if signed:
        words = "against (broken line), none, for (whole line)"
    return (
        f'<img src="data:image/png;base64,{strip}" alt="" style="width:100%;height:12px;'
        f'border-radius:3px"/><div style="{_SMALL};justify-content:space-between">'
        f"<span>{low}</span><span>{words}</span><span>≥ {scale:.2g}</span></div>"
    )


def _all_maps(face: FaceResult, explanation: Explanation, style: Style) -> None:
    """Map and overlay for every class on one scale, side by side (paper, Figure 5)."""
    scale = explanation.scale
    original = pictures.face_alone(face)
    shares = dict(zip(face.prediction.labels, face.prediction.probabilities, strict=True))
    for start in range(0, len(explanation.labels), 2):
        row = explanation.labels[start : start + 2]
        for column, label in zip(st.columns(2), row, strict=False):
            mark = ", blank" if explanation.is_blank(label) else ""
            if explanation.speaks_only_against(label):
                mark = f", {ONLY_AGAINST}"
            column.caption(f"**{label}** {percent(shares[label])}{mark}")
            heat = pictures.map_alone(explanation, label, scale, style)
            both = pictures.map_on_face(original, explanation, label, scale, style)
            pair = quick_png(pictures.side_by_side(heat, both))
            column.image(pair, width="stretch", alt=f"Evidence for {label}")
