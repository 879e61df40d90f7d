"""The values of a layer that has no cells."""

from collections.abc import Sequence

import plotly.graph_objects as go

FOR_COLOUR, AGAINST_COLOUR = "#D55E00", "#0072B2"
FEW = 24  # values; up to here each has its number at its bar


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
