"""Curves of training runs: one run in detail, several side by side."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import floor, isfinite, log10
from typing import Any

import plotly.graph_objects as go

from webapp.charts import GREY, OLIVE, VIOLET

Line = dict[str, Any]
TRAIN_COLOUR, VALID_COLOUR = OLIVE, VIOLET
# No expression's colours; dashes tell apart what colours do not.
RUN_COLOURS = (VIOLET, OLIVE, "#C2347B", "#8C6239", "#4C7A96", "#2F8F83", GREY)
DASHES = ("solid", "dash", "dot", "dashdot")
TICKS = 6  # of an axis, about
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
    figure = go.Figure(_line([x for x, _ in points], [y for _, y in points], "learning rate", GREY))
    shown = _styled(figure, "learning rate", revision, legend=False)
    return shown.update_yaxes(exponentformat="e", tickformat="~g")


def batch_loss_curve(moments: Sequence[Line], revision: str) -> go.Figure:
    """The smoothed loss of the batches; arguments as for `rate_curve`."""
    kept = [line for line in moments if line["loss"] is not None]
    figure = go.Figure(
        _line([line["at"] for line in kept], [line["loss"] for line in kept], "batch loss",
              TRAIN_COLOUR)
    )  # fmt: skip
    return _styled(figure, "loss of the batches, smoothed", revision, legend=False)


def overlay(
    runs: Mapping[str, Iterable[Line]], figure_name: str, *, by_time: bool = False
) -> go.Figure:
    """One figure of several runs over their epochs, or over the minutes they had trained.

    Args:
        runs: Lines of metrics.jsonl by run.
        figure_name: Key of TITLES.
        by_time: Whether over minutes.
    """
    figure = go.Figure()
    for number, (name, lines) in enumerate(runs.items()):
        kept = [line for line in lines if figure_name in line]
        epochs = [line["epoch"] for line in kept]
        minutes = [seconds / 60 for seconds in accumulate(line["seconds"] for line in kept)]
        line = _line(
            minutes if by_time else epochs,
            [line[figure_name] for line in kept],
            name,
            RUN_COLOURS[number % len(RUN_COLOURS)],
        )
        figure.add_trace(line.update(line_dash=DASHES[number % len(DASHES)]))
    shown = _styled(figure, TITLES[figure_name], f"overlay {figure_name} {by_time}")
    form = share_format if figure_name in SHARES else number_format
    shown.update_yaxes(tickformat=form(_values(shown)))
    # Names of runs are long: above the chart they would lie over its title.
    shown.update_layout(legend={"y": -0.35, "yanchor": "top", "x": 0, "xanchor": "left"})
    if by_time:
        shown.update_xaxes(title="minutes of training", dtick=None)
    return shown


def share_format(values: Iterable[float]) -> str:
    """The format of an axis of shares, with as many decimals as tell its ticks apart.

    >>> share_format([0.2, 0.9]), share_format([0.641, 0.654]), share_format([0.5])
    ('.0%', '.1%', '.1%')
    """
    return f".{_decimals([100 * value for value in values])}%"


def number_format(values: Iterable[float]) -> str:
    """The same for other numbers.

    >>> number_format([0.9, 1.5]), number_format([0.91, 0.94])
    ('.1f', '.3f')
    """
    return f".{_decimals(list(values))}f"


def _decimals(values: Sequence[float]) -> int:
    span = max(values, default=0.0) - min(values, default=0.0)
    return 1 if span <= 0 else max(0, -floor(log10(span / TICKS)))


def epoch_step(last: float) -> int:
    """Whole epochs from tick to tick of an axis.

    >>> [epoch_step(last) for last in (0.3, 3, 12, 30, 100, 10_000)]
    [1, 1, 2, 5, 20, 2000]
    """
    least = max(1.0, last / TICKS)
    size = 10 ** floor(log10(least))
    return int(next(step for step in (size, 2 * size, 5 * size, 10 * size) if step >= least))


def _values(figure: go.Figure) -> list[float]:
    return [value for trace in figure.data for value in trace.y if value is not None]


def _pair(history: Sequence[Line], names: tuple[str, str], title: str, revision: str) -> go.Figure:
    figure = go.Figure()
    epochs = [line["epoch"] for line in history]
    for name, words, colour, dash in zip(
        names, ("training", "validation"), (TRAIN_COLOUR, VALID_COLOUR), ("dash", "solid"),
        strict=True,
    ):  # fmt: skip
        curve = _line(epochs, [line[name] for line in history], words, colour)
        figure.add_trace(curve.update(line_dash=dash))
    shown = _styled(figure, title, revision)
    form = share_format if names[0] in SHARES else number_format
    shown.update_yaxes(tickformat=form(_values(shown)))
    return shown


def _line(x: Sequence[float], y: Sequence[float], name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=[value if isfinite(value) else None for value in y],  # a gap where a loss was lost
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
    last = max((x for trace in figure.data for x in trace.x), default=1)
    figure.update_xaxes(title="epoch", rangemode="tozero", tick0=0, dtick=epoch_step(last))
    return figure
