"""Evidence by part of the face."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from webapp.charts import DIVERGING, GREY, TEXT
from webapp.charts.bars import AGAINST_COLOUR, FOR_COLOUR, level_bars

FROM_ABOVE = ("forehead", "brows", "eyes", "nose", "cheeks", "mouth", "chin", "background")
ROOM_FOR_NUMBERS = 0.28  # of the axis, on the side of bars
LEAST_SPAN = {"points": 0.1}  # of the axis, so that tiny effects look tiny
Unit = Literal["points", "share", "times", "logits"]
_FORMS = {"points": "{:+.1f}", "share": "{:.1f} %", "times": "{:.2f} x", "logits": "{:+.3f}"}
_FACTORS = {"points": 100.0, "share": 100.0, "times": 1.0, "logits": 1.0}


def from_above(names: Sequence[str]) -> list[int]:
    """Places of the parts in `names` in the order of the face, unknown ones last."""
    known = {name: place for place, name in enumerate(FROM_ABOVE)}
    return sorted(range(len(names)), key=lambda place: known.get(names[place], len(known)))


def told(value: float, unit: Unit) -> str:
    """A number as it stands at its bar."""
    rounded = round(value * _FACTORS[unit], 1 if unit in ("points", "share") else 3)
    return _FORMS[unit].format(rounded + 0.0)  # no minus before a zero


def part_bars(names: Sequence[str], values: Sequence[float], unit: Unit) -> go.Figure:
    """One horizontal bar a part: to the right what speaks for the answer, to the left against.

    Args:
        names: Of the parts.
        values: One a part.
        unit: "points" and "share" show hundredths, "times" and "logits" the value itself.
    """
    order = from_above(names)
    shown = [float(values[place]) for place in order]
    figure = level_bars(
        [names[place] for place in order],
        shown,
        colours=[AGAINST_COLOUR if x < 0 else FOR_COLOUR for x in shown],
        numbers=[told(value, unit) for value in shown],
        hover="%{y}: %{text}",
    )
    low, high = min(0.0, *shown), max(LEAST_SPAN.get(unit, 0.0), *shown)
    room = ROOM_FOR_NUMBERS * max(high - low, 1e-9)
    figure.update_xaxes(range=[low - room if low < 0 else 0.0, high + room])
    if low < 0:
        figure.add_vline(x=0, line={"width": 1, "color": GREY})
    return figure


def region_heat(
    values: Sequence[Sequence[Sequence[float] | None]],
    regions: Sequence[str],
    labels: Sequence[str],
    *,
    factor: float = 100.0,
    middle: float = 0.0,
    digits: int = 0,
) -> go.Figure:
    """Regions in rows, expressions in columns: mean and 95 % interval in every cell.

    Args:
        values: (R, K), [mean, low, high] or None where there are too few faces.
        regions: Names of the rows.
        labels: Names of the columns.
        factor: Numbers are multiplied by it, for example to be read in percent.
        middle: The value without colour.
        digits: Behind the point.
    """
    means = np.array([[np.nan if one is None else one[0] for one in row] for row in values])
    reach = float(np.nanmax(np.abs(means - middle))) if np.isfinite(means).any() else 1.0
    figure = go.Figure(
        go.Heatmap(
            z=means * factor,
            x=list(labels),
            y=list(regions),
            zmin=(middle - reach) * factor,
            zmax=(middle + reach) * factor,
            text=[[_cell(one, factor, digits) for one in row] for row in values],
            texttemplate="%{text}",
            colorscale=DIVERGING,
            textfont={"color": TEXT},
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True, automargin=True)
    figure.update_xaxes(side="top", fixedrange=True, tickangle=-30)
    return figure.update_layout(
        height=90 + 44 * len(regions),
        margin={"l": 10, "r": 24, "t": 60, "b": 10},
        dragmode=False,
    )


def _cell(one: Sequence[float] | None, factor: float, digits: int) -> str:
    if one is None:
        return "-"
    # Adding nothing turns a negative zero into zero.
    mean, low, high = (f"{round(factor * value, digits) + 0.0:.{digits}f}" for value in one)
    return f"{mean}<br>[{low}, {high}]"
