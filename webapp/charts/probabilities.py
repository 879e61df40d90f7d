"""The bars of one face's probabilities."""

import plotly.graph_objects as go

from core.labels import COLOURS
from core.types import Prediction

BAR = 30  # px a bar with its gap
ROOM_FOR_NUMBERS = 1.22  # of the axis, so that "100.0 %" fits beside the longest bar


def probability_bars(prediction: Prediction) -> go.Figure:
    """One horizontal bar a class, first class on top, in the class's own colour."""
    labels = list(prediction.labels)
    shares = [float(share) for share in prediction.probabilities]
    figure = go.Figure(
        go.Bar(
            x=shares,
            y=labels,
            orientation="h",
            marker={"color": [COLOURS.get(label, COLOURS["neutral"]) for label in labels]},
            text=[f"{share:.1%}".replace("%", " %") for share in shares],
            textposition="outside",
            textfont={"size": 14},
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_layout(
        height=BAR * len(labels) + 8,
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        bargap=0.3,
        showlegend=False,
        font={"size": 14},
        # A chart that catches the finger on a phone keeps the page from scrolling.
        dragmode=False,
    )
    figure.update_xaxes(range=[0, ROOM_FOR_NUMBERS], visible=False, fixedrange=True)
    figure.update_yaxes(
        autorange="reversed", fixedrange=True, automargin=True, title=None, tickfont={"size": 14}
    )
    return figure
