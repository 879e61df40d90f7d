"""Probabilities, channels and levels as bars."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from core.labels import colour
from webapp.charts import OLIVE, VIOLET
from webapp.text import percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

BAR = 30  # px a bar with its gap
EDGES = 10  # px above and below all bars
FOR_COLOUR, AGAINST_COLOUR = VIOLET, OLIVE  # the hues of signed maps
FEW = 24  # values; up to here each has its number at its bar


def level_bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    colours: Sequence[str],
    numbers: Sequence[str],
    hover: str,
) -> "go.Figure":
    """One bar a name, the first on top; the range of the axis is left to the caller.

    Args:
        names: Beside the bars.
        values: Lengths, below zero to the left.
        colours: One a bar.
        numbers: What is written at the ends of the bars.
        hover: Template of what is told under the pointer.
    """
    import plotly.graph_objects as go  # loaded where it is needed: not for bars of HTML

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


def probability_bars(labels: Sequence[str], shares: Iterable[float], *, small: bool = False) -> str:
    """Name, bar in the expression's colour and percentage, a row a class, as HTML.

    A chart of plotly makes a browser load and read megabytes before the first bar is drawn.

    Args:
        labels: Names of the classes.
        shares: Their probabilities, 0 to 1.
        small: Whether they stand among many.
    """
    rows = []
    for label, share in zip(labels, shares, strict=True):
        bar = (
            f'<div style="width:{100 * share:.1f}%;height:100%;'
            f"background:{colour(label)};"
            'border-radius:3px;transition:width 0.9s"></div>'
        )
        rows.append(
            f"<div>{escape(label)}</div>"
            '<div style="height:0.9em;border-radius:3px;'
            f'background:color-mix(in srgb, currentColor 9%, transparent)">{bar}</div>'
            '<div style="text-align:right;font-variant-numeric:tabular-nums">'
            f"{percent(share)}</div>"
        )
    form = "gap:0.1rem 0.4rem;font-size:0.75rem" if small else "gap:0.3rem 0.6rem;font-size:0.9rem"
    return (
        '<div class="probability-bars" style="display:grid;grid-template-columns:max-content 1fr '
        f'max-content;align-items:center;{form}">{"".join(rows)}</div>'
    )


def value_bars(values: Sequence[float], names: Sequence[str]) -> "go.Figure":
    """One bar a channel, as the network numbers them.

    Args:
        values: One a channel.
        names: One a channel.
    """
    import plotly.graph_objects as go

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
