"""How charts and tables stand on a page: what can be read, by whom, and in which colours."""

from collections.abc import Iterable, Sequence
from html import escape
from math import isnan
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core.labels import colour
from webapp.charts import TEXT

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from streamlit.delta_generator import DeltaGenerator

QUIET = {"displayModeBar": False}
TABLE_HEIGHT = 320  # px, at most
ROW, EDGES = 35, 3  # px, of a table
TINT = 0.6  # the share of white in the chips of expressions
FEW = 8  # values; up to here each is said
# On a phone a row's name stands above its cells, so that none of them is cut.
WRAPPING = """
.wrapping {overflow-x: auto; font-size: .875rem;}
.wrapping table {width: 100%; border-collapse: collapse;}
.wrapping tr {border-bottom: 1px solid rgba(128, 128, 160, .3);}
.wrapping th, .wrapping td {padding: .3rem .5rem; text-align: left; vertical-align: top;
font-weight: normal; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;}
.wrapping small {display: block; font-size: .72rem; opacity: .8;}
.wrapping:not(.figures) th {opacity: .8;}
.wrapping.figures th, .wrapping.figures td {overflow-wrap: normal;}
.wrapping.figures th:not(.name), .wrapping.figures td {text-align: right;}
.wrapping.figures td {white-space: nowrap;}
.wrapping tr.marked {background: rgba(122, 134, 224, .25);}
.wrapping tr.marked th {font-weight: 600;}
.wrapping td.strange {background: rgba(106, 127, 0, .18);}
@media (max-width: 640px) {
.wrapping tr {display: grid; grid-template-columns: var(--columns);}
.wrapping th, .wrapping td {padding: .2rem .3rem;}
.wrapping .name {grid-column: 1 / -1; padding-top: .4rem;}
.wrapping th[scope="col"] {font-size: .75rem;}
.wrapping.figures th[scope="col"] {overflow-wrap: anywhere;}
.wrapping.named td::before {content: attr(title); display: block; font-size: .75rem; opacity: .8;}
.wrapping.named tr:first-child {display: none;}
}
"""


def draw_chart(
    figure: "go.Figure",
    key: str,
    *,
    alt: str = "",
    place: "DeltaGenerator | None" = None,
    numbers: bool = False,
    **options: Any,  # noqa: ANN401 - of Streamlit
) -> Any:  # noqa: ANN401 - of Streamlit
    """Draw a chart.

    Args:
        figure: Of plotly.
        key: Of the chart.
        alt: Read aloud in place of the chart; "" for what `described` says.
        place: Where; None for the end of the page.
        numbers: Whether a button below opens what is drawn as a table. For charts whose numbers
            stand neither in them nor beside them.
        options: Further arguments of `st.plotly_chart`.

    Returns:
        What `st.plotly_chart` gives.
    """
    place, alt = place or st.container(gap="xxsmall"), alt or described(figure)
    drawn = place.plotly_chart(legible(figure), key=key, alt=alt, **{"config": QUIET, **options})
    if numbers:
        with place.popover(
            "As a table", type="tertiary", key=f"table {key}", on_change="rerun"
        ) as opened:
            if opened.open:
                rows = chart_rows(figure)
                height = min(TABLE_HEIGHT, table_height(len(rows)))
                st.dataframe(rows, hide_index=True, height=height, alt=alt)
    return drawn


def table_height(rows: int) -> int:
    """Pixels of a table that is not cut; where they are told, nothing below it moves."""
    return ROW * (rows + 1) + EDGES


def wrapping_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    kind: Literal["texts", "named", "figures"] = "texts",
    *,
    least: str = "3.6rem",
    marked: str = "",
    strange: str = "",
) -> str:
    """A table of texts as HTML that wraps them; on a phone names stand above their cells.

    Args:
        head: Of the names, then of the other columns.
        rows: A name, then as many cells; the lines of a cell below its first one are small.
        kind: "figures" stand to the right and are not broken; "named" cells have their column's
            name above them on a phone, instead of a head.
        least: Width of the narrowest column on a phone.
        marked: Name of the row that stands out; "" for none.
        strange: Cells with this in them are tinted; "" for none.
    """

    def cell(text: str, column: str) -> str:
        value, *more = escape(text).split("\n")
        said = ' class="strange"' if strange and strange in text else ""
        said += "" if kind == "figures" else f' title="{escape(column)}"'
        return f"<td{said}>{value}{''.join(f'<small>{line}</small>' for line in more)}</td>"

    columns = "".join(f'<th scope="col">{escape(text)}</th>' for text in head[1:])
    lines = [f'<tr><th class="name" scope="col">{escape(head[0])}</th>{columns}</tr>']
    for name, *texts in rows:
        cells = zip(texts, head[1:], strict=True)
        shown = "".join(cell(text, column) for text, column in cells)
        drawn = ' class="marked"' if marked and name == marked else ""
        lines.append(f'<tr{drawn}><th class="name" scope="row">{escape(name)}</th>{shown}</tr>')
    own = f"--columns: repeat({len(head) - 1}, minmax({least}, 1fr))"  # each table on a page
    return (
        f'<style>{WRAPPING}</style><div class="wrapping {kind}" style="{own}"><table>'
        f"{''.join(lines)}</table></div>"
    )


def emotion_column(labels: Iterable[str], **options: Any) -> Any:  # noqa: ANN401 - of Streamlit
    """A column of expressions in their colours; its cells are lists of one name.

    Args:
        labels: That may occur.
        options: Further arguments of the column.
    """
    known = list(labels)
    colours = [tint(colour(label)) for label in known]
    return st.column_config.MultiselectColumn(options=known, color=colours, **options)


def tint(colour: str, white: float = TINT) -> str:
    """A colour so far on the way to white that Streamlit writes on it in black, not in white.

    >>> tint("#0072B2")
    '#99C7E0'
    """
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + white * (255 - part)):02X}" for part in parts)


def share_columns(labels: Iterable[str], **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """A column of bars an expression, in its colour; its cells are percents, 0 to 100."""
    return {
        label: st.column_config.ProgressColumn(
            f"{label} %",
            format="%.1f",
            min_value=0.0,
            max_value=100.0,
            color=colour(label),
            **options,
        )
        for label in labels
    }


def legible(figure: "go.Figure") -> "go.Figure":
    """Give a chart's words the colour of the page's text; Streamlit's own is too faint to read."""
    figure.update_layout(font_color=TEXT, legend_font_color=TEXT)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(tickfont_color=TEXT, title_font_color=TEXT)
    return figure


def described(figure: "go.Figure") -> str:
    """What a chart shows in words: few values one by one, of many the first and the last."""
    rows = chart_rows(figure)
    if not rows:
        return "An empty chart"
    axis, *names = rows[0]
    said = []
    for name in names:
        filled = [f"{row[name]} at {row[axis]}" for row in rows if row[name]]
        if len(filled) > FEW:
            filled = [filled[0], f"{len(filled) - 2} values between", filled[-1]]
        said.append(f"{name}: {', '.join(filled) or 'nothing'}")
    title = figure.layout.title.text
    return "; ".join([title, *said] if title else said)


def chart_rows(figure: "go.Figure") -> list[dict[str, str]]:
    """The numbers of a chart of lines, dots, bars or of a heat map, as texts.

    Returns:
        A row a place on the axis, a column a trace; of a heat map its rows and columns.
    """
    heat = next((trace for trace in figure.data if trace.type == "heatmap"), None)
    if heat is not None:
        written = heat.z if heat.text is None else heat.text
        return [
            {
                "": str(name),
                **dict(zip(map(str, heat.x), (_told(one, "") for one in row), strict=True)),
            }
            for name, row in zip(heat.y, written, strict=True)
        ]
    is_flat = any(getattr(trace, "orientation", None) == "h" for trace in figure.data)
    along, up = figure.layout.xaxis, figure.layout.yaxis
    if is_flat:
        along, up = up, along
    title = str(along.title.text or "name")
    found: dict[Any, dict[str, str]] = {}
    names: dict[str, None] = {}
    for trace in figure.data:
        if trace.type not in ("scatter", "scattergl", "bar"):
            continue
        places, values = (trace.y, trace.x) if is_flat else (trace.x, trace.y)
        if trace.type == "bar" and trace.text is not None:
            values = trace.text
        name = str(trace.name or up.title.text or "value")
        names[name] = None
        for place, value in zip(places, values, strict=True):
            found.setdefault(place, {})[name] = _told(value, up.tickformat)
    return [
        {title: _told(place, along.tickformat), **{name: row.get(name, "") for name in names}}
        for place, row in found.items()
    ]


def _told(value: object, form: str | None) -> str:
    """A value as its axis writes it: one decimal of a percent, four digits of what is no share."""
    if not isinstance(value, Real):
        return "" if value is None else str(value)
    value = float(value)
    if isnan(value):
        return ""
    return f"{100 * value:.1f} %" if str(form).endswith("%") else _plain(value)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
