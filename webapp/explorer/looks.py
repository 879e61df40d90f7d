"""How the pictures of sources and classes look: histograms, mean faces, origin and class."""

from typing import Any

import streamlit as st

from core.data import title_of
from core.labels import EMOTIONS
from core.types import Image
from webapp.charts import dataset as charts
from webapp.explorer.gallery import tile

Values = dict[str, Any]
EVERY = "all"  # in place of a source


def show(found: Values, means: dict[str, Image]) -> None:
    """Draw the statistics of an audit.

    Args:
        found: As `core.data.audit` gives it.
        means: Mean faces uint8 (64, 64) by "source/label" or "all/label".
    """
    titles = {source: title_of(source) for source in found["counts"]}
    st.subheader("Brightness, contrast, sharpness")
    names = list(found["statistics"])
    for place, name in zip(st.columns(len(names)), names, strict=True):
        place.markdown(f"**{name.capitalize()}**")
        place.plotly_chart(charts.histogram(found["statistics"][name], titles), key=f"hist {name}")
    st.subheader("Mean face a source and class")
    st.caption(
        "Pixel by pixel means of the 64 x 64 squares. A difference in framing or quality between "
        "classes shows here, and a network can learn it."
    )
    _mean_faces(means, titles)
    if found["shortcut"]["n"]:
        st.subheader("Does the origin give the class away?")
        row, baseline = found["shortcut"]["by_origin"], found["shortcut"]["baseline"]
        st.markdown(
            f"Cramer's V between origin and class is {row['cramers_v']:.2f}. Guessing the class "
            f"from the origin alone is right for {row['accuracy']:.1%} of the training pictures; "
            f"always saying the largest class, for {baseline:.1%}."
        )
        st.plotly_chart(charts.origin_table(found["shortcut"]), key="origins")


def _mean_faces(means: dict[str, Image], titles: dict[str, str]) -> None:
    sources = [
        name for name in (EVERY, *titles) if any(key.startswith(f"{name}/") for key in means)
    ]
    for source in sources:
        places = st.columns([1.4, *[1] * len(EMOTIONS)], vertical_alignment="center")
        places[0].markdown("All sources" if source == EVERY else titles[source])
        for place, label in zip(places[1:], EMOTIONS, strict=True):
            mean = means.get(f"{source}/{label}")
            if mean is None:
                place.caption("too few pictures")
            else:
                place.image(tile(mean), caption=label, width="stretch")
