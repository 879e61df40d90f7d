"""How the pictures of sources and classes look: histograms, mean faces, origin and class."""

from html import escape
from typing import Any

import streamlit as st

from core.data import title_of
from core.labels import COLOURS
from core.types import Image
from webapp.chart_frame import draw_chart
from webapp.charts import dataset as charts
from webapp.text import literal, percent

Values = dict[str, Any]
EVERY = "all"  # in place of a source
SIDE = 112  # px
NAMES, COLUMN = 100, 150  # px, the names of classes and an origin of the table of origins


def show(found: Values, means: dict[str, Image]) -> None:
    """Draw the statistics of an audit.

    Args:
        found: As `core.data.audit` gives it.
        means: Mean faces uint8 (64, 64) by "source/label" or "all/label".
    """
    titles = {source: title_of(source) for source in found["counts"]}
    st.subheader("Brightness, contrast, sharpness")
    st.html(_legend(titles))
    names = list(found["statistics"])
    for place, name in zip(st.columns(len(names)), names, strict=True):
        statistic = found["statistics"][name]
        place.markdown(f"**{name.capitalize()}**: {statistic['meaning']}")
        draw_chart(place=place, figure=charts.histogram(statistic, titles), key=f"hist {name}")
    st.caption("Shares of each source's pictures, measured on the 64 x 64 squares.")
    _mean_faces(means, titles)
    if found["shortcut"]["n"]:
        _shortcut(found["shortcut"])


def origin_title(origin: str) -> str:
    """An origin's name for people.

    >>> origin_title("affectnet/ffhq")
    'FER AffectNet: ffhq'
    """
    source, _, kind = origin.partition("/")
    return f"{title_of(source)}: {kind}" if kind else title_of(source)


def _legend(titles: dict[str, str]) -> str:
    """The sources' colours, once for all charts, as HTML."""
    colours = charts.source_colours(titles)
    entries = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:14px;'
        f'height:4px;vertical-align:middle;background:{colours[source]}"></span> '
        f"{escape(title)}</span>"
        for source, title in titles.items()
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:4px 18px;font-size:14px">{entries}</div>'


def _shortcut(found: Values) -> None:
    st.subheader("Does the origin give the class away?")
    row = found["by_origin"]
    st.markdown(
        f"Cramer's V between origin and class is {row['cramers_v']:.2f} (0 none, 1 complete). "
        f"Guessing the class from the origin alone is right for {percent(row['accuracy'])} of "
        f"{found['n']:,} training pictures; always saying the largest class, for "
        f"{percent(found['baseline'])}. The origin is the source, finer where file names tell more."
    )
    st.caption("The classes of each origin's training pictures; a column adds up to 100 %.")
    shares = {origin_title(name): row for name, row in row["p_class"].items()}
    draw_chart(charts.origin_table(shares), key="origins", width=NAMES + COLUMN * len(shares))
    for sentence in found["sentences"]:
        st.warning(sentence)


def _mean_faces(means: dict[str, Image], titles: dict[str, str]) -> None:
    st.subheader("Mean face of a source and class")
    st.caption(
        "Pixel by pixel means of the 64 x 64 squares. A difference in framing or quality between "
        "classes shows here, and a network can learn it. Combinations with too few pictures are "
        "left out."
    )
    for source in (EVERY, *titles):
        labels = [label for label in COLOURS if f"{source}/{label}" in means]
        if not labels:
            continue
        st.markdown(f"**{'All sources' if source == EVERY else literal(titles[source])}**")
        row = st.container(horizontal=True, gap="small")
        for label in labels:
            row.image(means[f"{source}/{label}"], caption=label, width=SIDE, alt=f"Mean {label}")
