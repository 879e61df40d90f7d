"""A map of the pictures as a checkpoint sees them: its pooled features in two dimensions."""

from functools import partial
from pathlib import Path

import streamlit as st

from core.labels import COLOURS
from core.paths import read_only
from webapp import widgets
from webapp.chart_frame import draw_chart
from webapp.charts import dataset as charts
from webapp.dataset_explorer import excluding, store, tiles
from webapp.text import counted, percent
from webapp.waiting import made_of_pictures

SAMPLES = (500, 1000, 2000, 4000)
FEWEST = 50  # points; fewer have too few neighbours for t-SNE to tell near from far
MOST_SHOWN = 48  # pictures of a selection
COLOURINGS = {"label": "class", "source": "source", "answer": "right or wrong answer"}


def show(folder: Path) -> None:
    """Draw the map and the pictures selected in it."""
    checkpoint = widgets.checkpoint_picker()
    if checkpoint is None:
        return
    left, middle, right = st.columns(3)
    part = left.selectbox("Part of the clean split", ("valid", "test", "train"), key="map part")
    amount = middle.selectbox("Pictures, drawn at random", SAMPLES, key="map amount")
    colour = right.selectbox(
        "Colour", list(COLOURINGS), format_func=COLOURINGS.__getitem__, key="map colour"
    )
    points = made_of_pictures(
        "map",
        (str(folder), str(checkpoint), part, amount),
        "Laying the points out,",
        partial(store.feature_map, folder, checkpoint, part, amount),
    )
    if points is None:
        return
    right_ones, judged = points["answer"].eq("right").sum(), points["answer"].ne("unlabelled").sum()
    number = counted(len(points), "picture")
    if len(points) < FEWEST:
        st.warning(
            f"A map of only {number} says nothing about which of them are alike; it takes "
            f"{FEWEST} or more."
        )
    st.caption(
        f"{f'The part has only {number}' if len(points) < amount else number}; the network's "
        f"own answers agree with {percent(right_ones / max(judged, 1))} of their labels. Near "
        "points have similar features (what its last layers get), laid out by t-SNE (van der "
        "Maaten and Hinton, 2008); distances between far clusters mean nothing. Draw around points "
        "to see their pictures."
    )
    present = set(points[colour])
    names = [name for name in (*COLOURS, *sorted(present - set(COLOURS))) if name in present]
    picked = draw_chart(
        charts.feature_map(points, colour, names),
        # Another map is another chart, so that no selection outlives its points.
        key=f"map {folder.name} {checkpoint.name} {part} {amount}",
        on_select="rerun",
        selection_mode=("lasso", "box", "points"),
        config={},
        alt=f"Map of {len(points):,} pictures; those chosen in it are listed below",
    )
    ids = [int(point["customdata"][0]) for point in picked["selection"]["points"]]
    if ids:
        _selected(folder, ids)


def _selected(folder: Path, ids: list[int]) -> None:
    rows = store.pictures(folder).iloc[ids]
    line = st.container(horizontal=True, vertical_alignment="center")
    line.markdown(f"**{counted(len(ids), 'picture')} selected**")
    line.download_button(
        "Download as CSV",
        lambda: tiles.as_csv(rows),
        f"{folder.name}-map-selection.csv",
        on_click="ignore",
    )
    fresh = rows[~rows["excluded"]]
    if not read_only() and len(fresh):
        line.button(
            f"Exclude {'it' if len(fresh) == 1 else f'all {len(fresh)}'}",
            on_click=excluding.exclude,
            args=(folder, fresh, "chosen in the feature map"),
            help="Puts them on the exclude list; the view Excluded can undo it.",
        )
    tiles.thumbnails(folder, rows.head(MOST_SHOWN), "map")
    if len(rows) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} of them.")
