"""What a measurement over many faces says of a method, in two words and in full."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import streamlit as st

from core import Explanation
from core.explain import EXPLAINERS, misses_mark
from core.faithfulness import CONTROL_TITLES
from webapp.text import counted, literal, percent

Colour = Literal["green", "orange", "gray"]

BEATS = "beats its controls"  # as reports say it
BLIND = "blind maps"
GOOD, POOR = f"on test faces: truer than {BLIND}", "on test faces: no truer than {control}"
UNMEASURED = "not tested for this network"
OTHER_LAYER = "not measured at this layer"
PIXELS = "input"  # in place of a layer's name, as explanations say it
SAME_FOR_ALL = "the same for every expression"
HOW_IT_IS_MEASURED = (
    "Pixels are shown to the network, or hidden from it, in the order of the map. A true map makes "
    "the probability rise early when pixels are shown (insertion) and fall early when they are "
    "hidden (deletion); its gap is the difference of the two. A method beats its controls when its "
    "gap is above zero and above those of blind maps, which know nothing of the answer, with 95 % "
    "intervals."
)
_CSS = {"green": "#1A7F37", "orange": "#BC4C00", "gray": "#7D8590"}


@dataclass(frozen=True, slots=True)
class Badge:
    """A few words and their colour."""

    words: str
    colour: Colour


def entry_of(report: Mapping[str, Any] | None, method: str, layer: str) -> dict[str, Any] | None:
    """The figures of a method at a layer; None where there are none."""
    found = (report or {}).get("methods", {}).get(method)
    if not isinstance(found, dict) or found.get("layer") != layer:
        return None
    return found


def badges(report: Mapping[str, Any] | None, method: str, layer: str) -> tuple[Badge, ...]:
    """What stands beside a map.

    Args:
        report: Of `stored_faithfulness`.
        method: Registry name.
        layer: The layer explained.
    """
    entry = entry_of(report, method, layer)
    if entry is None:
        known = (report or {}).get("methods", {})
        return (Badge(OTHER_LAYER if method in known else UNMEASURED, "gray"),)
    found = [Badge(GOOD, "green") if entry.get("verdict") == BEATS else _poor(entry)]
    if entry.get("sanity") == "fails":
        found.append(Badge("barely depends on the weights", "orange"))
    if entry.get("sanity") == "partly":
        found.append(Badge("depends on the weights in part only", "orange"))
    if misses_mark(report, method):
        found.append(Badge("misses a planted mark", "orange"))
    if method in EXPLAINERS and not EXPLAINERS[method].class_discriminative:
        found.append(Badge(SAME_FOR_ALL, "gray"))
    return tuple(found)


def _poor(entry: Mapping[str, Any]) -> Badge:
    """Names the control that a method exceeds least, or chance where its gap is not above zero."""
    leads = {name: ahead["ci"][0] for name, ahead in entry.get("over_controls", {}).items()}
    least = min(leads, key=lambda name: leads[name], default="")
    control = CONTROL_TITLES.get(least, BLIND) if leads.get(least, 1) <= 0 else BLIND
    return Badge(POOR.format(control="chance" if entry["ci"][0] <= 0 else control), "orange")


def badge_html(badge: Badge) -> str:
    """A badge inside other HTML, in the page's own letters."""
    colour = _CSS[badge.colour]
    return (
        f'<span style="display:inline-block;font-size:0.75rem;padding:0 0.5em;margin-left:0.2em;'
        f"border-radius:0.6em;border:1px solid {colour};"
        f'background:color-mix(in srgb, {colour} 16%, transparent)">{escape(badge.words)}</span>'
    )


def show_badges(
    report: Mapping[str, Any] | None, method: str, layer: str, key: str, *, figures: bool = True
) -> None:
    """Draw the method's name with its badges, and the numbers behind a button.

    Args:
        report: Of `stored_faithfulness`.
        method: Registry name.
        layer: The layer explained.
        key: Tells this place from others on the page.
        figures: Whether there is such a button.
    """
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key=key)
    row.caption(literal(EXPLAINERS[method].title), width="content")
    for badge in badges(report, method, layer):
        row.badge(badge.words, color=badge.colour)
    if figures:
        with row.popover("Numbers", type="tertiary"):
            show_numbers(report, method, layer)


def show_numbers(report: Mapping[str, Any] | None, method: str, layer: str) -> None:
    """Draw the figures behind the badge, and which layer they and the map are of."""
    if said := layer_in_words(layer):
        st.caption(said)
    st.markdown(numbers(report, method, layer))


def layer_in_words(layer: str) -> str:
    """A sentence with the layer's own name, for details only; "" for maps of the pixels."""
    if layer == PIXELS:
        return ""
    return f"Taken at the layer named {literal(layer)} inside the network."


def row_title(explanation: Explanation, *, named: bool = False) -> str:
    """A method and how finely its map divides the face.

    Args:
        explanation: Any of a face.
        named: Whether the layer's own name stands for that, as in figures to take away.
    """
    title = EXPLAINERS[explanation.method].title
    if explanation.layer == PIXELS:
        return title
    height, width = explanation.maps.shape[1:]
    place = f" at {explanation.layer}" if named else f", map of {width} x {height} fields"
    return f"{title}{place}"


def numbers(report: Mapping[str, Any] | None, method: str, layer: str) -> str:
    """The figures behind the badge as Markdown; a sentence where there are none."""
    entry = entry_of(report, method, layer)
    if report is None or entry is None:
        refusal = (report or {}).get("refused", {}).get(method)
        if refusal:
            return literal(str(refusal))
        at = "at this layer " if report is not None and method in report["methods"] else ""
        return (
            f"Nothing was measured {at}for this checkpoint. `python -m core faithfulness RUN` "
            f"measures every method on test faces.\n\n{HOW_IT_IS_MEASURED}"
        )
    rows = "\n".join(f"| {name} | {value} |" for name, value in figure_rows(report, entry))
    faces = counted(int(entry.get("n", 0)), "test face")
    return f"{HOW_IT_IS_MEASURED}\n\n| over {faces} | |\n|---|---|\n{rows}"


def figure_rows(report: Mapping[str, Any], entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of all figures that are there, intervals with them."""
    rows = [("gap", _ranged(entry))]
    rows += [
        (name, f"{entry[name]:.3f}")
        for name in ("insertion", "deletion")
        if _is_number(entry, name)
    ]
    for name, title in CONTROL_TITLES.items():
        own = report.get("controls", {}).get(name)
        if own:
            whose = "another face's Grad-CAM" if name == "other_face" else title
            rows.append((f"gap of {whose}", _ranged(own)))
        ahead = entry.get("over_controls", {}).get(name)
        if ahead:
            rows.append((f"ahead of {_compared(name, title, report, entry)} by", _ranged(ahead)))
    if isinstance(entry.get("road"), dict):
        rows.append(("ROAD", _ranged(entry["road"])))
    for name, title in (
        ("average_drop", "average drop"),
        ("increase", "increase in confidence"),
        ("blank", "blank maps"),
    ):
        if _is_number(entry, name):
            rows.append((title, percent(float(entry[name]))))
    if entry.get("sanity"):
        rows.append(("parameter randomisation", literal(str(entry["sanity"]))))
    return rows


def _compared(name: str, title: str, report: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """A control as a method was compared with it, which may be otherwise than its own row says."""
    if name == "other_face":
        return "the method's own map of another face"
    fewer = entry.get("n") != report.get("n", entry.get("n"))
    return f"{title}, on these faces," if fewer else title


def _is_number(entry: Mapping[str, Any], name: str) -> bool:
    return isinstance(entry.get(name), int | float)


def _ranged(value: Mapping[str, Any]) -> str:
    low, high = value["ci"]
    return f"{value['gap']:+.3f} ({low:+.3f} to {high:+.3f})"
