"""Figure 1 as HTML: plotly's part of the app takes a browser longer than all else on its page."""

from collections.abc import Sequence
from html import escape
from math import floor
from typing import Any

from webapp.charts import GREY, OLIVE, VIOLET

PUBLISHED_COLOUR, OUR_COLOUR, RATER_COLOUR = GREY, VIOLET, OLIVE
STEP = 10  # % between two lines of the grid
ROW = 30  # px
DOT = 12  # px
APART = 7  # px of a mark from the middle of its row, so that the two of a row never overlap
NARROW = 640  # px; on less, names and figures stand above their row
_STYLE = f"""<style>
.dots {{ container-type: inline-size; font-size: .8rem; line-height: 1.2; }}
.dots .key {{ display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin-bottom: .6rem; }}
.dots .row {{ display: grid; grid-template-columns: 13rem minmax(0, 1fr) 12rem;
  align-items: center; }}
.dots .plot {{ position: relative; align-self: stretch; min-height: {ROW}px; margin: 0 1rem; }}
.dots .plot > * {{ position: absolute; }}
.dots .line {{ top: 0; bottom: 0; border-left: 1px solid #8A8A8A55; }}
.dots .tick {{ top: .3rem; transform: translateX(-50%); }}
.dots .figures {{ display: grid; grid-template-columns: 4.4rem 1fr; white-space: nowrap; }}
.dots .mark {{ display: inline-block; width: {DOT}px; height: {DOT}px; box-sizing: border-box; }}
.dots .key .mark {{ margin-right: .4em; vertical-align: -.1em; }}
.dots .plot > .mark {{ margin-left: -{DOT // 2}px; }}
.dots .published {{ background: {PUBLISHED_COLOUR}; transform: rotate(45deg) scale(.8);
  top: calc(50% - {APART + DOT // 2}px); }}
.dots .here {{ background: {OUR_COLOUR}; border: 2px solid {OUR_COLOUR}; border-radius: 50%;
  top: calc(50% + {APART - DOT // 2}px); }}
.dots .few {{ background: none; }}
.dots .end {{ top: calc(50% + {APART - 4}px); height: 8px; border: 0 solid {OUR_COLOUR};
  background: linear-gradient({OUR_COLOUR}, {OUR_COLOUR}) center / 100% 2px no-repeat; }}
.dots .low {{ border-left-width: 2px; }}
.dots .high {{ border-right-width: 2px; }}
@container (max-width: {NARROW}px) {{
  .dots .row {{ grid-template-columns: minmax(0, 1fr) auto; column-gap: .4rem; }}
  .dots .row .figures {{ grid-template-columns: 4rem 7.2rem; }}
  .dots .row .plot {{ grid-area: 2 / 1 / 3 / 3; margin: 0 .7rem .4rem; }}
}}
</style>"""


def accuracy_dots(rows: Sequence[dict[str, Any]], *, few: int, most: int, alt: str) -> str:
    """Figure 1 of the paper with our measurements beside its figures, a row a network.

    Dots, since bars tell lengths, and the plot begins far from 0. Those of short trainings are
    open: they are no answer to the paper's, which had many times the epochs.

    Args:
        rows: What `core.evaluation.figure1` gives.
        few: Epochs; a dot trained for fewer is open.
        most: Epochs that the published figures had at most.
        alt: Read aloud before the figures in place of the chart.

    Returns:
        HTML with inline positions; colours of text follow the page.
    """
    bottom = max(0, STEP * floor((_lowest(rows) - 1) / STEP))  # of the plot, %
    said = "; ".join(_said(row) for row in rows)
    lines = "".join(_row(row, bottom, few) for row in rows)
    return (
        f'{_STYLE}<div class="dots" role="img" aria-label="{escape(f"{alt}: {said}")}">'
        f"{_key(few, most)}{lines}{_axis(bottom)}</div>"
    )


def _lowest(rows: Sequence[dict[str, Any]]) -> float:
    values: list[float | None] = [row[name] for row in rows for name in ("published", "measured")]
    values += [row["interval"][0] for row in rows if row["interval"] is not None]
    return min(value for value in values if value is not None)


def _said(row: dict[str, Any]) -> str:
    text = f"{row['label']}: {row['published']:.1f} % published, "
    if row["measured"] is None:
        return text + "not measured here"
    return f"{text}{row['measured']:.1f} % measured here{_after(row, ' after ')}"


def _after(row: dict[str, Any], joint: str) -> str:
    """The epochs of a row's training here behind a joint; "" where they are not known."""
    number = row["epochs_in_words"].partition(" in ")[0]  # of "144 in 5 runs"
    return f"{joint}{number} epoch{'s' * (number != '1')}" if number else ""


def _key(few: int, most: int) -> str:
    entries = (
        ("published", f"the paper's, after up to {most} epochs"),
        ("here", "measured here, 95 % interval"),
        ("here few", f"measured here after fewer than {few} epochs, the paper's least"),
    )
    shown = "".join(f'<span><i class="mark {kind}"></i>{words}</span>' for kind, words in entries)
    return f'<div class="key"><span>Accuracy on RAF-DB test, %</span>{shown}</div>'


def _axis(bottom: int) -> str:
    ticks = "".join(
        f'<div class="tick" style="left:{_share(value, bottom)}">{value}</div>'
        for value in _ticks(bottom)
    )
    return f'<div class="row"><div></div><div class="plot">{ticks}</div><div></div></div>'


def _ticks(bottom: int) -> range:
    return range(bottom, 101, STEP)


def _row(row: dict[str, Any], bottom: int, few: int) -> str:
    label, measured = escape(str(row["label"])), row["measured"]
    plot = "".join(
        f'<div class="line" style="left:{_share(value, bottom)}"></div>' for value in _ticks(bottom)
    )
    plot += _placed("published", row["published"], bottom, f"{row['label']}, published")
    # Without marks: above a plot, on a phone, they would look like places in it.
    figures = f"<span>paper {row['published']:.1f}</span>"
    if measured is None:
        figures += "<span>not measured</span>"
    else:
        kind = "here few" if row["epochs"] and row["epochs"] < few else "here"
        words = f"{row['label']}, measured by {row['run']}{_after(row, ' after ')}"
        if row["interval"] is not None:
            low, high = row["interval"]
            words += f" ({low:.1f} to {high:.1f})"
            plot += _whiskers(low, measured, high, bottom)
        plot += _placed(kind, measured, bottom, words)
        figures += f"<span>here {measured:.1f}{_after(row, ', ')}</span>"
    return (
        f'<div class="row"><div class="name">{label}</div><div class="plot">{plot}</div>'
        f'<div class="figures">{figures}</div></div>'
    )


def _placed(kind: str, value: float, bottom: int, words: str) -> str:
    return (
        f'<div class="mark {kind}" style="left:{_share(value, bottom)}" '
        f'title="{escape(words)}: {value:.1f} %"></div>'
    )


def _whiskers(low: float, value: float, high: float, bottom: int) -> str:
    """Two lines from the ends to the edge of the dot, through which none is to be seen."""
    edge = f"{DOT // 2}px"
    return (
        f'<div class="end low" style="left:{_share(low, bottom)};'
        f'right:calc(100% - {_share(value, bottom)} + {edge})"></div>'
        f'<div class="end high" style="left:calc({_share(value, bottom)} + {edge});'
        f'right:calc(100% - {_share(high, bottom)})"></div>'
    )


def _share(value: float, bottom: int) -> str:
    """How far right a value lies in the plot, as CSS wants it."""
    return f"{100 * (value - bottom) / (100 - bottom):.2f}%"
