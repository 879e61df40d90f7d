"""What does each layer of the network make of a face?  Every layer, every channel."""

import pandas as pd
import streamlit as st

from webapp import cache, widgets
from webapp.errors import shown_errors
from webapp.image_explanation import outcome
from webapp.image_explanation.photo_view import face_picker
from webapp.image_explanation.subject import Subject
from webapp.inputs import picture_input
from webapp.layer_activations import view

st.title("Layer activations")
st.caption(
    "A network sees a face through layers, and each layer has channels: pictures of where it "
    "finds one pattern. They show what the network responds to, whatever it answers; they are no "
    "evidence for an expression."
)

checkpoint = widgets.checkpoint_picker()
detector = widgets.detector_picker()

ready = outcome.ready_picture(checkpoint, picture_input(), detector)
if checkpoint is None or ready is None:
    st.stop()
model, picture = ready
with shown_errors():
    result = cache.faces(checkpoint, picture, detector)
    if not result.faces:
        st.warning(outcome.no_face(result))
        st.stop()
    layers = view.browsable(widgets.layers_of(model))
    titles = {layer.name: view.title(layer) for layer in layers}
    name = widgets.linked_choice("Layer", titles, "layer", place=st.container())
    with st.expander(
        "All layers, in the order a face passes them", key="all", on_change="rerun"
    ) as x:
        if x.open:
            st.dataframe(
                pd.DataFrame(
                    {
                        "layer": [layer.name for layer in layers],
                        "kind": [layer.kind for layer in layers],
                        "output": [" x ".join(map(str, layer.shape)) for layer in layers],
                        "runs": [layer.calls for layer in layers],
                    }
                ),
                hide_index=True,
            )
    subject = Subject(checkpoint, picture, detector, face_picker(result), "activation")
    view.show(subject, next(layer for layer in layers if layer.name == name))
