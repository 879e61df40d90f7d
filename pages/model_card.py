"""What a network was trained on, what it is for, and where it fails."""

import streamlit as st

from core.evaluation import model_card
from webapp import navigation, widgets
from webapp.errors import shown_errors
from webapp.model_card import confusions, try_it

checkpoint = widgets.checkpoint_picker()
if checkpoint is None:
    st.title("Model card")
    st.info("There is no trained network here yet, so there is no card to read.")
    navigation.link(navigation.TRAINING, "Train a network")
    st.stop()
# Else a table wider than a phone carries the whole page with it, or breaks each figure into three.
st.html(
    "<style>.stMarkdown table { display: block; overflow-x: auto; } "
    ".stMarkdown td:first-child { min-width: 9rem; } "
    ".stMarkdown td:not(:first-child) { white-space: nowrap; } "
    "@media (max-width: 640px) { .stMarkdown table::after { content: "
    "'More columns to the right: scroll the table sideways.'; position: sticky; left: 0; "
    "font-size: 0.8rem; opacity: 0.8; } }</style>"
)
with shown_errors():
    text = model_card(checkpoint)
    head, rest = text.split("\n## ", 1)
    st.markdown(head)
    navigation.network_links(checkpoint.name, here=navigation.CARD)
    left, right = st.columns(2)
    with left:
        try_it(checkpoint)
    with right:
        confusions(checkpoint)
    # Streamlit's colours of code are too faint to read, on light pages most of all.
    st.markdown(f"## {rest}".replace("```python", "```"))
    st.download_button(
        "Model card (Markdown)",
        text,
        f"{checkpoint.name}-card.md",
        "text/markdown",
        key="card download",
        on_click="ignore",
    )
