"""Figure 1 as HTML: plotly's part of the app takes a browser longer than all else on its page."""

from collections.abc import Sequence
from html import escape
from math import floor
from typing import Any

from core.labels import COLOURS

PUBLISHED_COLOUR, OUR_COLOUR, RATER_COLOUR = "#8A8A8A", COLOURS["sadness"], COLOURS["anger"]
HEIGHT = 300  # px of the plot
STEP = 10  # % between two lines of the grid
LEAST_GROUP = 76  # px of a pair of bars; on narrower screens the chart scrolls sideways
_STYLE = f"""<style>
.bars {{ overflow-x: auto; font-size: .8rem; line-height: 1.2; }}
.bars .key {{ display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0 0 .6rem 2.4rem; }}
.bars .key i {{ display: inline-block; width: .8em; height: .8em; margin-right: .4em; }}
.bars .plot {{ position: relative; height: {HEIGHT}px; margin: 1rem 0 0 2.4rem; }}
.bars .line {{ position: absolute; left: 0; right: 0; border-top: 1px solid #8A8A8A55; }}
.bars .line b {{ position: absolute; right: 100%; top: -.6em; margin-right: .4rem;
  font-weight: normal; }}
.bars .rater {{ position: absolute; left: 0; right: 0; border-top: 2px dashed {RATER_COLOUR}; }}
.bars .groups {{ position: absolute; inset: 0; display: flex; }}
.bars .group {{ flex: 1; display: flex; justify-content: center; gap: 2px; }}
.bars .bar {{ position: relative; height: 100%; width: 38%; max-width: 3.2rem; }}
.bars .bar > * {{ position: absolute; }}
.bars .fill {{ left: 0; right: 0; bottom: 0; }}
.bars .fill > * {{ position: absolute; }}
.bars .ends {{ left: calc(50% - 4px); width: 9px; border: solid currentColor;
  border-width: 1.5px 0; background: linear-gradient(currentColor, currentColor)
  center / 1.5px 100% no-repeat; }}
.bars .value {{ left: 0; right: 0; bottom: 4px; text-align: center; font-size: .72rem; }}
.bars .names {{ display: flex; margin: .4rem 0 0 2.4rem; }}
.bars .names span {{ flex: 1; text-align: center; padding: 0 .2rem; overflow-wrap: anywhere; }}
</style>"""


def accuracy_bars(bars: Sequence[dict[str, Any]], rater: float, alt: str) -> str:
    """Figure 1 of the paper with our measurements beside its bars.

    Args:
        bars: What `core.evaluation.figure1` gives.
        rater: Agreement of one human rater with the others, %.
        alt: Read aloud in place of the chart.

    Returns:
        HTML with inline positions; colours of text follow the page.
    """
    lowest = min(_lowest(bars), rater)
    bottom = max(0, STEP * floor(lowest / STEP - 1))  # of the plot, %
    groups = "".join(f'<div class="group">{_pair(bar, bottom)}</div>' for bar in bars)
    names = "".join(f"<span>{escape(str(bar['label']))}</span>" for bar in bars)
    width = LEAST_GROUP * len(bars)
    return (
        f'{_STYLE}<div class="bars" role="img" aria-label="{escape(alt)}">{_key(rater)}'
        f'<div style="min-width:{width}px"><div class="plot">{_grid(bottom)}'
        f'<div class="groups">{groups}</div>'
        f'<div class="rater" style="bottom:{_share(rater, bottom)}"></div></div>'
        f'<div class="names">{names}</div></div></div>'
    )


def _lowest(bars: Sequence[dict[str, Any]]) -> float:
    values: list[float | None] = [bar[name] for bar in bars for name in ("published", "measured")]
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


def _pair(bar: dict[str, Any], bottom: int) -> str:
    label, published, measured = bar["label"], bar["published"], bar["measured"]
    fill = f"background:{PUBLISHED_COLOUR};color:#000"
    text = _bar(published, None, bottom, fill, f"{published:.1f}", f"{label}, published")
    if measured is not None:
        fill, words = f"background:{OUR_COLOUR};color:#fff", f"{label}, measured by {bar['run']}"
        text += _bar(measured, bar["interval"], bottom, fill, f"{measured:.2f}", words)
    return text


def _bar(
    value: float, interval: Sequence[float] | None, bottom: int, fill: str, figure: str, words: str
) -> str:
    """One bar with its figure at the foot, whiskers where it has an interval, words on hover."""
    whiskers = ""
    if interval is not None:
        low, high = interval
        words += f" ({low:.1f} to {high:.1f})"
        whiskers = (
            f'<div class="ends" style="bottom:{_share(low, bottom)};'
            f'top:calc(100% - {_share(high, bottom)})"></div>'
        )
    return (
        f'<div class="bar" title="{escape(words)}: {figure} %">'
        f'<div class="fill" style="height:{_share(value, bottom)};{fill}">'
        f'<div class="value">{figure}</div></div>{whiskers}</div>'
    )


def _share(value: float, bottom: int) -> str:
    """How high a value lies in the plot, as CSS wants it."""
    return f"{100 * (value - bottom) / (100 - bottom):.2f}%"
