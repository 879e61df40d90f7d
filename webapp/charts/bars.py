"""Probabilities, channels and levels as bars."""

from collections.abc import Sequence

import plotly.graph_objects as go

from core.labels import COLOURS
from core.types import Prediction
from webapp.charts import OLIVE, VIOLET

BAR = 30  # px a bar with its gap
EDGES = 10  # px above and below all bars
ROOM_FOR_NUMBERS = 1.22  # of the axis, so that "100.0 %" fits beside the longest bar
FOR_COLOUR, AGAINST_COLOUR = VIOLET, OLIVE  # the hues of signed maps
FEW = 24  # values; up to here each has its number at its bar


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


def probability_bars(prediction: Prediction) -> go.Figure:
    """One horizontal bar a class, first class on top, in the class's own colour."""
    labels = list(prediction.labels)
    shares = [float(share) for share in prediction.probabilities]
    figure = level_bars(
        labels,
        shares,
        colours=[COLOURS.get(label, COLOURS["neutral"]) for label in labels],
        numbers=[f"{share:.1%}".replace("%", " %") for share in shares],
        hover="%{y}: %{x:.2%}",
    )
    figure.update_xaxes(range=[0, ROOM_FOR_NUMBERS])
    return figure


def value_bars(values: Sequence[float], names: Sequence[str]) -> go.Figure:
    """One bar a channel, as the network numbers them.

    Args:
        values: One a channel.
        names: One a channel.
    """
    is_short = len(values) <= FEW
    figure = go.Figure(
        go.Bar(
            x=list(names) if is_short else list(range(len(values))),
            y=list(values),
            marker={"color": [AGAINST_COLOUR if value < 0 else FOR_COLOUR for value in values]},
            text=[f"{value:.2f}" for value in values] if is_short else None,
            customdata=list(names),
            hovertemplate="%{customdata}: %{y:.3f}<extra></extra>",
        )
    )
    if not is_short:
        figure.update_traces(marker={"line": {"width": 0}})
    figure.update_layout(
        height=320,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        bargap=0.3 if is_short else 0,
        dragmode=False,
        showlegend=False,
    )
    figure.update_xaxes(title=None if is_short else "channel", fixedrange=True)
    figure.update_yaxes(title="activation", fixedrange=True)
    return figure
