"""Faithfulness as charts: of one face, and of all methods."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from webapp.charts import GREY, OLIVE, VIOLET

if TYPE_CHECKING:
    from core.faithfulness import FaceFaithfulness

SHOWN_COLOUR, HIDDEN_COLOUR = VIOLET, OLIVE
QUIET_COLOUR = GREY
BEATS_COLOUR, FALLS_COLOUR = VIOLET, OLIVE
CONTROL_COLOUR = GREY
BEATS = "beats its controls"  # as reports say it
BOTH, WEIGHTLESS, FALLS, CONTROL = "beats", "beats, weights count little", "does not beat", ""
KINDS = {  # verdict: word in the legend, colour, symbol
    BOTH: ("beats its controls", BEATS_COLOUR, "circle"),
    WEIGHTLESS: ("beats them, but weights count little", BEATS_COLOUR, "circle-open"),
    FALLS: ("does not", FALLS_COLOUR, "circle-open"),
    CONTROL: ("control", CONTROL_COLOUR, "square"),
}


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
    names = ["this map", "fixed blob in the middle", "random maps, mean"]
    values = [found.gap, found.centre, found.random]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker={"color": [SHOWN_COLOUR, QUIET_COLOUR, QUIET_COLOUR]},
            text=[f"{value + 0.0:+.3f}" for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
        )
    )
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.28 * max(high - low, 1e-9)
    figure.update_layout(
        height=3 * 34 + 12,
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        bargap=0.3,
        showlegend=False,
        font={"size": 14},
        dragmode=False,
    )
    figure.update_xaxes(
        range=[low - room if low < 0 else 0.0, high + room], visible=False, fixedrange=True
    )
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True, title=None)
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
