"""Figure 1 as HTML: plotly's part of the app takes a browser longer than all else on its page."""

from collections.abc import Sequence
from html import escape
from math import floor
from typing import Any

from webapp.charts import GREY, OLIVE, VIOLET

PUBLISHED_COLOUR, OUR_COLOUR, RATER_COLOUR = GREY, VIOLET, OLIVE
HEIGHT = 300  # px of the plot
STEP = 10  # % between two lines of the grid
DOT = 12  # px
LEAST_GROUP = 84  # px of a pair of dots; on narrower screens the chart scrolls sideways
_STYLE = f"""<style>
.dots {{ overflow-x: auto; font-size: .8rem; line-height: 1.2; }}
.dots .key {{ display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0 0 .6rem 2.4rem; }}
.dots .key i {{ display: inline-block; width: .8em; height: .8em; margin-right: .4em;
  border-radius: 50%; }}
.dots .plot {{ position: relative; height: {HEIGHT}px; margin: 1rem 0 0 2.4rem; }}
.dots .line {{ position: absolute; left: 0; right: 0; border-top: 1px solid #8A8A8A55; }}
.dots .line b {{ position: absolute; right: 100%; top: -.6em; margin-right: .4rem;
  font-weight: normal; }}
.dots .rater {{ position: absolute; left: 0; right: 0; border-top: 2px dashed {RATER_COLOUR}; }}
.dots .groups {{ position: absolute; inset: 0; display: flex; }}
.dots .group {{ flex: 1; display: flex; justify-content: center; gap: 2px; }}
.dots .place {{ position: relative; height: 100%; width: 40%; max-width: 3.2rem; }}
.dots .place > * {{ position: absolute; left: 50%; }}
.dots .dot {{ width: {DOT}px; height: {DOT}px; margin: 0 0 -{DOT // 2}px -{DOT // 2}px;
  border-radius: 50%; box-sizing: border-box; }}
.dots .ends {{ width: 9px; margin-left: -4.5px; border: solid {OUR_COLOUR};
  border-width: 2px 0; background: linear-gradient({OUR_COLOUR}, {OUR_COLOUR})
  center / 2px 100% no-repeat; }}
.dots .value {{ transform: translateX(-50%); bottom: 4px; }}
.dots .names {{ display: flex; margin: .4rem 0 0 2.4rem; }}
.dots .names span {{ flex: 1; text-align: center; padding: 0 .2rem; overflow-wrap: anywhere; }}
</style>"""


def accuracy_dots(rows: Sequence[dict[str, Any]], rater: float, alt: str) -> str:
    """Figure 1 of the paper with our measurements beside its figures.

    Dots, since bars tell lengths, and the plot begins far from 0.

    Args:
        rows: What `core.evaluation.figure1` gives.
        rater: Agreement of one human rater with the others, %.
        alt: Read aloud in place of the chart.

    Returns:
        HTML with inline positions; colours of text follow the page.
    """
    lowest = min(_lowest(rows), rater)
    bottom = max(0, STEP * floor(lowest / STEP - 1))  # of the plot, %
    groups = "".join(f'<div class="group">{_pair(row, bottom)}</div>' for row in rows)
    names = "".join(f"<span>{escape(str(row['label']))}</span>" for row in rows)
    width = LEAST_GROUP * len(rows)
    return (
        f'{_STYLE}<div class="dots" role="img" tabindex="0" aria-label="{escape(alt)}">'
        f"{_key(rater)}"
        f'<div style="min-width:{width}px"><div class="plot">{_grid(bottom)}'
        f'<div class="groups">{groups}</div>'
        f'<div class="rater" style="bottom:{_share(rater, bottom)}"></div></div>'
        f'<div class="names">{names}</div></div></div>'
    )


def _lowest(rows: Sequence[dict[str, Any]]) -> float:
    values: list[float | None] = [row[name] for row in rows for name in ("published", "measured")]
    values += [row["interval"][0] for row in rows if row["interval"] is not None]
    return min(value for value in values if value is not None)


def _key(rater: float) -> str:
    entries = (
        (PUBLISHED_COLOUR, "published"),
        (OUR_COLOUR, "measured here, 95 % interval"),
        (RATER_COLOUR, f"one human rater and the others, FER+: {rater:.1f} %"),
    )
    shown = "".join(
        f'<span><i style="background:{colour}"></i>{words}</span>' for colour, words in entries
    )
    return f'<div class="key"><span>Accuracy on RAF-DB test, %</span>{shown}</div>'


def _grid(bottom: int) -> str:
    return "".join(
        f'<div class="line" style="bottom:{_share(value, bottom)}"><b>{value}</b></div>'
        for value in range(bottom, 101, STEP)
    )


def _pair(row: dict[str, Any], bottom: int) -> str:
    label, measured = row["label"], row["measured"]
    # Hollow, so that the two are told apart without their colours.
    hollow = f"border:3px solid {PUBLISHED_COLOUR}"
    text = _dot(row["published"], None, bottom, hollow, f"{label}, published")
    if measured is not None:
        words = f"{label}, measured by {row['run']}"
        text += _dot(measured, row["interval"], bottom, f"background:{OUR_COLOUR}", words)
    return text


def _dot(value: float, interval: Sequence[float] | None, bottom: int, fill: str, words: str) -> str:
    """One dot with its figure at the foot, whiskers where it has an interval, words on hover."""
    whiskers = ""
    if interval is not None:
        low, high = interval
        words += f" ({low:.1f} to {high:.1f})"
        whiskers = (
            f'<div class="ends" style="bottom:{_share(low, bottom)};'
            f'top:calc(100% - {_share(high, bottom)})"></div>'
        )
    return (
        f'<div class="place" title="{escape(words)}: {value:.1f} %">{whiskers}'
        f'<div class="dot" style="bottom:{_share(value, bottom)};{fill}"></div>'
        f'<div class="value">{value:.1f}</div></div>'
    )


def _share(value: float, bottom: int) -> str:
    """How high a value lies in the plot, as CSS wants it."""
    return f"{100 * (value - bottom) / (100 - bottom):.2f}%"
