"""Curves of training runs: one run in detail, several side by side."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from core.labels import COLOURS

Line = dict[str, Any]
TRAIN_COLOUR, VALID_COLOUR = COLOURS["sadness"], COLOURS["anger"]
QUIET_COLOUR = "#8A8A8A"
# Okabe and Ito (2008), without yellow, which is faint on white.
RUN_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A")
FEW = 25  # epochs; up to here each is marked, so that a curve of one epoch can be seen
SHARES = ("train_accuracy", "valid_accuracy", "valid_macro_f1")
TITLES = {
    "valid_accuracy": "validation accuracy",
    "valid_macro_f1": "validation macro-F1",
    "valid_loss": "validation loss",
    "train_accuracy": "training accuracy",
    "train_loss": "training loss",
}


def loss_curves(history: Sequence[Line], revision: str) -> go.Figure:
    """Training and validation loss over the epochs.

    Args:
        history: Lines of metrics.jsonl.
        revision: As long as it stays, a visitor's zoom does.
    """
    return _pair(history, ("train_loss", "valid_loss"), "loss", revision)


def accuracy_curves(history: Sequence[Line], revision: str) -> go.Figure:
    """Training and validation accuracy over the epochs; arguments as for `loss_curves`."""
    return _pair(history, ("train_accuracy", "valid_accuracy"), "accuracy", revision)


def rate_curve(moments: Sequence[Line], history: Sequence[Line], revision: str) -> go.Figure:
    """The learning rate as it was at each moment, or at the end of each epoch where none is kept.

    Args:
        moments: Lines of steps.jsonl.
        history: Lines of metrics.jsonl.
        revision: As long as it stays, a visitor's zoom does.
    """
    points = [(line["at"], line["learning_rate"]) for line in moments]
    points = points or [(line["epoch"], line["learning_rate"]) for line in history]
    figure = go.Figure(
        _line([x for x, _ in points], [y for _, y in points], "learning rate", QUIET_COLOUR)
    )
    return _styled(figure, "learning rate", revision, legend=False)


def batch_loss_curve(moments: Sequence[Line], revision: str) -> go.Figure:
    """The smoothed loss of the batches; arguments as for `rate_curve`."""
    kept = [line for line in moments if line["loss"] is not None]
    figure = go.Figure(
        _line([line["at"] for line in kept], [line["loss"] for line in kept], "batch loss",
              TRAIN_COLOUR)
    )  # fmt: skip
    return _styled(figure, "loss of the batches, smoothed", revision, legend=False)


def overlay(runs: Mapping[str, Iterable[Line]], figure_name: str) -> go.Figure:
    """One figure of several runs over their epochs.

    Args:
        runs: Lines of metrics.jsonl by run.
        figure_name: Key of TITLES.
    """
    figure = go.Figure()
    for number, (name, lines) in enumerate(runs.items()):
        kept = [line for line in lines if figure_name in line]
        epochs = [line["epoch"] for line in kept]
        values = [line[figure_name] for line in kept]
        figure.add_trace(_line(epochs, values, name, RUN_COLOURS[number % len(RUN_COLOURS)]))
    shown = _styled(figure, TITLES[figure_name], f"overlay {figure_name}")
    shown.update_layout(height=420)
    if figure_name in SHARES:
        shown.update_yaxes(tickformat=".0%")
    return shown


def _pair(history: Sequence[Line], names: tuple[str, str], title: str, revision: str) -> go.Figure:
    figure = go.Figure()
    epochs = [line["epoch"] for line in history]
    for name, words, colour in zip(
        names, ("training", "validation"), (TRAIN_COLOUR, VALID_COLOUR), strict=True
    ):
        figure.add_trace(_line(epochs, [line[name] for line in history], words, colour))
    shown = _styled(figure, title, revision)
    if names[0] in SHARES:
        shown.update_yaxes(tickformat=".0%")
    return shown


def _line(x: Sequence[float], y: Sequence[float], name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=list(y),
        name=name,
        mode="lines+markers" if len(x) <= FEW else "lines",
        line={"color": colour, "width": 2},
        hovertemplate="%{y:.4g}<extra>%{fullData.name}</extra>",
    )


def _styled(figure: go.Figure, title: str, revision: str, *, legend: bool = True) -> go.Figure:
    figure.update_layout(
        height=290,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        title={
            "text": title[0].upper() + title[1:],
            "font": {"size": 14},
            "x": 0,
            "xref": "container",
        },
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        showlegend=legend,
        hovermode="x unified",
        uirevision=revision,
        # A chart that catches the finger on a phone keeps the page from scrolling.
        dragmode=False,
    )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    return figure
