"""What a closer look hands out: figures, numbers, and their buttons."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st

from core import Explanation
from core.explain import Agreement, RegionReport
from core.faithfulness import FaceFaithfulness
from webapp.charts.bars import AGAINST_COLOUR, FOR_COLOUR
from webapp.charts.faithfulness import LEAST_SPAN, Unit, from_above, told
from webapp.figure_file import Item, Patch, Sheet, Words
from webapp.image_explanation.subject import Subject

NAMES, NUMBERS, BAR, MARGIN = 96, 64, 22, 16  # units of a sheet


def bars_sheet(
    title: str, names: Sequence[str], values: Sequence[float], unit: Unit, width: float = 480
) -> Sheet:
    """Bars as a figure, like `part_bars` on the page."""
    order = from_above(names)
    low, high = min(0.0, *values), max(LEAST_SPAN.get(unit, 0.0), *values)
    room = width - 2 * MARGIN - NAMES - NUMBERS * (2 if low < 0 else 1)
    each = room / max(high - low, 1e-9)
    zero = MARGIN + NAMES + (NUMBERS if low < 0 else 0) - low * each
    items: list[Item] = [Words(MARGIN, 18, title)]
    for line, place in enumerate(order):
        top, value = 28.0 + BAR * line, float(values[place])
        items.append(Words(MARGIN, top + 14, names[place], 12))
        left, long = zero + min(value, 0) * each, abs(value) * each
        items.append(Patch(left, top + 3, long, 15, AGAINST_COLOUR if value < 0 else FOR_COLOUR))
        text = told(value, unit)
        if value < 0:
            items.append(Words(left - 5, top + 14, text, 12, "end"))
        else:
            items.append(Words(zero + long + 5, top + 14, text, 12))
    return Sheet(width, 34.0 + BAR * len(order), tuple(items))


def as_text(values: Mapping[str, Any]) -> str:
    """Values as they go into a JSON file."""
    return json.dumps(values, indent=1)


def map_values(explanation: Explanation) -> dict[str, Any]:
    """Method, layer, and the map of every class."""
    return {
        "method": explanation.method,
        "layer": explanation.layer,
        "signed": explanation.signed,
        "complete": explanation.complete,
        "maps": {label: explanation.map_of(label).tolist() for label in explanation.labels},
        "blank": {label: explanation.is_blank(label) for label in explanation.labels},
    }


def part_values(report: RegionReport, labels: Sequence[str]) -> dict[str, Any]:
    """What was measured and described of the parts of a face."""
    hidden, game = report.hidden, report.game
    regions: dict[str, dict[str, Any]] = {
        entry.region: {
            "area": entry.area,
            "share": entry.share,
            "lift": entry.lift,
            "evidence": entry.evidence,
            "against_runner_up": entry.contrast,
        }
        for entry in report.evidence
    }
    for name, row in zip(hidden.regions, hidden.probabilities().tolist(), strict=True):
        regions[name]["probabilities_when_hidden"] = _named(labels, row)
    values: dict[str, Any] = {
        "predicted": report.predicted,
        "runner_up": report.runner_up,
        "sentence": report.sentence,
        "probabilities": _named(labels, hidden.answer().tolist()),
        "described_by": {"method": report.explanation.method, "layer": report.explanation.layer},
        "regions": regions,
        "textbook": None if report.textbook is None else _textbook(report.textbook),
        "all_sets": None,
    }
    if game is not None:
        values["all_sets"] = {
            "shapley_logits": {
                name: _named(labels, row)
                for name, row in zip(game.regions, game.shapley.tolist(), strict=True)
            },
            "smallest_hiding": game.smallest_hiding,
            "changed_to": None if game.changed_to is None else labels[game.changed_to],
        }
    return values


def trial_values(found: FaceFaithfulness, label: str) -> dict[str, Any]:
    """The deletion and insertion test of one face."""
    return {
        "label": label,
        "gap": found.gap,
        "controls": {"random": found.random, "centre": found.centre},
        "blank": found.is_blank,
        "fractions": found.curves.fractions.tolist(),
        "inserted": found.curves.inserted[0].tolist(),
        "deleted": found.curves.deleted[0].tolist(),
    }


def _named(labels: Sequence[str], row: Sequence[float]) -> dict[str, float]:
    return dict(zip(labels, row, strict=True))


def _textbook(found: Agreement) -> dict[str, Any]:
    return {
        "action_units": [{"number": unit.number, "name": unit.name} for unit in found.units],
        "expected_regions": list(found.expected),
        "share_of_effect": found.share,
        "share_by_chance": found.chance,
        "consistent": found.is_consistent,
    }


def offer(
    subject: Subject, what: str, figure: Callable[[], Sheet], numbers: Callable[[], str]
) -> None:
    """Draw three buttons; their files are made at the click.

    That happens outside of the visit's script, so nothing here may ask for what is kept for the
    visit: `figure` and `numbers` work on values at hand.

    Args:
        subject: Gives the files their names.
        what: Of them, one word, for example "parts".
        figure: Makes the figure.
        numbers: Makes the JSON.
    """
    stem = f"{PurePath(subject.picture.name).stem}-face{subject.number + 1}-{what}"
    choices: tuple[tuple[str, Callable[[], str | bytes], str, str, str], ...] = (
        ("PNG", lambda: figure().png(), "png", "image/png", "The figure as a picture"),
        (
            "SVG",
            lambda: figure().svg(),
            "svg",
            "image/svg+xml",
            "The figure with its words as text",
        ),
        ("JSON", numbers, "json", "application/json", "All numbers, maps included"),
    )
    with st.container(horizontal=True):
        for title, data, suffix, kind, explained in choices:
            st.download_button(
                title,
                data,
                f"{stem}.{suffix}",
                kind,
                key=f"{what} {title}",
                help=explained,
                icon=":material/download:",
                on_click="ignore",
            )
