"""How good is it, really?  The paper's numbers beside ours, down to the single picture."""

from importlib import import_module

import streamlit as st

from webapp import navigation
from webapp.errors import shown_errors

VIEWS = {  # title -> module below webapp.results, function in it
    "Table 2": ("paper_tables", "table_view"),
    "Confusions": ("confusion_view", "confusion_view"),
    "One run": ("confidence_view", "confidence_view"),
    "Image sets": ("sources_view", "sources_view"),
    "Strata": ("strata_view", "strata_view"),
    "Explanations": ("faithfulness_view", "faithfulness_view"),
    "Mean maps": ("global_view", "global_view"),
    "Literature": ("paper_tables", "literature_view"),
}

st.title("Results")
st.caption(
    "See how often each network agrees with the label raters gave, on which pictures it does not, "
    "and whether its explanations hold. Measured figures can be followed down to their pictures."
)
view = navigation.view_picker(list(VIEWS), "Table 2")
with shown_errors():
    module, function = VIEWS[view]
    # Imported now, so that nobody waits for what the other views import.
    getattr(import_module(f"webapp.results.{module}"), function)()
