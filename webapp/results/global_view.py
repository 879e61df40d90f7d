"""Where a run's evidence lies on the average face, by expression and part of the face."""

import json
from pathlib import Path
from typing import Any

import streamlit as st

from core.checkpoints import evaluations_of
from core.drawing import COLOURS_IN_WORDS, colour_bar, default_colours
from core.evaluation import SPLITS
from core.explain import EXPLAINERS
from core.global_view import (
    MEASURES,
    global_view_file,
    group_of,
    mean_map_picture,
    region_rows,
    stored_global_view,
    view_scale,
)
from core.images import png_bytes
from core.tabular import table_text
from webapp import checkpoints
from webapp.chart_frame import draw_chart
from webapp.charts.regions import region_heat
from webapp.picture_rows import Tile, tiles_html
from webapp.results import pickers
from webapp.text import counted, literal
from webapp.waiting import Show

ANSWERS = {"Right answers": True, "Wrong answers": False}
TITLES = {"drop": "Hidden", "share": "Evidence", "lift": "Evidence by size"}
COLUMNS = 3  # pictures in a row at most
LEAST_WIDTH = 150  # px of a picture


def global_view() -> None:
    """Choose a run and split; mean maps, the table of regions, downloads."""
    run = pickers.explained_run_picker()
    if run is None:
        return
    places = {"": run}
    for split in SPLITS:
        places |= evaluations_of(run, global_view_file(run, split).name)
    if len(places) > 1 and not any(stored_global_view(run, split) for split in SPLITS):
        del places[""]
    place = pickers.place_picker(places, f"viewed on {run.name}")
    chosen = None if place == run else place
    views = {split: stored_global_view(run, split, chosen) for split in SPLITS}
    known = {split: view for split, view in views.items() if view is not None}
    if not known:
        pickers.measuring(
            f"No such view of {literal(checkpoints.title(run))} was made yet: the maps of test "
            "faces, laid over one mean face.",
            ("global-view", run.name, "--split", "test"),
            "Make it",
            lambda show: _make(run, show),
        )
        return
    left, right = st.columns(2)
    with left:
        split = st.selectbox(
            "Images",
            list(known),
            format_func=lambda name: pickers.SPLIT_TITLES[name],
            key="viewed split",
        )
    with right:
        answers = st.segmented_control(
            "Answers", list(ANSWERS), default="Right answers", required=True, key="viewed answers"
        )
    view = known[split]
    _maps(view, right=ANSWERS[answers])
    _regions(view, right=ANSWERS[answers])
    _downloads(view, run.name, split)


def _make(run: Path, show: Show) -> None:
    from core.global_view import make_global_view  # loads torch

    def told(done: int, total: int) -> None:
        show(done / total, f"Face {done:,} of {total:,},")

    make_global_view(run, split="test", on_progress=told)


def _maps(view: dict[str, Any], *, right: bool) -> None:
    st.subheader("Mean maps on the mean face")
    st.caption(_about(view, right=right))
    scale = view_scale(view)
    tiles = [_tile(view, group_of(view, label, right=right), scale) for label in view["labels"]]
    st.html(tiles_html(tiles, LEAST_WIDTH, COLUMNS))
    bar = colour_bar(scale, default_colours(signed=view["signed"]))
    st.image(png_bytes(bar), alt="Colours from no evidence to the strongest; 1 is the even value")


def _tile(view: dict[str, Any], group: dict[str, Any], scale: float) -> Tile:
    words = counted(group["n"], "face") + (f", {group['blank']} blank" if group["blank"] else "")
    return Tile(
        picture=mean_map_picture(view, group, scale),
        name=f"Mean map of {group['label']} on the mean face",
        words=(group["label"], words),
        mark="" if group["map"] else "no map",
    )


def _about(view: dict[str, Any], *, right: bool) -> str:
    of_whom = (
        "Faces answered as they are labelled"
        if right
        else "Faces labelled so and answered otherwise; the maps speak for the wrong answer"
    )
    signed = f" {COLOURS_IN_WORDS}." if view["signed"] else ""
    return literal(
        f"{of_whom}. {EXPLAINERS[view['method']].title} at {view['layer']}, moved landmark on "
        f"landmark to the mean of all faces (the lines) and averaged; 1 is the value of an even "
        f"map.{signed} At most {view['faces_per_label']} faces of each expression; "
        f"{view['without_landmarks']} left out for want of landmarks."
    )


def _regions(view: dict[str, Any], *, right: bool) -> None:
    st.subheader("Parts of the face by expression")
    measure = st.segmented_control(
        "Measure",
        list(MEASURES),
        format_func=lambda name: TITLES[name],
        default="drop",
        required=True,
        key="region measure",
    )
    groups = [group_of(view, label, right=right) for label in view["labels"]]
    values = [[one["regions"][region][measure] for one in groups] for region in view["regions"]]
    is_lift = measure == "lift"
    draw_chart(
        region_heat(
            values,
            view["regions"],
            view["labels"],
            factor=1.0 if is_lift else 100.0,
            middle=1.0 if is_lift else 0.0,
            digits=1 if is_lift else 0,
        ),
        key="regions",
        alt="Parts of the face in rows, expressions in columns",
    )
    unit = "" if is_lift else ", in percentage points" if measure == "drop" else ", in %"
    kind = "Measured" if measure == "drop" else "Descriptive, as true as its maps"
    st.caption(
        f"{kind}: {MEASURES[measure]}{unit}; below it the 95 % bootstrap interval over faces. "
        "A region's numbers say how this network answers, not what a person feels."
    )


def _downloads(view: dict[str, Any], run: str, split: str) -> None:
    rows = region_rows(view)
    files = {
        f"regions-{run}-{split}.csv": ("CSV", table_text(rows, "csv")),
        f"regions-{run}-{split}.md": ("Markdown", table_text(rows, "md")),
        f"global-view-{run}-{split}.json": ("JSON with maps", json.dumps(view)),
    }
    with st.container(horizontal=True):
        for name, (title, text) in files.items():
            st.download_button(title, text, name, key=f"view {title}", on_click="ignore")
