"""Figures of the results page: confusion matrices, calibration curves, strata."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from webapp.charts import DIVERGING, SEQUENTIAL, TEXT
from webapp.charts.accuracy_dots import OUR_COLOUR, PUBLISHED_COLOUR, RATER_COLOUR

Shown = Literal["counts", "shares"]
MARKER = 46  # px; as good as a whole cell for a finger
FAINT = 0.001  # opacity of the markers that catch the clicks: plotly drops those of opacity 0


def confusion_heat(
    counts: Sequence[Sequence[int]],
    labels: Sequence[str],
    shown: Shown,
    title: str,
    given: str = "label (by raters)",
) -> go.Figure:
    """A confusion matrix, true labels in rows, whose cells can be clicked.

    A click gives a point with `customdata` [true label, answer]: plotly reports no click on a heat
    map itself, so faint markers lie over its cells.

    Args:
        counts: (K, K), rows are true labels.
        labels: Class names.
        shown: "counts", or "shares" of each row.
        title: Above the matrix.
        given: Where the labels are from.
    """
    matrix = np.asarray(counts, dtype=np.int64)
    shares = row_shares(matrix)
    text = [
        [f"{count:,}" if shown == "counts" else f"{100 * share:.1f}" for count, share in row]
        for row in (zip(matrix[i], shares[i], strict=True) for i in range(len(labels)))
    ]
    hover = [
        [
            f"{labels[i]} called {labels[j]}<br>{matrix[i, j]:,} of {matrix[i].sum():,} images, "
            f"{100 * shares[i, j]:.1f} %"
            for j in range(len(labels))
        ]
        for i in range(len(labels))
    ]
    figure = go.Figure(
        go.Heatmap(
            # Colours follow the shares, or the largest class would hide all others, and of these
            # the roots, or small ones could not be told from none.
            z=np.sqrt(shares),
            x=list(labels),
            y=list(labels),
            zmin=0.0,
            zmax=1.0,
            text=text,
            texttemplate="%{text}",
            colorscale=SEQUENTIAL,
            textfont={"color": TEXT},
            showscale=False,
            hoverinfo="skip",
            xgap=2,
            ygap=2,
        )
    )
    figure.add_trace(_click_targets(labels, hover))
    return _square(figure, labels, title).update_yaxes(title=given)


def difference_heat(
    first: Sequence[Sequence[int]], second: Sequence[Sequence[int]], labels: Sequence[str]
) -> go.Figure:
    """The rows of the first matrix less those of the second, in percentage points."""
    parted = 100 * (row_shares(np.asarray(first)) - row_shares(np.asarray(second)))
    reach = max(1.0, float(np.abs(parted).max()))
    figure = go.Figure(
        go.Heatmap(
            z=parted,
            x=list(labels),
            y=list(labels),
            zmin=-reach,
            zmax=reach,
            text=[[f"{value:+.1f}" for value in row] for row in parted],
            texttemplate="%{text}",
            colorscale=DIVERGING,
            textfont={"color": TEXT},
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y} called %{x}: %{text} points<extra></extra>",
        )
    )
    return _square(figure, labels, "First less second, percentage points")


def row_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each row divided by its sum, float64 (K, K); rows without images are 0."""
    shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _click_targets(labels: Sequence[str], hover: list[list[str]]) -> go.Scatter:
    cells = [(i, j) for i in range(len(labels)) for j in range(len(labels))]
    return go.Scatter(
        x=[labels[j] for _, j in cells],
        y=[labels[i] for i, _ in cells],
        customdata=[[labels[i], labels[j]] for i, j in cells],
        text=[hover[i][j] for i, j in cells],
        hovertemplate="%{text}<extra></extra>",
        mode="markers",
        marker={"symbol": "square", "size": MARKER, "opacity": FAINT, "color": "#000000"},
        # Else Streamlit fades what is not chosen, and these must stay as they are.
        selected={"marker": {"opacity": FAINT}},
        unselected={"marker": {"opacity": FAINT}},
        showlegend=False,
    )


def _square(figure: go.Figure, labels: Sequence[str], title: str) -> go.Figure:
    # Fixed ranges: the markers would pad the axes.
    last = len(labels) - 0.5
    figure.update_xaxes(
        range=[-0.5, last],
        title="answer (by the network)",
        fixedrange=True,
        autotickangles=[0, -35],
        showgrid=False,
    )
    figure.update_yaxes(
        range=[last, -0.5],
        title="label (by raters)",
        fixedrange=True,
        showgrid=False,
        automargin=True,
    )
    figure.update_layout(
        title={"text": title, "font": {"size": 15}},
        height=470,
        margin={"l": 10, "r": 10, "t": 44, "b": 10},
        dragmode=False,
        clickmode="event+select",
    )
    return figure


def reliability_chart(bins: Sequence[dict[str, Any]]) -> go.Figure:
    """Accuracy against confidence, a bar a bin, with the line on which the two agree."""
    filled = [one for one in bins if one["n"]]
    figure = go.Figure(
        [
            go.Bar(
                x=[(one["low"] + one["high"]) / 2 for one in filled],
                y=[one["accuracy"] for one in filled],
                width=[one["high"] - one["low"] for one in filled],
                customdata=[[one["n"], one["confidence"]] for one in filled],
                marker={"color": OUR_COLOUR},
                hovertemplate="%{customdata[0]:,} images, mean confidence %{customdata[1]:.1%}, "
                "%{y:.1%} right<extra></extra>",
                name="share right",
            ),
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                mode="lines",
                line={"dash": "dash", "color": PUBLISHED_COLOUR},
                name="confidence = share right",
                hoverinfo="skip",
            ),
        ]
    )
    return _shares(figure, "confidence", "share of right answers")


def risk_coverage_chart(
    curve: dict[str, Any], *, threshold: float, coverage: float, accuracy: float | None
) -> go.Figure:
    """Accuracy of the answered images against their share, with the point in use."""
    figure = go.Figure(
        go.Scatter(
            x=curve["coverage"],
            y=curve["accuracy"],
            customdata=curve["threshold"],
            mode="lines",
            line={"color": OUR_COLOUR},
            hovertemplate="answered %{x:.1%}, %{y:.1%} of them right; confidence from "
            "%{customdata:.1%}<extra></extra>",
            name="all thresholds",
        )
    )
    if accuracy is not None:
        figure.add_trace(
            go.Scatter(
                x=[coverage],
                y=[accuracy],
                mode="markers",
                marker={"size": 12, "color": RATER_COLOUR},
                name=f"in use: confidence from {100 * threshold:.1f} %",
                hovertemplate="answered %{x:.1%}, %{y:.1%} of them right<extra></extra>",
            )
        )
    figure = _shares(figure, "share of images answered", "share of right answers")
    lowest = min(curve["accuracy"], default=0.0)
    return figure.update_yaxes(range=[max(0.0, lowest - 0.03), 1.005])


def strata_chart(
    rows: Sequence[Mapping[str, Any]],
    name: str,
    title: str,
    *,
    expected: bool = False,
    is_share: bool = True,
) -> go.Figure:
    """A dot with its 95 % interval for each stratum of an image set, first on top.

    Args:
        rows: Of `core.evaluation.strata_rows`, of one image set.
        name: Of the figure in them; rows in which it is not known have no dot.
        title: Of the axis.
        expected: Whether a line marks what the mix of expressions lets expect of the accuracy.
        is_share: Whether it is a share from 0 to 1; else a difference, shown with a sign.
    """
    form = ".1%" if is_share else "+.3f"
    figure = go.Figure()
    for in_none, colour in ((False, OUR_COLOUR), (True, PUBLISHED_COLOUR)):
        some = [row for row in rows if (row["stratum"] == "") is in_none and row[name] is not None]
        ends = [
            [abs(row[f"{name}{end}"] - row[name]) if row[f"{name}{end}"] is not None else 0.0
             for row in some]
            for end in ("_high", "_low")
        ]  # fmt: skip
        figure.add_scatter(
            x=[row[name] for row in some],
            y=[stratum_name(row) for row in some],
            mode="markers",
            marker={"size": 11, "color": colour},
            error_x={"array": ends[0], "arrayminus": ends[1], "color": colour, "thickness": 2},
            customdata=[[row["faces"]] for row in some],
            hovertemplate=f"%{{y}}: %{{x:{form}}}, %{{customdata[0]:,}} faces<extra></extra>",
            showlegend=False,
        )
    if expected:
        some = [row for row in rows if row["expected"] is not None]
        figure.add_scatter(
            x=[row["expected"] for row in some],
            y=[stratum_name(row) for row in some],
            mode="markers",
            name="expected for its mix of expressions",
            marker={"symbol": "line-ns-open", "size": 16, "color": RATER_COLOUR},
            marker_line_width=3,
            hovertemplate="%{y}: %{x:.1%} expected<extra></extra>",
        )
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=[stratum_name(row) for row in reversed(rows)],
        range=[-0.6, len(rows) - 0.4],
        automargin=True,
        fixedrange=True,
    )
    figure.update_xaxes(
        title=title, tickformat=".0%" if is_share else "+.2f", nticks=6, fixedrange=True
    )
    return figure.update_layout(
        height=76 + 34 * len(rows) + (24 if expected else 0),
        margin={"l": 10, "r": 16, "t": 34 if expected else 10, "b": 10},
        showlegend=expected,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        dragmode=False,
    )


def stratum_name(row: Mapping[str, Any]) -> str:
    """What a stratum is called beside its dot, with its count."""
    return f"{row['stratum'] or 'in none'} ({row['faces']:,})"


def _shares(figure: go.Figure, x_title: str, y_title: str) -> go.Figure:
    figure.update_xaxes(
        range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%", title=x_title,
        fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(range=[0, 1], tickformat=".0%", title=y_title, fixedrange=True)
    return figure.update_layout(
        height=360,
        margin={"l": 10, "r": 10, "t": 70, "b": 10},  # on a phone the legend has three lines
        legend={"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        dragmode=False,
    )
