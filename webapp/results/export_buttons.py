"""A table as files to take away, in every form there is."""

from collections.abc import Callable

import streamlit as st

from core.evaluation import FORMATS
from core.tabular import TableFormat

FILES: dict[TableFormat, str] = {"md": "Markdown", "csv": "CSV", "latex": "LaTeX", "json": "JSON"}
ENDINGS: dict[TableFormat, str] = {"md": "md", "csv": "csv", "latex": "tex", "json": "json"}


def export_buttons(text_of: Callable[[TableFormat], str], name: str, key: str) -> None:
    """A row of download buttons, one a form.

    Args:
        text_of: The table in a form.
        name: Of the files, without ending.
        key: Begins the keys of the buttons.
    """
    with st.container(horizontal=True):
        for form in FORMATS:
            st.download_button(
                FILES[form],
                text_of(form),
                f"{name}.{ENDINGS[form]}",
                key=f"{key} {form}",
                on_click="ignore",
            )
