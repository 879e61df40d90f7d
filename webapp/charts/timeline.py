"""The probabilities of one face over a video."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.labels import colour

HEIGHT = 300
QUIET = "#8A8A8A"
_CLICKABLE = 14  # px about a point that takes a click
_DOT = 8  # px


def face_timeline(
    times: NDArray[np.float64],
    shares: NDArray[np.float64],
    labels: Sequence[str],
    moment: float | None,
    revision: str,
    events: Sequence[tuple[float, str]] = (),
    whole: tuple[float, float] | None = None,
) -> go.Figure:
    """A line a class, and an upright one at the moment shown and at each event.

    A moment alone, without another beside it to draw a line to, is a dot a class.

    Args:
        times: float64 (T,), seconds.
        shares: float64 (T, K), 0 to 1; NaN breaks the lines.
        labels: Class names.
        moment: Seconds; None for none.
        revision: As long as it stays, a visitor's zoom does.
        events: Seconds and name of each.
        whole: Seconds from and to which the axis goes; None for as far as there are scores.
    """
    figure = go.Figure()
    alone = _alone(shares)
    for index, label in enumerate(labels):
        hue = colour(label)
        figure.add_trace(
            go.Scatter(
                x=times,
                y=shares[:, index],
                name=label,
                mode="lines+markers",
                line={"color": hue, "width": 2},
                # Lines take no clicks; points do, also when they are too faint to be seen.
                marker={"color": hue, "size": _CLICKABLE, "opacity": 0},
                selected={"marker": {"opacity": 0}},
                unselected={"marker": {"opacity": 0}},
                connectgaps=False,
                legendgroup=label,
                hovertemplate="%{y:.0%}",
            )
        )
        if alone.any():
            figure.add_trace(
                go.Scatter(
                    x=times[alone],
                    y=shares[alone, index],
                    name=label,
                    mode="markers",
                    marker={"color": hue, "size": _DOT},
                    selected={"marker": {"opacity": 1}},
                    unselected={"marker": {"opacity": 1}},
                    legendgroup=label,
                    showlegend=False,
                    hoverinfo="skip",
                )
            )
    if moment is not None:
        figure.add_vline(x=moment, line={"color": QUIET, "width": 2, "dash": "dot"})
    for when, name in events:
        figure.add_vline(
            x=when,
            line={"color": QUIET, "width": 1, "dash": "dash"},
            annotation={"text": escape(name), "textangle": -90, "xanchor": "left"},
        )
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        hovermode="x unified",
        dragmode=False,
        uirevision=revision,
        legend={"orientation": "h", "y": -0.22, "x": 0, "itemclick": "toggle"},
    )
    figure.update_xaxes(title="seconds", showgrid=False, fixedrange=True, range=whole)
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", fixedrange=True)
    return figure


def _alone(shares: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows have no neighbour to draw a line to, bool (T,)."""
    known = np.isfinite(shares).all(axis=1)
    beside = np.pad(known, 1)
    return np.asarray(known & ~beside[:-2] & ~beside[2:], bool)
