"""Where a run's evidence lies on the average face, by expression and part of the face."""

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.checkpoints import evaluations_of, title_of
from core.drawing import COLOURS_IN_WORDS, default_colours
from core.evaluation import FEW, SPLITS
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
from core.images import quick_png
from core.tabular import table_text
from core.types import BLANK
from webapp.chart_frame import draw_chart, table_height
from webapp.charts.faithfulness import from_above, mean_told, region_heat
from webapp.faithfulness_badges import layer_in_words
from webapp.picture_rows import Tile, tiles_html
from webapp.pictures import colour_strip
from webapp.results import pickers
from webapp.text import counted, literal
from webapp.waiting import Show

ANSWERS = {"Right answers": True, "Wrong answers": False}
TITLES = {"drop": "Hidden", "share": "Evidence", "lift": "Evidence by size"}
UNITS = {
    "drop": "percentage points of probability lost",
    "share": "in % of the evidence for the answer",
    "lift": "times as much as the part's size explains",
}
MEASURES_IN_WORDS = (
    "**Hidden**: how many percentage points an answer's probability loses when this part is hidden "
    "from the network; that is measured. **Evidence**: which share of a map's evidence for the "
    "answer lies in this part. **Evidence by size**: that share divided by the part's share of the "
    "picture; 1 is as much as the size explains. The last two describe the maps, and are only as "
    "true as these."
)
EVEN = 1.0  # the value of a map in which no place counts more than another
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
            f"No such view of “{literal(title_of(run))}” was made yet: the maps of "
            "test faces, laid over one mean face.",
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
    if said := maps_in_words(view, right=right):
        st.markdown(said)
    st.caption(_about(view, right=right))
    scale = view_scale(view)
    if scale > BLANK:
        st.html(_colour_key(scale, signed=view["signed"]))
    tiles = [_tile(view, group_of(view, label, right=right), scale) for label in view["labels"]]
    st.html(tiles_html(tiles, LEAST_WIDTH, COLUMNS))
    st.caption(
        literal(
            f"At most {view['faces_per_label']} faces of each expression; "
            f"{view['without_landmarks']} left out for want of landmarks. The method of "
            f"explanation is {EXPLAINERS[view['method']].title}."
        ),
        help=layer_in_words(view["layer"]) or None,
    )


def maps_in_words(view: dict[str, Any], *, right: bool) -> str:
    """Where the maps are strongest, and whether hiding parts names the same places.

    Args:
        view: Of `stored_global_view`.
        right: Whether right answers are told of, or wrong ones.
    """
    strongest = {
        label: max(clear)[1]
        for label, clear in _clear_parts(view, "lift", 1.0, right=right).items()
    }
    if not strongest:
        return ""
    by_part: dict[str, list[str]] = {}
    for label, part in strongest.items():
        by_part.setdefault(part, []).append(literal(label))
    told = "; ".join(f"the {part} for {_and(labels)}" for part, labels in by_part.items())
    hidden = {
        label: max(clear)[1]
        for label, clear in _clear_parts(view, "drop", 0.0, right=right).items()
    }
    same = [literal(label) for label, part in strongest.items() if hidden.get(label) == part]
    other = [
        f"{literal(label)} (the {hidden[label]})"
        for label, part in strongest.items()
        if hidden.get(label, part) != part
    ]
    text = f"For their size the maps are **strongest** on {told}."
    if same or other:
        agree = f"the same part for {_and(same)}" if same else ""
        differ = f"another one for {_and(other)}" if other else ""
        text += f" Hiding parts whole, below, names {'; '.join(filter(None, (agree, differ)))}."
    return text


def parts_in_words(view: dict[str, Any], *, right: bool) -> str:
    """On which parts of the face answers rest most, the clearest expressions first.

    Told are the effects of hiding a part whose 95 % interval lies above zero: an expression's
    largest, and the second where it is at least half as large. Few faces tell nothing.

    Args:
        view: Of `stored_global_view`.
        right: Whether right answers are told of, or wrong ones.
    """
    found = []
    for label, clear in _clear_parts(view, "drop", 0.0, right=right).items():
        ordered = sorted(clear, reverse=True)
        found.append((label, [one for one in ordered[:2] if 2 * one[0] >= ordered[0][0]]))
    found.sort(key=lambda one: -one[1][0][0])
    said: list[str] = []
    for label, parts in found:
        told = [f"the {name} ({100 * drop:.1f})" for drop, name in parts]
        if not said:
            drop, name = parts[0]
            it = "them" if name.endswith("s") else "it"
            told[0] = f"the {name} (hiding {it} costs {100 * drop:.1f} points of probability)"
        whose = (
            f"**{literal(label)}**" if said or not right else f"**{literal(label.capitalize())}**"
        )
        verb = "on" if said else "rests most on" if right else "rest most on"
        said.append(f"{whose} {verb} {' and '.join(told)}")
    before = "" if right else "Of wrong answers, those to faces labelled "
    return f"{before}{'; '.join(said)}." if said else ""


def _clear_parts(
    view: dict[str, Any], measure: str, above: float, *, right: bool
) -> dict[str, list[tuple[float, str]]]:
    """Parts whose 95 % interval lies above a value, with the mean; few faces have none."""
    found = {}
    for label in view["labels"]:
        group = group_of(view, label, right=right)
        parts = [
            (one[measure][0], name)
            for name, one in group["regions"].items()
            if one.get(measure) and one[measure][1] > above
        ]
        if parts and group["n"] >= FEW:
            found[label] = parts
    return found


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _colour_key(scale: float, *, signed: bool) -> str:
    """What the colours mean, in the page's own letters, with a mark where maps are even."""
    strip = b64encode(quick_png(colour_strip(scale, default_colours(signed=signed)))).decode()
    low, words = 0.0, ("no evidence", "the strongest")
    if signed:
        low, words = -scale, ("speaks against", "speaks for")
    marks = {0.0: f"{low:.1f}" if signed else "0", 100.0: f"{scale:.1f}"}
    even = 100 * (EVEN - low) / (scale - low)
    tick = ""
    if even < 100:
        marks[even] = "1"
        tick = (
            f'<div style="position:absolute;left:{even:.1f}%;top:0;height:17px;'
            'border-left:2px solid currentColor"></div>'
        )
    numbers = "".join(
        f'<span style="position:absolute;left:{place:.1f}%;transform:translateX(-{shift}%)">'
        f"{number}</span>"
        for place, number in marks.items()
        for shift in [round(place) if place in (0.0, 100.0) else 50]
    )
    ends = "".join(f"<span>{word}</span>" for word in words)
    return (
        '<div style="max-width:32rem;font-size:0.82rem"><div style="position:relative">'
        f'<img src="data:image/png;base64,{strip}" style="width:100%;height:12px;display:block;'
        f'border-radius:3px" alt="Colours from {low:.1f} to {scale:.1f}; 1 is the even value"/>'
        f'{tick}</div><div style="position:relative;height:1.3rem;margin-top:5px">{numbers}</div>'
        f'<div style="display:flex;justify-content:space-between;opacity:0.75">{ends}</div></div>'
    )


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
        "faces answered as they are labelled"
        if right
        else "faces labelled so and answered otherwise; the maps speak for the wrong answer"
    )
    signed = f" {COLOURS_IN_WORDS}." if view["signed"] else ""
    return literal(
        f"Each picture shows where the network finds its evidence, on average over {of_whom}. The "
        "lines are the mean of all faces, onto which every map was moved; 1 is the value a map "
        f"has everywhere when no place counts more than another.{signed}"
    )


def _regions(view: dict[str, Any], *, right: bool) -> None:
    st.subheader("Parts of the face by expression")
    if said := parts_in_words(view, right=right):
        st.markdown(said)
    st.caption(MEASURES_IN_WORDS)
    measure = st.segmented_control(
        "Measure",
        list(MEASURES),
        format_func=lambda name: TITLES[name],
        default="drop",
        required=True,
        key="region measure",
    )
    groups = {label: group_of(view, label, right=right)["regions"] for label in view["labels"]}
    names = [view["regions"][place] for place in from_above(view["regions"])]
    values = [[one[name][measure] for one in groups.values()] for name in names]
    is_lift = measure == "lift"
    factor = 1.0 if is_lift else 100.0
    draw_chart(
        region_heat(values, names, list(groups), factor=factor, middle=1.0 if is_lift else 0.0),
        key="regions",
        alt="Parts of the face in rows, expressions in columns",
    )
    with st.expander("The same with 95 % intervals"):
        st.dataframe(
            pd.DataFrame(
                {"Part": name}
                | {
                    label: mean_told(one, factor, ends=True)
                    for label, one in zip(groups, row, strict=True)
                }
                for name, row in zip(names, values, strict=True)
            ),
            hide_index=True,
            height=table_height(len(names)),
            key="region intervals",
            column_config={"Part": st.column_config.TextColumn(pinned=True, width=100)},
        )
    st.caption(
        f"{TITLES[measure]}: {UNITS[measure]}. The intervals are bootstrapped over faces. A part's "
        "numbers say how this network answers, not what a person feels."
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
