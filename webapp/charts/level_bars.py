"""Bars that lie, one below the other, with their names on the left and numbers at their ends."""

from collections.abc import Sequence

import plotly.graph_objects as go

BAR = 30  # px a bar with its gap
EDGES = 10  # px above and below all bars


def level_bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    colours: Sequence[str],
    numbers: Sequence[str],
    hover: str,
) -> go.Figure:
    """One bar a name, the first on top; the range of the axis is left to the caller.

    Args:
        names: Beside the bars.
        values: Lengths, below zero to the left.
        colours: One a bar.
        numbers: What is written at the ends of the bars.
        hover: Template of what is told under the pointer.
    """
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=list(names),
            orientation="h",
            marker={"color": list(colours)},
            text=list(numbers),
            textposition="outside",
            textfont={"size": 14},
            cliponaxis=False,
            hovertemplate=f"{hover}<extra></extra>",
        )
    )
    figure.update_layout(
        height=BAR * len(names) + EDGES,
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        bargap=0.3,
        showlegend=False,
        font={"size": 14},
        # A chart that catches the finger on a phone keeps the page from scrolling.
        dragmode=False,
    )
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(
        autorange="reversed", fixedrange=True, automargin=True, title=None, tickfont={"size": 14}
    )
    return figure
