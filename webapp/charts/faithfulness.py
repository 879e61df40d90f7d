"""Explanations as charts: how true they are, of one face and of all methods; parts of the face."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go

from core.faithfulness import CONTROL_TITLES
from webapp.charts import DIVERGING, GREY, OLIVE, TEXT, VIOLET
from webapp.charts.bars import AGAINST_COLOUR, FOR_COLOUR, level_bars

if TYPE_CHECKING:
    from core.faithfulness import FaceFaithfulness

SHOWN_COLOUR, HIDDEN_COLOUR = VIOLET, OLIVE
QUIET_COLOUR = GREY
BEATS_COLOUR, FALLS_COLOUR = VIOLET, OLIVE
CONTROL_COLOUR = GREY
BEATS = "beats its controls"  # as reports say it
BOTH, WEIGHTLESS, FALLS, CONTROL = "beats", "beats in part", "does not beat", ""
KINDS = {  # verdict: word in the legend, colour, symbol
    BOTH: ("beats its controls", BEATS_COLOUR, "circle"),
    WEIGHTLESS: ("beats them, but weights count little", BEATS_COLOUR, "circle-open"),
    FALLS: ("does not", FALLS_COLOUR, "circle-open"),
    CONTROL: ("control", CONTROL_COLOUR, "square"),
}
FROM_ABOVE = ("forehead", "brows", "eyes", "nose", "cheeks", "mouth", "chin", "background")
LETTERS = 12  # px of the numbers in a heat map, also where seven columns share a phone's width
ROOM_FOR_NUMBERS = 0.28  # of the axis, on the side of bars
LEAST_SPAN = {"points": 0.1}  # of the axis, so that tiny effects look tiny
Unit = Literal["points", "share", "times", "logits"]
_FORMS = {"points": "{:+.1f}", "share": "{:.1f} %", "times": "{:.2f} x", "logits": "{:+.3f}"}
_FACTORS = {"points": 100.0, "share": 100.0, "times": 1.0, "logits": 1.0}


def verdict_of(row: Mapping[str, Any]) -> str:
    """What to think of a method, one of KINDS: its gap, and whether its maps need the weights.

    Args:
        row: Of `core.faithfulness.faithfulness_rows`.
    """
    if not row["verdict"]:
        return CONTROL
    if row["verdict"] != BEATS:
        return FALLS
    return BOTH if row["sanity"] == "passes" else WEIGHTLESS


def answer_curves(found: "FaceFaithfulness", label: str) -> go.Figure:
    """Probability of a class over the share of pixels shown (insertion) and hidden (deletion)."""
    figure = go.Figure()
    for values, colour, name in (
        (found.curves.inserted[0], SHOWN_COLOUR, "shown, best first"),
        (found.curves.deleted[0], HIDDEN_COLOUR, "hidden, best first"),
    ):
        figure.add_scatter(
            x=found.curves.fractions.tolist(),
            y=values.tolist(),
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
            hovertemplate="%{x:.0%} of the pixels "
            + name.split(",")[0]
            + ": %{y:.1%}<extra></extra>",
        )
    figure.update_layout(
        height=280,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        dragmode=False,
    )
    figure.update_xaxes(title="share of the pixels", tickformat=".0%", fixedrange=True)
    figure.update_yaxes(
        title=f"probability of {label}", tickformat=".0%", range=[0, 1.02], fixedrange=True
    )
    return figure


def face_gap_bars(found: "FaceFaithfulness") -> go.Figure:
    """The gap of the map beside those of maps that know nothing of the answer."""
    names = ["this map", CONTROL_TITLES["centre"], "random maps, mean"]
    values = [found.gap, found.centre, found.random]
    figure = level_bars(
        names,
        values,
        colours=[SHOWN_COLOUR, QUIET_COLOUR, QUIET_COLOUR],
        numbers=[f"{value + 0.0:+.3f}" for value in values],
        hover="%{y}: %{x:+.3f}",
    )
    figure.update_xaxes(range=_room(min(0.0, *values), max(0.0, *values)))
    return figure


def method_gap_dots(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Insertion minus deletion of every method and control: dots with intervals, best on top.

    Args:
        rows: Of `core.faithfulness.faithfulness_rows`.
    """
    ordered = sorted(rows, key=lambda row: row["gap"])
    figure = go.Figure()
    for verdict, (title, colour, symbol) in KINDS.items():
        some = [row for row in ordered if verdict_of(row) == verdict]
        if not some:
            continue
        figure.add_scatter(
            y=[row["method"] for row in some],
            x=[row["gap"] for row in some],
            mode="markers",
            name=title,
            marker={"color": colour, "size": 11, "symbol": symbol},
            error_x={
                "color": colour,
                "thickness": 2,
                "symmetric": False,
                "array": [row["gap_high"] - row["gap"] for row in some],
                "arrayminus": [row["gap"] - row["gap_low"] for row in some],
            },
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=[row["method"] for row in ordered],
        fixedrange=True,
        automargin=True,
    )
    figure.update_xaxes(
        title="gap (right is truer)",
        fixedrange=True,
        zeroline=True,
    )
    return figure.update_layout(
        height=110 + 26 * len(ordered),
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
        dragmode=False,
    )


def from_above(names: Sequence[str]) -> list[int]:
    """Places of the parts in `names` in the order of the face, unknown ones last."""
    known = {name: place for place, name in enumerate(FROM_ABOVE)}
    return sorted(range(len(names)), key=lambda place: known.get(names[place], len(known)))


def told(value: float, unit: Unit) -> str:
    """A number as it stands at its bar."""
    rounded = round(value * _FACTORS[unit], 1 if unit in ("points", "share") else 3)
    text = _FORMS[unit].format(rounded)
    return text if rounded else text.lstrip("+-")  # a zero has no sign


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
    figure.update_xaxes(range=_room(low, high))
    if low < 0:
        figure.add_vline(x=0, line={"width": 1, "color": GREY})
    return figure


def _room(low: float, high: float) -> tuple[float, float]:
    """The range of an axis from `low`, 0 or below, to `high`, with room for numbers at bars."""
    room = ROOM_FOR_NUMBERS * max(high - low, 1e-9)
    return low - room if low < 0 else 0.0, high + room


def region_heat(
    values: Sequence[Sequence[Sequence[float] | None]],
    regions: Sequence[str],
    labels: Sequence[str],
    *,
    factor: float = 100.0,
    middle: float = 0.0,
) -> go.Figure:
    """Regions in rows, expressions in columns: the mean in every cell, its interval on hover.

    Args:
        values: (R, K), [mean, low, high] or None where there are too few faces.
        regions: Names of the rows.
        labels: Names of the columns.
        factor: Numbers are multiplied by it, for example to be read in percent.
        middle: The value without colour.
    """
    means = np.array([[np.nan if one is None else one[0] for one in row] for row in values])
    reach = float(np.nanmax(np.abs(means - middle))) if np.isfinite(means).any() else 1.0
    figure = go.Figure(
        go.Heatmap(
            z=means * factor,
            x=list(labels),
            y=list(regions),
            zmin=(middle - reach) * factor,
            zmax=(middle + reach) * factor,
            text=[[mean_told(one, factor) for one in row] for row in values],
            texttemplate="%{text}",
            colorscale=DIVERGING,
            textfont={"color": TEXT, "size": LETTERS},
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=[[mean_told(one, factor, ends=True) for one in row] for row in values],
            hovertemplate="%{y}, %{x}: %{customdata}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True, automargin=True)
    figure.update_xaxes(side="top", fixedrange=True, autotickangles=[0, -45])
    return figure.update_layout(
        height=90 + 36 * len(regions),
        margin={"l": 10, "r": 24, "t": 76, "b": 10},
        dragmode=False,
    )


def mean_told(one: Sequence[float] | None, factor: float, *, ends: bool = False) -> str:
    """A mean as it is written; "-" where there is none.

    Args:
        one: [mean, low, high].
        factor: Numbers are multiplied by it.
        ends: Whether its interval follows.
    """
    if one is None:
        return "-"
    # Adding nothing turns a negative zero into zero.
    mean, low, high = (f"{round(factor * value, 1) + 0.0:.1f}" for value in one)
    return f"{mean} ({low} to {high})" if ends else mean
