"""What is known of the checkpoints here, without loading a network, and one as a card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core import EMOTIONS
from core.data import SOURCES
from core.shapes import CardFile, ReportFile
from core.stored import damage, shaped_or_empty
from webapp.text import literal, percent


@dataclass(frozen=True, slots=True)
class Figures:
    """What a checkpoint reached on one split of its own data; shares from 0 to 1.

    Attributes:
        about: What the split is, in words.
        sources: Names of the image sets measured on.
        images: Their number.
        accuracy: Share of right answers.
        accuracy_range: Its 95 % interval, or None where the report has none.
        macro_f1: Mean F1 over the classes.
        weakest: The class with the lowest recall.
        weakest_recall: Share of this class's images that got the right answer.
    """

    about: str
    sources: tuple[str, ...]
    images: int
    accuracy: float
    accuracy_range: tuple[float, float] | None
    macro_f1: float
    weakest: str
    weakest_recall: float


def card(folder: Path) -> dict[str, Any]:
    """The card as plain values; empty where it cannot be read (whoever loads it will say why)."""
    return shaped_or_empty(folder / "card.json", CardFile)


def title(folder: Path) -> str:
    """The checkpoint's name for people."""
    return str(card(folder).get("title") or folder.name)


def labels(folder: Path | None) -> tuple[str, ...]:
    """The classes the card names; the usual six where there is none, or it cannot be read."""
    named = None if folder is None else card(folder).get("labels")
    return tuple(map(str, named)) if isinstance(named, list) and named else EMOTIONS


def figures(folder: Path, split: str = "test") -> Figures | None:
    """The figures of report.json; None where the run was not evaluated on this split."""
    try:
        found = shaped_or_empty(folder / "report.json", ReportFile)["splits"][split]
        recalls = {
            label: float(one["recall"])
            for label, one in found["per_class"].items()
            if one["support"]
        }
        low_high = found.get("intervals", {}).get("accuracy")
        weakest = min(recalls, key=recalls.__getitem__)
        return Figures(
            about=str(found["about"]),
            sources=tuple(map(str, found["sources"])),
            images=int(found["n"]),
            accuracy=float(found["accuracy"]),
            accuracy_range=(float(low_high[0]), float(low_high[1])) if low_high else None,
            macro_f1=float(found["macro_f1"]),
            weakest=weakest,
            weakest_recall=recalls[weakest],
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None


def source_names(names: tuple[str, ...] | list[str]) -> str:
    """Image sets as people write them, with commas."""
    return ", ".join(SOURCES[name].title if name in SOURCES else name for name in names)


def checkpoint_card(folder: Path) -> None:
    """Draw the card of one checkpoint; every figure comes from its files."""
    reached = figures(folder)
    with st.container(border=True):
        st.markdown(f"**{literal(title(folder))}**")
        reason = damage(folder)
        if reason and not reason.startswith("report.json"):  # another evaluation mends that
            st.error(f"This checkpoint is damaged: {literal(reason)} Restore it, or remove it:")
            st.code(f"python -m core queue remove {folder.name}", language="bash")
            return
        st.caption(literal(_origin(card(folder))))
        if reached is None:
            st.caption(literal(f"Its {reason}") if reason else "Not evaluated yet.")
            data = " --data DIR" if "imported" in (card(folder).get("data") or {}) else ""
            st.code(f"python -m core evaluate {folder.name}{data}", language="bash")
            return
        accuracy, f1, weakest = st.columns(3)
        accuracy.metric("Accuracy", percent(reached.accuracy))
        f1.metric("Macro-F1", percent(reached.macro_f1))
        weakest.metric(f"Recall of {reached.weakest}, the lowest", percent(reached.weakest_recall))
        st.caption(literal(_measured(reached)))


def _origin(card: dict[str, object]) -> str:
    data = card.get("data")
    facts = data if isinstance(data, dict) else {}
    if "imported" in facts:
        return (
            f"Network {card.get('model', 'unknown')}, imported from {facts['imported']}; what it "
            "was trained on is not known here"
        )
    trained = f"{facts['train']:,} pictures" if isinstance(facts.get("train"), int) else "pictures"
    sources = source_names([str(name) for name in facts.get("sources") or []])
    return (
        f"Network {card.get('model', 'unknown')}, trained on {trained} of {sources or 'its data'}"
    )


def _measured(figures: Figures) -> str:
    text = f"Measured on {figures.images:,} pictures of {source_names(figures.sources)}"
    if figures.accuracy_range is not None:
        low, high = figures.accuracy_range
        text += f"; accuracy lies between {percent(low)} and {percent(high)} (95 % interval)"
    return f"{text}. Split: {figures.about}."
