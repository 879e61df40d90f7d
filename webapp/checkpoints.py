"""What is known of the checkpoints here, without loading a network, and one as a card."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core import EMOTIONS
from core.checkpoints import (
    DEFAULT_CHECKPOINT,
    SHIPPED_TITLES,
    damage,
    is_averaged,
    is_joined,
    is_own,
    title_of,
)
from core.data import DEMO, source_names
from core.evaluation import learned_from
from core.files import changed
from core.measured_shapes import ReportFile
from core.models import Card
from core.shapes import CardFile
from core.stored import shaped_or_empty
from webapp import navigation
from webapp.text import counted, literal, percent

DRAWN = "This network learned from the demo's drawings: what it says of photographs means nothing."
MOST_SETS = 3  # image sets shown beside each other
PARTS = {"test": "test", "valid": "validation"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What a checkpoint reached on the published test of one image set; shares from 0 to 1.

    Attributes:
        images: Their number.
        accuracy: Share of right answers.
        accuracy_range: Its 95 % interval, or None where the report has none.
        macro_f1: Mean F1 over the classes.
        seven: Images and accuracy with those of neutral, where these figures are of the six
            expressions of a network that knows neutral, too.
    """

    images: int
    accuracy: float
    accuracy_range: tuple[float, float] | None
    macro_f1: float
    seven: tuple[int, float] | None = None


def card(folder: Path) -> dict[str, Any]:
    """The card as plain values; empty where it cannot be read (whoever loads it will say why)."""
    return shaped_or_empty(folder / "card.json", CardFile)


def titles(folders: Iterable[Path]) -> dict[str, str]:
    """The checkpoints' names for people by the folders' names.

    No two are the same, for an input gives back what it shows: where a title stands in several
    cards, the folder's name follows it.
    """
    found = {folder.name: title_of(folder) for folder in folders}
    often = Counter(found.values())
    return {name: text if often[text] == 1 else f"{text} ({name})" for name, text in found.items()}


def is_default(folder: Path) -> bool:
    """Whether the checkpoint answers unless another is chosen."""
    return folder.name == DEFAULT_CHECKPOINT


def own_first(folders: Iterable[Path]) -> list[Path]:
    """The user's own by name, then those of the repository in its own order."""
    shipped = list(SHIPPED_TITLES)

    def place(folder: Path) -> tuple[int, str]:
        return (-1, folder.name) if is_own(folder) else (shipped.index(folder.name), "")

    return sorted(folders, key=place)


def parameters(folder: Path) -> int:
    """Number of trainable values of its network.

    Raises:
        CoreError: The card cannot be read or names no network.
    """
    own = Card.load(folder / "card.json")
    return _parameters(own.model, len(own.labels), **own.model_options)


@st.cache_data(max_entries=4, show_spinner=False)
def _parameters(model: str, classes: int, **options: Any) -> int:  # noqa: ANN401 - of a network
    from core.models import build, parameter_count

    return parameter_count(build(model, classes, **options))


def labels(folder: Path | None) -> tuple[str, ...]:
    """The classes the card names; the usual six where there is none, or it cannot be read."""
    named = None if folder is None else card(folder).get("labels")
    return tuple(map(str, named)) if isinstance(named, list) and named else EMOTIONS


def figures(folder: Path) -> dict[str, Figures]:
    """Figures on the published test of each image set, from report.json; empty where it has none.

    They are told apart by image set, since only figures on the same pictures can be compared; for
    the same reason those of a network with neutral are of its answers to the six expressions.
    Where the data have no test part they are of clean validation, which their names then say.
    """
    try:
        report = shaped_or_empty(folder / "report.json", ReportFile)
        part = next((part for part in PARTS if part in report["splits"]), "")
        whole = report["splits"][part]["per_source"]
        six = report["six"]["splits"][part]["per_source"] if report.get("six") else {}
        return {
            f"{source_names([str(name)])} {PARTS[part]}": _figures(one, six.get(name))
            for name, one in whole.items()
            if one["n"]
        }
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return {}


def _figures(whole: dict[str, Any], six: dict[str, Any] | None) -> Figures:
    found = six if six and six["n"] else whole
    low_high = found.get("intervals", {}).get("accuracy")
    return Figures(
        images=int(found["n"]),
        accuracy=float(found["accuracy"]),
        accuracy_range=(float(low_high[0]), float(low_high[1])) if low_high else None,
        macro_f1=float(found["macro_f1"]),
        seven=None if found is whole else (int(whole["n"]), float(whole["accuracy"])),
    )


def caution(folder: Path) -> str:
    """Why an own network's answers may mean little; "" where nothing is known of it.

    That is so where it learnt from the demo's drawings alone, where always naming the commonest
    label would do as well as far as its pictures can tell, or where its data have no picture of a
    class.
    """
    if not is_own(folder):
        return ""
    report = folder / "report.json"
    said = DRAWN if learned_from(folder) == {DEMO} else "", _caution(str(report), changed(report))
    return " ".join(filter(None, said))


@st.cache_data(max_entries=100, show_spinner=False)
def _caution(path: str, time: float) -> str:
    """Of a report; it is read once a change, for every page that offers networks asks again."""
    report = shaped_or_empty(Path(path), ReportFile)
    split: dict[str, Any] = next(
        (report["splits"][part] for part in PARTS if part in report.get("splits", {})), {}
    )
    try:
        support = {label: int(one["support"]) for label, one in split["per_class"].items()}
        low, high = split["intervals"]["accuracy"]
        label, often = max(support.items(), key=lambda one: one[1])
        share, right, number = often / split["n"], split["accuracy"], split["n"]
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return ""
    said = []
    if low <= share:
        said.append(
            f"This network is right for {percent(right)} of {counted(number, 'picture')} (95 %: "
            f"{100 * low:.0f} to {100 * high:.0f}); always saying “{label}” would be for "
            f"{percent(share)}. Its answers may mean nothing."
        )
    if absent := report.get("absent"):
        said.append(f"Its pictures show no {' and no '.join(absent)}: it hardly knows them.")
    return " ".join(said)


def checkpoint_cards(folders: Sequence[Path]) -> None:
    """Draw cards one below the other; figures of one name are on the same pictures."""
    reached = {folder: figures(folder) for folder in folders}
    counts: dict[str, int] = {}
    for one in reached.values():
        for name in one:
            counts[name] = counts.get(name, 0) + 1
    shown = sorted(counts, key=lambda name: -counts[name])[:MOST_SETS]
    for folder in folders:
        _card(folder, reached[folder], shown)


def _card(folder: Path, reached: dict[str, Figures], shown: Sequence[str]) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{literal(title_of(folder))}**", width="content")
            if is_default(folder):
                st.badge("the default", color="blue")
        reason = damage(folder)
        if reason and not reason.startswith("report.json"):  # another evaluation mends that
            st.error(f"This checkpoint is damaged: {literal(reason)} Restore it, or remove it:")
            st.code(f"python -m core queue remove {folder.name}", language=None)
            return
        st.caption(literal(_origin(folder)))
        if reached:
            columns = st.columns(max(2, len(shown)))
            for column, name in zip(columns, shown, strict=False):
                with column:
                    _metric(name, reached.get(name))
        else:
            st.caption(literal(f"Its {reason}") if reason else "Not evaluated yet.")
            data = " --data DIR" if "imported" in (card(folder).get("data") or {}) else ""
            st.code(f"python -m core evaluate {folder.name}{data}", language=None)
        navigation.network_links(folder.name, measured=bool(reached))


def _metric(name: str, one: Figures | None) -> None:
    label = f"{name}, right answers"
    if one is None:
        st.metric(label, "-")
        st.caption("not measured")
        return
    st.metric(label, percent(one.accuracy))
    words = f"of {one.images:,} pictures{' of six expressions' if one.seven else ''}"
    if one.accuracy_range is not None:
        low, high = one.accuracy_range
        words += f"; 95 % interval {100 * low:.1f} to {100 * high:.1f}"
    more = f". With neutral: {percent(one.seven[1])} of {one.seven[0]:,}." if one.seven else ""
    st.caption(f"{words}. Macro-F1 {percent(one.macro_f1)}{more}")


def _origin(folder: Path) -> str:
    """What a network learned from; its report names image sets that its card takes for granted."""
    own = card(folder)
    data = own.get("data")
    facts = data if isinstance(data, dict) else {}
    if "imported" in facts:
        return f"Imported from {facts['imported']}; what it was trained on is not known here."
    trained = f"{facts['train']:,} pictures" if isinstance(facts.get("train"), int) else "pictures"
    named = facts.get("sources") or shaped_or_empty(folder / "report.json", ReportFile).get(
        "sources", []
    )
    sources = source_names([str(name) for name in named]) or "its data"
    start = facts.get("initial")
    if isinstance(start, dict) and start.get("checkpoint"):
        if is_joined(own):
            word = "Averaged" if is_averaged(own) else "Joined"
            return f"{word} from trained networks, which learned from {trained} of {sources}."
        return f"Trained further on {trained} of {sources}, from earlier weights."
    return f"Trained on {trained} of {sources}."
