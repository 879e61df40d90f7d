"""A checkpoint on the page: its name, what it learned from, and how well it does."""

from pathlib import Path

import streamlit as st

from core.data import SOURCES
from webapp import shelf
from webapp.text import literal, percent


def source_names(names: tuple[str, ...] | list[str]) -> str:
    """Image sets as people write them, with commas."""
    return ", ".join(SOURCES[name].title if name in SOURCES else name for name in names)


def checkpoint_card(folder: Path) -> None:
    """Draw the card of one checkpoint; every figure comes from its files."""
    card, figures = shelf.card(folder), shelf.figures(folder)
    with st.container(border=True):
        st.markdown(f"**{literal(shelf.title(folder))}**")
        st.caption(literal(_origin(card)))
        if figures is None:
            st.caption("Not evaluated yet.")
            st.code(f"python -m core evaluate {folder.name}", language="bash")
            return
        accuracy, f1, weakest = st.columns(3)
        accuracy.metric("Accuracy", percent(figures.accuracy))
        f1.metric("Macro-F1", percent(figures.macro_f1))
        weakest.metric(f"Recall of {figures.weakest}, the lowest", percent(figures.weakest_recall))
        st.caption(literal(_measured(figures)))


def _origin(card: dict[str, object]) -> str:
    data = card.get("data")
    facts = data if isinstance(data, dict) else {}
    trained = f"{facts['train']:,} pictures" if isinstance(facts.get("train"), int) else "pictures"
    sources = source_names([str(name) for name in facts.get("sources") or []])
    return (
        f"Network {card.get('model', 'unknown')}, trained on {trained} of {sources or 'its data'}"
    )


def _measured(figures: shelf.Figures) -> str:
    text = f"Measured on {figures.images:,} pictures of {source_names(figures.sources)}"
    if figures.accuracy_range is not None:
        low, high = figures.accuracy_range
        text += f"; accuracy lies between {percent(low)} and {percent(high)} (95 % interval)"
    return f"{text}. Split: {figures.about}."
