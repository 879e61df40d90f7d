"""What this is, how it works, what the networks here reach, and where to go."""

from pathlib import Path

import streamlit as st

from core import CoreError
from core.checkpoints import find_checkpoint, is_own, list_checkpoints
from webapp import cache, navigation
from webapp.checkpoints import checkpoint_cards, own_first, title
from webapp.errors import shown_errors
from webapp.inputs import SAMPLE, SAMPLE_CREDIT, sample_picture
from webapp.pipeline_drawing import pipeline_html
from webapp.text import counted, literal, percent


def default_network() -> Path | None:
    """The checkpoint that is used unless another is chosen; None where there is none."""
    try:
        return find_checkpoint("default")
    except CoreError:
        return None


def show_sample(folder: Path) -> None:
    """Draw the sample photo as the default network answers and explains it."""
    from core.drawing import Style, annotate_picture
    from core.explain import EXPLAINERS, recommended_method
    from core.faces import DEFAULT_DETECTOR
    from webapp import pictures
    from webapp.charts.bars import probability_bars

    method = recommended_method(folder)
    result = cache.explained(folder, sample_picture(), DEFAULT_DETECTOR, method)
    preprocess = cache.predictor(folder).card.preprocess
    style = Style(coverage=preprocess.crop / preprocess.size)
    photo, close, numbers = st.columns([4, 4, 5], vertical_alignment="center")
    photo.image(annotate_picture(result, style, pictures.SCREEN), alt="The sample photo, explained")
    for face in result.faces[:1]:
        label = face.prediction.predicted
        if face.explanation is not None:
            plain, scale = pictures.face_alone(face), face.explanation.scale_of(label)
            close.image(
                pictures.map_on_face(plain, face.explanation, label, scale, style),
                caption=f"What speaks for {label}, by {EXPLAINERS[method].title}",
                width="stretch",
            )
        numbers.markdown(f"**{label}, {percent(face.prediction.confidence)}**")
        numbers.plotly_chart(
            probability_bars(face.prediction), key="sample", config={"displayModeBar": False}
        )
    st.caption(f"{SAMPLE_CREDIT} Answered by {literal(title(folder))}, the default network.")
    navigation.link(navigation.IMAGE, "Look closer at this photo, or try your own", source=SAMPLE)


st.title("GiMEFiVE Studio")
st.markdown(
    "Show it a photo: it finds every face, says which of six expressions raters would most likely "
    "name, and draws a map of the places that speak for each. The networks, their training data "
    "and their errors are open to inspection on the other pages."
)

st.subheader("From a photo to an explained expression")
st.html(pipeline_html())
default = default_network()
example = st.container(border=True) if default is not None else None

st.subheader("Where to go")
others = [entry for entry in navigation.present() if entry is not navigation.HOME]
for start in range(0, len(others), 3):
    for column, entry in zip(st.columns(3), others[start : start + 3], strict=False):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{entry.title}**")
            st.markdown(entry.purpose)
            navigation.link(entry.name, entry.invitation)

st.subheader("The networks here")
folders = own_first(list_checkpoints())
own = [folder for folder in folders if is_own(folder)]
shipped = [folder for folder in folders if not is_own(folder)]
if folders:
    st.caption("Figures in a column are measured on the same pictures, so they can be compared.")
checkpoint_cards(own)
if shipped:
    count = counted(len(shipped), "network")
    with st.expander(f"{count} that the app comes with", expanded=not own):
        checkpoint_cards(shipped)
if not folders:
    st.info(
        "There is no trained network here yet. Train one, or restore the folder `checkpoints/`."
    )
    navigation.link(navigation.TRAINING, "Train one")

st.subheader("What it must not be used for")
st.warning(
    "A probability here says how likely raters would give a face this label. It does **not** say "
    "what a person feels, intends or is like: people smile without joy and grieve without tears. "
    "Do not use it at work, in schools, in policing, to detect lies, or to diagnose anybody."
)
st.caption(
    literal(
        "The weights were learned from research image sets and are for non-commercial research "
        "only. Pictures you upload stay in this machine's memory for your visit."
    )
)

# Last, since loading a network takes longer than everything else on the page.
if default is not None and example is not None:
    with example, shown_errors():
        show_sample(default)
