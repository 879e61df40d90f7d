"""Beside the text of a model card: the network tried on the spot, and its confusions drawn."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from core.drawing import Style, annotate_picture
from core.faces import DEFAULT_DETECTOR
from core.images import SUFFIXES
from webapp import cache, navigation, pictures
from webapp.chart_frame import draw_chart
from webapp.charts.bars import probability_bars
from webapp.charts.results import confusion_heat
from webapp.errors import shown_errors
from webapp.image_explanation.face_card import answer_of
from webapp.inputs import LARGEST_PICTURES, SAMPLE, SAMPLE_CREDIT, Picture, sample_picture
from webapp.results import store
from webapp.text import counted, literal, percent

PHOTO = 280  # px, width of the photo tried


def try_it(folder: Path) -> None:
    """Draw a box that answers a photo of the visitor's, the sample photo at first."""
    with st.container(border=True):
        st.markdown("##### Try it")
        file = st.file_uploader(
            "A photo with a face",
            type=[suffix.removeprefix(".") for suffix in SUFFIXES],
            max_upload_size=LARGEST_PICTURES,
            key=f"try {folder.name}",
        )
        picture = sample_picture() if file is None else Picture(file.name, file.getvalue())
        with shown_errors():
            _answer(folder, picture)
        st.caption(SAMPLE_CREDIT if file is None else literal(picture.name))
        query = {"checkpoint": folder.name} | ({"source": SAMPLE} if file is None else {})
        navigation.link(navigation.IMAGE, "See why, with maps", **query)


def _answer(folder: Path, picture: Picture) -> None:
    result = cache.faces(folder, picture, DEFAULT_DETECTOR)
    st.image(
        annotate_picture(result, replace(Style(), landmarks=False), pictures.SCREEN // 2),
        width=PHOTO,
        output_format="JPEG",
        alt="The photo with its faces marked",
    )
    if not result.faces:
        st.warning(literal(" ".join(result.notes)))
        return
    first = result.faces[0]
    st.markdown(f"**{answer_of(first)}**")
    # Below the photo: beside it, numbers would have no room.
    st.html(probability_bars(first.prediction.labels, first.prediction.probabilities))
    if len(result.faces) > 1:
        st.caption(f"The largest of {counted(len(result.faces), 'face')}.")


def confusions(folder: Path) -> None:
    """Draw what was confused with what on test; nothing where that was not measured."""
    with shown_errors():
        report = store.report(folder)
        test = report["splits"].get("test")
        if not test:
            return
        with st.container(border=True):
            st.markdown("##### What it confuses")
            draw_chart(
                confusion_heat(
                    test["confusion"], list(test["per_class"]), "shares", "Share of each row, %"
                ),
                key="card confusion",
                alt="Confusion matrix; the most frequent confusions stand in the text below",
            )
            st.caption(
                f"Rows: the label raters gave; columns: the answer. {percent(test['accuracy'])} of "
                f"{test['n']:,} pictures of the published test lie on the diagonal."
            )
            query = {"view": "Confusions", "run": folder.name}
            navigation.link(navigation.RESULTS, "Open a cell's pictures", **query)
