"""Charts of a data set: balance, Table 1, histograms, the map of features."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import sqrt
from textwrap import fill
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.labels import COLOURS
from webapp.charts import SEQUENTIAL, TEXT

Values = dict[str, Any]
GREY = "#8A8A8A"
# Tol's bright scheme (2021): none of them stands for an expression on the same page, and all are
# seen on a light and on a dark ground.
SOURCE_COLOURS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#BBBBBB")
ANSWER_COLOURS = {"right": "#66CCEE", "wrong": "#EE6677", "unlabelled": GREY}
CLASS_ROW, ORIGIN_NAMES = 34, 120  # px: a class of the table of origins, and the names above it
NAME = 12  # characters in a line of such a name
SMALLEST, LARGEST = 5, 14  # px, dots of a map
OPACITY, OUTLINE = 0.85, 0.75  # of the dots; the outline in px


def balance(counts: Values, titles: dict[str, str], *, share: bool) -> go.Figure:
    """Stacked bars of classes, one bar a source and split; a bar's custom data name its cell.

    Args:
        counts: {source: {split: {emotion: n}}}.
        titles: Names of the sources for people.
        share: Whether bars show shares of 1 instead of numbers.
    """
    bars = [(source, split) for source, splits in counts.items() for split in splits]
    names = [f"{titles[source]}<br>{split}" for source, split in bars]
    used = {label for source, split in bars for label in counts[source][split]}
    labels = [*(label for label in COLOURS if label in used), *sorted(used - set(COLOURS))]
    figure = go.Figure()
    for label in labels:
        numbers = [counts[source][split].get(label, 0) for source, split in bars]
        totals = [max(sum(counts[source][split].values()), 1) for source, split in bars]
        shares = [number / total for number, total in zip(numbers, totals, strict=True)]
        figure.add_bar(
            x=names,
            y=shares if share else numbers,
            name=label,
            marker_color=COLOURS.get(label, GREY),
            customdata=[
                [source, split, label, number, part]
                for (source, split), number, part in zip(bars, numbers, shares, strict=True)
            ],
            hovertemplate="%{x}<br>%{customdata[2]}: %{customdata[3]:,} "
            "(%{customdata[4]:.1%})<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        height=400,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        # Several rows on a phone: from its lower edge on, the margin makes room for it.
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        yaxis={"tickformat": ".0%" if share else ",", "title": None},
        dragmode=False,
    )
    return figure


def source_colours(sources: Iterable[str]) -> dict[str, str]:
    """A colour for each source, in order."""
    return {
        source: SOURCE_COLOURS[number % len(SOURCE_COLOURS)]
        for number, source in enumerate(sources)
    }


def histogram(statistic: Values, titles: dict[str, str]) -> go.Figure:
    """One line a source over fixed bins, each as a share of its pictures; without a legend.

    Args:
        statistic: {"edges", "meaning", "groups": {source: {"counts", ...}}} of an audit.
        titles: Names of the sources for people, in the order of `source_colours`.
    """
    middles = [(low + high) / 2 for low, high in pairwise(statistic["edges"])]
    colours = source_colours(titles)
    figure = go.Figure()
    for source, group in statistic["groups"].items():
        total = max(sum(group["counts"]), 1)
        figure.add_scatter(
            x=middles,
            y=[count / total for count in group["counts"]],
            mode="lines",
            line_shape="hvh",
            name=titles[source],
            line_color=colours[source],
            hovertemplate="%{x:.1f}: %{y:.1%}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        height=240,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        yaxis={"tickformat": ".0%", "title": None},
        showlegend=False,
    )
    return figure


def origin_table(shares: dict[str, dict[str, float]]) -> go.Figure:
    """Shares of the classes in each origin as a heat map, with its numbers written in.

    Origins are the columns: there may be few, and six names of classes stand better on a phone
    below each other.

    Args:
        shares: {origin: {class: share of the origin's pictures}}, origins by their names for
            people.
    """
    origins, labels = list(shares), list(next(iter(shares.values())))
    values = [[shares[origin][label] for origin in origins] for label in labels]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=origins,
            y=labels,
            zmin=0,
            zmax=1,
            colorscale=SEQUENTIAL,
            text=[[f"{100 * share:.1f} %" for share in row] for row in values],
            texttemplate="%{text}",
            textfont={"color": TEXT, "size": 12},
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{text} of %{x} are %{y}<extra></extra>",
        )
    )
    figure.update_layout(
        height=ORIGIN_NAMES + CLASS_ROW * len(labels),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode=False,
    )
    figure.update_xaxes(
        side="top",
        tickvals=origins,
        ticktext=[fill(origin, NAME).replace("\n", "<br>") for origin in origins],
        autotickangles=[0, -90],  # upright where columns are narrow, lines from left to right
        showgrid=False,
        ticks="",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    return figure


def feature_map(points: pd.DataFrame, colour: str, names: Sequence[str]) -> go.Figure:
    """Pictures as points of a plane, coloured by a column.

    Args:
        points: Columns x, y, id and those to colour and hover by.
        colour: "label", "source" or "answer".
        names: Values of that column in the order of the legend.
    """
    known = {**COLOURS, **ANSWER_COLOURS}
    size = min(max(round(160 / sqrt(max(len(points), 1))), SMALLEST), LARGEST)
    figure = go.Figure()
    for number, name in enumerate(names):
        rows = points[points[colour] == name]
        figure.add_scattergl(
            x=rows["x"],
            y=rows["y"],
            mode="markers",
            name=name,
            customdata=rows[["id", "label", "source", "predicted"]],
            marker={
                "size": size,
                "opacity": OPACITY,
                "line": {"width": OUTLINE, "color": TEXT},  # or blue is lost on a dark page
                "color": known.get(name, SOURCE_COLOURS[number % len(SOURCE_COLOURS)]),
            },
            hovertemplate="#%{customdata[0]}<br>%{customdata[2]}, labelled %{customdata[1]}<br>"
            "answer %{customdata[3]}<extra></extra>",
        )
    figure.update_layout(
        height=560,
        margin={"l": 0, "r": 0, "t": 40, "b": 0},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "itemsizing": "constant"},
        dragmode="lasso",
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure
