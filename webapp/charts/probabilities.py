"""The bars of one face's probabilities."""

import plotly.graph_objects as go

from core.labels import COLOURS
from core.types import Prediction
from webapp.charts.level_bars import level_bars

ROOM_FOR_NUMBERS = 1.22  # of the axis, so that "100.0 %" fits beside the longest bar


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
