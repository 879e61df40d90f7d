"""The sample photo on the home page: at once as it is, then answered and explained."""

import io
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import PIL.Image
import streamlit as st

from core.checkpoints import title_of
from webapp import cache, navigation
from webapp.charts.bars import probability_bars
from webapp.inputs import SAMPLE, SAMPLE_CREDIT, sample_picture
from webapp.text import literal, percent

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

SQUARE = "display: block; width: 100%; aspect-ratio: 1"
SMALL = 400  # px, side of the photo until it is explained
COMING = "rgba(128, 128, 128, .15)"
SIDE = 240  # px, of the photo and of the face beside it, on phones as well
WORDS = 84  # px, of what is said below the face
NUMBERS = 290  # px, of a line and the bars
BARS = 256  # px, their width


def sample_places(folder: Path) -> "list[DeltaGenerator]":
    """Draw the sample photo as it is, with the places where it will be explained.

    Returns:
        Those of the photo, of the map, of the words below it and of the numbers.
    """
    row = st.container(horizontal=True)
    columns = [row.container(width=SIDE), row.container(width=SIDE), row.container(width=BARS)]
    # Of a fixed size, since all else that keeps room comes after what it is to keep room for.
    rooms = [column.container(width=SIDE, height=SIDE, border=False) for column in columns[:2]]
    photo, close = (room.empty() for room in rooms)
    photo.html(f'<img src="{_small_sample()}" alt="The sample photo" style="{SQUARE}">')
    close.html(f'<div style="{SQUARE}; background: {COMING}"></div>')
    words = columns[1].container(width=SIDE, height=WORDS, border=False).empty()
    words.caption("…")
    numbers = columns[2].container(height=NUMBERS, border=False).empty()
    st.caption(f"{SAMPLE_CREDIT} Answered by {literal(title_of(folder))}, the default network.")
    # By its name: the visitor may have chosen another one on the pages.
    query = {"source": SAMPLE, "checkpoint": folder.name}
    navigation.link(navigation.IMAGE, "Look closer at this photo, or try your own", **query)
    return [photo, close, words, numbers]


@st.cache_data(show_spinner=False)
def _small_sample() -> str:
    """The sample photo as an address that holds it."""
    small = io.BytesIO()
    with PIL.Image.open(io.BytesIO(sample_picture().data)) as photo:
        photo.convert("RGB").resize((SMALL, SMALL)).save(small, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{b64encode(small.getvalue()).decode()}"


def explain_sample(folder: Path, places: "list[DeltaGenerator]") -> None:
    """Draw the sample photo as the default network answers and explains it."""
    from core.drawing import Style, annotate_picture, default_colours
    from core.explain import EXPLAINERS, recommended_method
    from core.faces import DEFAULT_DETECTOR
    from webapp import pictures

    method = recommended_method(folder)
    result = cache.explained(folder, sample_picture(), DEFAULT_DETECTOR, method)
    preprocess = cache.predictor(folder).card.preprocess
    style = Style(coverage=preprocess.crop / preprocess.size)
    photo, close, words, numbers = places
    # Points would hide the small face's map.
    explained = annotate_picture(result, replace(style, landmarks=False), pictures.SCREEN)
    photo.image(explained, width="stretch", alt="The sample photo, explained")
    for face in result.faces[:1]:
        label = face.prediction.predicted
        if face.explanation is not None:
            signed = face.explanation.signed
            style = replace(style, colours=default_colours(signed=signed))
            plain, scale = pictures.face_alone(face), face.explanation.scale_of(label)
            against = ", yellow-green against it" if signed else ""
            close.image(
                pictures.map_on_face(plain, face.explanation, label, scale, style),
                width="stretch",
                alt=f"The face with what speaks for {label}",
            )
            words.caption(
                f"Violet: what speaks for {label}{against}; lines ring the strongest places "
                f"({EXPLAINERS[method].title})."
            )
        with numbers.container():
            st.markdown(f"**{label}, {percent(face.prediction.confidence)}**")
            st.html(probability_bars(face.prediction.labels, face.prediction.probabilities))
