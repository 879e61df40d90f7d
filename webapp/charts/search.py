"""Figures of a search for settings: its course, what matters, and every trial as a line."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from webapp.charts import GREY, OLIVE, VIOLET

if TYPE_CHECKING:
    from core.training import Trial

BEST_COLOUR, TRIAL_COLOUR, PRUNED_COLOUR = OLIVE, VIOLET, GREY
BAR = 26  # px
MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}


def course(trials: Sequence["Trial"]) -> go.Figure:
    """The goal of every trial in the order of their numbers, and the best so far."""
    figure = go.Figure()
    for state, colour, words in (
        ("finished", TRIAL_COLOUR, "trial"),
        ("pruned", PRUNED_COLOUR, "ended early"),
    ):
        chosen = [one for one in trials if one.state == state and one.value is not None]
        figure.add_scatter(
            x=[one.number for one in chosen],
            y=[one.value for one in chosen],
            mode="markers",
            name=words,
            marker={"color": colour, "size": 8, "symbol": "x" if state == "pruned" else "circle"},
            hovertemplate="trial %{x}: %{y:.2%}<extra></extra>",
        )
    finished = [one for one in trials if one.state == "finished" and one.value is not None]
    figure.add_scatter(
        x=[one.number for one in finished],
        y=list(accumulate((one.value or 0.0 for one in finished), max)),
        mode="lines",
        line={"color": BEST_COLOUR, "shape": "hv"},
        name="best so far",
        hovertemplate="best so far: %{y:.2%}<extra></extra>",
    )
    figure.update_layout(
        height=300,
        margin=MARGIN,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        dragmode=False,
    )
    figure.update_xaxes(title="trial")
    figure.update_yaxes(title="goal", tickformat=".1%")
    return figure


def importance_bars(importance: Mapping[str, float]) -> go.Figure:
    """Share of each setting in how the goal varies, the largest on top."""
    names = list(importance)
    figure = go.Figure(
        go.Bar(
            x=[importance[name] for name in names],
            y=[short(name) for name in names],
            orientation="h",
            marker_color=TRIAL_COLOUR,
            text=[f"{importance[name]:.0%}".replace("%", " %") for name in names],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )
    figure.update_layout(height=BAR * len(names) + 20, margin=MARGIN, dragmode=False)
    figure.update_xaxes(visible=False, range=[0, 1.2 * max(importance.values(), default=1.0)])
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def parallel_coordinates(trials: Sequence["Trial"]) -> go.Figure:
    """A line a finished trial through its values, coloured by the goal."""
    kept = [one for one in trials if one.state == "finished" and one.value is not None]
    goals = [one.value or 0.0 for one in kept]
    names = list(dict.fromkeys(name for one in kept for name in one.chosen))
    dimensions = [_axis(short(name), [one.chosen.get(name) for one in kept]) for name in names]
    dimensions.append({"label": "goal", "values": goals, "tickformat": ".1%"})
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": goals, "colorscale": "Viridis", "showscale": False},
            labelangle=-20,
        )
    )
    figure.update_layout(height=430, margin={"l": 50, "r": 40, "t": 90, "b": 20})
    return figure


def short(name: str) -> str:
    """A setting's name without the place it is in."""
    return name.rpartition(".")[2].replace("_", " ")


def _axis(label: str, values: list[Any]) -> dict[str, Any]:
    """One axis: numbers as they are where there are many, else their ranks, evenly spaced."""
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )
    distinct = sorted(set(values), key=lambda value: value if numbers else str(value))
    if numbers and len(distinct) > 8:
        return {"label": label, "values": values, "tickformat": ".2~g"}
    return {
        "label": label,
        "values": [distinct.index(value) for value in values],
        "tickvals": list(range(len(distinct))),
        "ticktext": [f"{value:g}" if numbers else str(value) for value in distinct],
        # A single value would have no extent, and the line no place.
        "range": [-0.5, max(len(distinct) - 0.5, 0.5)],
    }
