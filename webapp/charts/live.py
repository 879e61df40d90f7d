"""Probabilities over time: the last minute of a live face, and a whole video."""

from collections.abc import Sequence

import plotly.graph_objects as go

from core.labels import COLOURS, NEUTRAL

HEIGHT = 220  # px
SECONDS = 60  # of a live face


def minute_chart(
    times: Sequence[float],
    rows: Sequence[Sequence[float] | None],
    labels: Sequence[str],
    now: float,
) -> go.Figure:
    """Lines of the last minute, newest on the right.

    Args:
        times: Seconds, in order.
        rows: Probabilities at these times; None breaks the lines.
        labels: Class names.
        now: The second at the right edge.
    """
    figure = go.Figure()
    ago = [time - now for time in times]
    for index, label in enumerate(labels):
        figure.add_scatter(
            x=ago,
            y=[None if row is None else row[index] for row in rows],
            name=label,
            mode="lines",
            line={"color": COLOURS.get(label, COLOURS[NEUTRAL]), "width": 2},
            hovertemplate="%{y:.0%} " + label + "<extra></extra>",
        )
    _style(figure)
    figure.update_xaxes(range=[-SECONDS, 0], title="seconds ago", dtick=15)
    return figure


def _style(figure: go.Figure) -> None:
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 8, "t": 4, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
        uirevision="keep",
        dragmode=False,
    )
    figure.update_xaxes(fixedrange=True, zeroline=False)
    figure.update_yaxes(range=[0, 1], tickformat=".0%", fixedrange=True, automargin=True)
