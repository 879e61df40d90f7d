"""Which expression would raters see in this face, and which places speak for it?"""

from dataclasses import replace

import streamlit as st

from core import ImageResult
from core.drawing import Style
from core.explain import recommended_method
from webapp import checkpoints, widgets
from webapp.errors import shown_errors
from webapp.image_explanation import (
    contrast_view,
    faithfulness_view,
    methods_view,
    outcome,
    regions_view,
)
from webapp.image_explanation.photo_view import fresh_place, show_photo
from webapp.image_explanation.subject import Subject
from webapp.inputs import picture_input
from webapp.navigation import view_picker

PARTS, CONTRAST, METHODS, FAITHFULNESS = VIEWS = (
    "Parts of the face",
    "Why this and not that",
    "Methods side by side",
    "Is the map true?",
)


@st.fragment  # a choice within the section leaves the photo and its cards as they are
def closer_look(result: ImageResult, subject: Subject, style: Style) -> None:
    """Draw the section; only the view that is open is computed.

    Args:
        result: The picture's faces, as shown above; nothing is drawn where there are none.
        subject: The face shown above, with the method and layer chosen.
        style: What is drawn and how.
    """
    if not result.faces:
        return
    st.divider()
    st.subheader("A closer look", anchor=False)
    if len(result.faces) > 1:
        st.caption(f"At face {subject.number + 1}, the one chosen above.")
    if result.faces[subject.number].explanation is None:  # refused or cancelled, as said above
        subject = subject.by(recommended_method(subject.folder))
    view = view_picker(VIEWS, PARTS)
    with shown_errors():
        match view:
            case "Why this and not that":
                contrast_view.show(subject, style)
            case "Methods side by side":
                methods_view.show(subject, style)
            case "Is the map true?":
                faithfulness_view.show(subject)
            case _:
                regions_view.show(subject)


st.title("Image explanation")
st.caption(
    "See which expression raters would most likely name in a face, and what the network's answer "
    "rests on. Each face gets a probability for every expression and a map of the places that "
    "speak for it."
)

checkpoint = widgets.checkpoint_picker()
detector = widgets.detector_picker()
method = widgets.method_picker(checkpoint)
layer_place = st.sidebar.container()
style = widgets.style_controls(checkpoints.labels(checkpoint), signed=method.signed)
chosen = picture_input()

ready = outcome.ready_picture(checkpoint, chosen, detector)
if checkpoint is None or ready is None:
    st.stop()
model, picture = ready
layer = widgets.layer_picker(model, method, layer_place)
preprocess = model.card.preprocess
style = replace(style, coverage=preprocess.crop / preprocess.size)
subject = Subject(checkpoint, picture, detector, 0, method.name, layer)
with shown_errors(), fresh_place(subject):
    result, subject = show_photo(subject, style)
    closer_look(result, subject, style)
