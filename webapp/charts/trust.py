"""Figures about explanations: gaps beside their controls, and regions by expression."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.labels import COLOURS

BEATS_COLOUR, FALLS_COLOUR = COLOURS["disgust"], COLOURS["anger"]
CONTROL_COLOUR, END_COLOUR = "#8A8A8A", "#6E7681"
BEATS = "beats its controls"
KINDS = {
    BEATS: ("beats its controls", BEATS_COLOUR),
    "does not beat its controls": ("does not", FALLS_COLOUR),
    None: ("control", CONTROL_COLOUR),
}


def gap_bars(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Insertion minus deletion of every method and control with its interval, best on top.

    Args:
        rows: Of `core.trust_table.trust_rows`.
    """
    ordered = sorted(rows, key=lambda row: row["gap"])
    figure = go.Figure()
    for verdict, (title, colour) in KINDS.items():
        some = [row for row in ordered if row["verdict"] == verdict]
        figure.add_trace(
            go.Bar(
                y=[row["method"] for row in some],
                x=[row["gap"] for row in some],
                orientation="h",
                name=title,
                marker={"color": colour},
                error_x={
                    "type": "data",
                    "color": END_COLOUR,  # seen on light and dark pages, and on the bars
                    "symmetric": False,
                    "array": [row["gap_high"] - row["gap"] for row in some],
                    "arrayminus": [row["gap"] - row["gap_low"] for row in some],
                },
                hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            )
        )
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=[row["method"] for row in ordered],
        fixedrange=True,
        automargin=True,
    )
    figure.update_xaxes(title="insertion minus deletion", fixedrange=True, zeroline=True)
    return figure.update_layout(
        height=80 + 26 * len(ordered),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        # The bars are shortest below, so there is room whatever the width.
        legend={"x": 1, "xanchor": "right", "y": 0.02, "yanchor": "bottom"},
        dragmode=False,
    )


def region_heat(
    values: Sequence[Sequence[Sequence[float] | None]],
    regions: Sequence[str],
    labels: Sequence[str],
    *,
    factor: float = 100.0,
    middle: float = 0.0,
    digits: int = 0,
) -> go.Figure:
    """Regions in rows, expressions in columns: mean and 95 % interval in every cell.

    Args:
        values: (R, K), [mean, low, high] or None where there are too few faces.
        regions: Names of the rows.
        labels: Names of the columns.
        factor: Numbers are multiplied by it, for example to be read in percent.
        middle: The value without colour.
        digits: Behind the point.
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
            text=[[_cell(one, factor, digits) for one in row] for row in values],
            texttemplate="%{text}",
            colorscale="RdBu",
            reversescale=True,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True, automargin=True)
    figure.update_xaxes(side="top", fixedrange=True, tickangle=-30)
    return figure.update_layout(
        height=90 + 44 * len(regions),
        margin={"l": 10, "r": 24, "t": 60, "b": 10},
        dragmode=False,
    )


def _cell(one: Sequence[float] | None, factor: float, digits: int) -> str:
    if one is None:
        return "-"
    # Adding nothing turns a negative zero into zero.
    mean, low, high = (f"{round(factor * value, digits) + 0.0:.{digits}f}" for value in one)
    return f"{mean}<br>[{low}, {high}]"
