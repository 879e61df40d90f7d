"""Is the map true?  Measured over many faces, and on this one when asked for."""

import numpy as np
import streamlit as st

from core.explain import EXPLAINERS, SLOW_PASSES, stored_faithfulness
from core.faithfulness import FaceFaithfulness
from webapp.chart_frame import draw_chart
from webapp.charts import faithfulness
from webapp.faithfulness_badges import show_badges, show_numbers
from webapp.figure_file import FAINT, Sheet, Words, stacked
from webapp.image_explanation import downloads
from webapp.image_explanation.subject import Subject, tested
from webapp.waiting import Waiting, passes_shown

PASSES = 150  # pictures that go through the network, about
ONE_FACE = (
    "One face says little: chance decides much here. Only the measurement over many faces above "
    "tells whether a method can be relied on."
)


def show(subject: Subject) -> None:
    """Draw the view."""
    explanation = subject.explanation()
    st.markdown("##### Over many test faces")
    report = stored_faithfulness(subject.folder)
    show_badges(report, explanation.method, explanation.layer, "faithfulness badges", figures=False)
    with st.expander("What was measured, and how", expanded=report is not None):
        show_numbers(report, explanation.method, explanation.layer)
    st.markdown("##### On this face")
    _, _, digest, detector, number = subject.key
    label = st.selectbox(
        "Map of",
        explanation.labels,
        index=subject.face.prediction.index,
        key=f"tested {digest} {detector} {number}",  # another face begins with its own answer
        width=280,
    )
    key = (*subject.key, subject.method, subject.layer, label)
    asked: set[object] = st.session_state.setdefault("tests asked for", set())
    if key not in asked:
        st.caption(_cost(subject))
        st.button("Measure on this face", key="measure", on_click=asked.add, args=(key,))
        return
    waiting = Waiting(key, "cancel test")
    if waiting.was_cancelled:
        waiting.offer("The test was cancelled.")
        return
    with passes_shown(waiting.show, "Showing and hiding pixels", PASSES):
        found = tested(subject, label)
    waiting.end()
    _outcome(found, label)
    downloads.offer(
        subject,
        "faithfulness",
        lambda: faithfulness_sheet(found, label, EXPLAINERS[subject.method].title),
        lambda: downloads.as_text(
            {
                "checkpoint": subject.folder.name,
                "method": explanation.method,
                "layer": explanation.layer,
                "this_face": downloads.trial_values(found, label),
                "many_faces": (report or {}).get("methods", {}).get(explanation.method),
            }
        ),
    )


def _cost(subject: Subject) -> str:
    slow = EXPLAINERS[subject.method].passes >= SLOW_PASSES
    return f"About {PASSES} pictures go through the network: some seconds" + (
        ", and the map itself is slow as well." if slow else "."
    )


def verdict(found: FaceFaithfulness) -> str:
    """What the test on one face came to, in a sentence."""
    if found.is_blank:
        return "The map is blank: it names no place first, so there is nothing to test."
    ahead = [
        name
        for name, other in (("the fixed blob", found.centre), ("random maps", found.random))
        if found.gap > other
    ]
    if found.gap <= 0:
        return "On this face, the map's order of pixels is no better than its reverse."
    if len(ahead) == 2:
        return "On this face, the map does better than the fixed blob and than random maps."
    if ahead:
        return f"On this face, the map does better than {ahead[0]} only."
    return "On this face, the map does no better than maps that know nothing of the answer."


def _outcome(found: FaceFaithfulness, label: str) -> None:
    st.markdown(f"**{verdict(found)}**")
    if found.is_blank:
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.caption("Gap: area under the curve of insertion minus that of deletion")
        draw_chart(
            faithfulness.face_gap_bars(found),
            key="gap bars",
            alt=f"this map {found.gap:+.3f}, blob {found.centre:+.3f}, random {found.random:+.3f}",
        )
        st.caption(ONE_FACE)
    with right:
        draw_chart(
            faithfulness.answer_curves(found, label),
            key="test curves",
            numbers=True,
            alt=f"Probability of {label} as pixels are shown or hidden in the map's order",
        )
        st.caption("Hidden pixels are blurred. These probabilities are told before calibration.")


def faithfulness_sheet(found: FaceFaithfulness, label: str, title: str) -> Sheet:
    """The test as a figure: gaps as bars, both curves as rows of numbers."""
    bars = downloads.bars_sheet(
        f"{title}, {label}: insertion minus deletion on one face (points)",
        ("this map", "fixed blob", "random maps"),
        (found.gap, found.centre, found.random),
        "points",
        width=640,
    )
    lines = [Words(16, 14, "share of the pixels, and the probability then (shown / hidden)")]
    rows = np.column_stack(
        [found.curves.fractions, found.curves.inserted[0], found.curves.deleted[0]]
    )
    lines += [
        Words(16, 34 + 16 * place, f"{part:.0%}:  {shown:.1%} / {hidden:.1%}", 12, colour=FAINT)
        for place, (part, shown, hidden) in enumerate(rows)
    ]
    return stacked(bars, Sheet(640, 40.0 + 16 * len(rows), tuple(lines)))
