"""The lower part of the image page: one face, looked at from several sides."""

import streamlit as st

from core import ImageResult
from core.drawing import Style
from core.explain import recommended_method
from webapp.errors import shown_errors
from webapp.image_explanation import (
    contrast_view,
    faithfulness_view,
    methods_view,
    regions_view,
)
from webapp.image_explanation.subject import Subject
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
