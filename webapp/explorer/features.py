"""A map of the pictures as a checkpoint sees them: its pooled features in two dimensions."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.data import title_of
from core.evaluation import feature_points
from webapp import widgets
from webapp.charts import dataset as charts
from webapp.errors import shown_errors
from webapp.explorer import gallery, store
from webapp.text import counted

SAMPLES = (500, 1000, 2000, 4000)
COLOURINGS = {"label": "class", "source": "source", "answer": "right or wrong answer"}


def show(folder: Path) -> None:
    """Draw the map and the pictures selected in it."""
    checkpoint = widgets.checkpoint_picker()
    if checkpoint is None:
        return
    left, middle, right = st.columns([2, 2, 2], vertical_alignment="bottom")
    part = left.selectbox("Clean split", ("valid", "test", "train"), key="map part")
    amount = middle.selectbox("Pictures, drawn at random", SAMPLES, index=1, key="map amount")
    colour = right.selectbox(
        "Colour", list(COLOURINGS), format_func=COLOURINGS.__getitem__, key="map colour"
    )
    st.caption(
        "Each point is a picture; near points have similar features (global pooling of the "
        "network), laid out by t-SNE (van der Maaten and Hinton, 2008). Distances between far "
        "clusters mean nothing. Draw a lasso around points to see their pictures."
    )
    with shown_errors():
        points = _points(str(folder), str(checkpoint), part, amount)
        names = [name for name in dict.fromkeys(sorted(points[colour])) if name]
        figure = charts.feature_map(points, colour, names)
        picked = st.plotly_chart(
            figure, key="feature map", on_select="rerun", selection_mode=("lasso", "box", "points")
        )
        ids = [int(point["customdata"][0]) for point in picked["selection"]["points"]]
        if ids:
            table = store.pictures(folder)
            st.markdown(f"**{counted(len(ids), 'picture')} selected**")
            gallery.thumbnails(folder, table.iloc[ids[:48]], "map")
            st.download_button(
                "Download the selection as CSV",
                table.iloc[ids][gallery.EXPORTED].to_csv(index=False),
                f"{folder.name}-map-selection.csv",
                on_click="ignore",
            )


@st.cache_data(max_entries=8, show_spinner="Computing features and laying them out …")
def _points(folder: str, checkpoint: str, part: str, amount: int) -> pd.DataFrame:
    data = store.dataset(Path(folder))
    ids = data.ids("clean", part)
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.choice(ids, size=min(amount, len(ids)), replace=False))
    manifest = data.manifest.iloc[chosen]
    points = feature_points(Path(checkpoint), np.asarray(data.images[chosen]))
    right = points["predicted"] == manifest["label"].to_numpy()
    return points.assign(
        id=chosen,
        label=manifest["label"].to_numpy(),
        source=manifest["source"].map(title_of).to_numpy(),
        answer=np.where(right, "right", "wrong"),
    )
