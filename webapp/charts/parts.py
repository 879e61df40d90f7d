"""Bars of one number for each part of a face, from the forehead down."""

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from webapp.charts.level_bars import level_bars

FOR_COLOUR, AGAINST_COLOUR = "#D55E00", "#0072B2"  # those of signed maps
FROM_ABOVE = ("forehead", "brows", "eyes", "nose", "cheeks", "mouth", "chin", "background")
ROOM_FOR_NUMBERS = 0.28  # of the axis, on the side of bars
LEAST_SPAN = {"points": 0.1}  # of the axis, so that tiny effects look tiny

Unit = Literal["points", "share", "times", "logits"]
_FORMS = {"points": "{:+.1f}", "share": "{:.1f} %", "times": "{:.2f} x", "logits": "{:+.3f}"}
_FACTORS = {"points": 100.0, "share": 100.0, "times": 1.0, "logits": 1.0}


def from_above(names: Sequence[str]) -> list[int]:
    """Places of the parts in `names` in the order of the face, unknown ones last."""
    known = {name: place for place, name in enumerate(FROM_ABOVE)}
    return sorted(range(len(names)), key=lambda place: known.get(names[place], len(known)))


def told(value: float, unit: Unit) -> str:
    """A number as it stands at its bar."""
    rounded = round(value * _FACTORS[unit], 1 if unit in ("points", "share") else 3)
    return _FORMS[unit].format(rounded + 0.0)  # no minus before a zero


def part_bars(names: Sequence[str], values: Sequence[float], unit: Unit) -> go.Figure:
    """One horizontal bar a part: to the right what speaks for the answer, to the left against.

    Args:
        names: Of the parts.
        values: One a part.
        unit: "points" and "share" show hundredths, "times" and "logits" the value itself.
    """
    order = from_above(names)
    shown = [float(values[place]) for place in order]
    figure = level_bars(
        [names[place] for place in order],
        shown,
        colours=[AGAINST_COLOUR if x < 0 else FOR_COLOUR for x in shown],
        numbers=[told(value, unit) for value in shown],
        hover="%{y}: %{text}",
    )
    low, high = min(0.0, *shown), max(LEAST_SPAN.get(unit, 0.0), *shown)
    room = ROOM_FOR_NUMBERS * max(high - low, 1e-9)
    figure.update_xaxes(range=[low - room if low < 0 else 0.0, high + room])
    if low < 0:
        figure.add_vline(x=0, line={"width": 1, "color": "#8A8A8A"})
    return figure
