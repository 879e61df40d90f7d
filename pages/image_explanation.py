"""Which expression would raters see in this face, and which places speak for it?"""

from dataclasses import replace

import streamlit as st

from webapp import checkpoints, widgets
from webapp.errors import shown_errors
from webapp.image_explanation import outcome
from webapp.image_explanation.closer_look import closer_look
from webapp.image_explanation.photo_view import fresh_place, show_photo
from webapp.image_explanation.subject import Subject
from webapp.inputs import picture_input

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
