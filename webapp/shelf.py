"""What is known of the checkpoints here, read from card and report, without loading a network."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import EMOTIONS


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
    return _values(folder / "card.json")


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
        found = _values(folder / "report.json")["splits"][split]
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


def _values(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
