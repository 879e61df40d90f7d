"""Pictures behind a figure: each with its label, its probabilities and its map, or as a row."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.checkpoints import is_checkpoint
from core.data import source_names
from core.drawing import NO_EVIDENCE, ONLY_AGAINST, overlay
from core.evaluation import Predictions, Run
from core.labels import COLOURS
from core.types import BLANK, Image, evidence_scale
from webapp import cache, navigation, pictures
from webapp.chart_frame import TABLE_HEIGHT, emotion_column, table_height
from webapp.charts.bars import probability_bars
from webapp.errors import shown_errors
from webapp.results import store
from webapp.text import counted, literal, percent
from webapp.waiting import room_for

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.predict import Predictor

SHOWN = 12  # pictures a page of the grid
COLUMNS = 4
SIDE = 128  # px of a picture on the screen
# Columns are at least so wide by themselves that in a narrow card the map would be cut off.
PAIRS = """<style>[class*="st-key-pair-"] [data-testid="stColumn"] {min-width: 0;}</style>
<i hidden></i>"""


@st.fragment
def picture_grid(found: Predictions, run: Run, key: str) -> None:
    """Draw the pictures, twelve at a time; maps follow once the pictures stand.

    Those whose image set is not prepared here are rows of a table: without a picture, one card
    tells little from the next.

    Args:
        found: The rows to show, in this order.
        run: Whose answers they are.
        key: Tells this grid's inputs from another's.
    """
    if not len(found):
        st.info("There is no such picture.")
        return
    album = store.album(tuple(sorted(found.sources)))
    if not any(album.names(found.table)):
        _maps_toggle(st.container(), run, key, is_possible=False)
        _say_absent(len(found), "of this list")
        _rows(found, f"{key} rows")
        return
    pages = -(-len(found) // SHOWN)
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    page = 1
    if pages > 1:
        page = left.number_input(
            f"Page, of {pages}", 1, pages, key=f"{key} page", persist_state="session"
        )
    first = (page - 1) * SHOWN
    rows = np.zeros(len(found), dtype=bool)
    rows[first : first + SHOWN] = True
    shown = found.where(rows)
    images = album.pictures(shown.table)
    there = np.array([image is not None for image in images])
    explained = _maps_toggle(right, run, key, is_possible=bool(there.any()))
    absent, shown = shown.where(~there), shown.where(there)
    if len(absent):
        _say_absent(len(absent), "of this page")
        _rows(absent, f"{key} rows")
    kept = [image for image in images if image is not None]
    places = _cards(shown, kept, album.names(shown.table), key)
    if explained and kept:
        with shown_errors():
            _draw_maps(run, shown, kept, places)


def _maps_toggle(place: "DeltaGenerator", run: Run, key: str, *, is_possible: bool) -> bool:
    """Draw the switch for maps; whether they are wanted, and can be."""
    if not is_checkpoint(run.folder):
        place.caption("No weights kept for this run, so there are no maps.")
        return False
    title = "Show what speaks for each answer"
    if not is_possible:
        place.toggle(
            title,
            disabled=True,
            key=f"{key} no maps",  # the choice made where there are pictures stays
            help="A map is drawn over the picture, and none of these pictures is at hand: prepare "
            "their image set first.",
        )
        return False
    return place.toggle(title, value=True, key=f"{key} maps", persist_state="session")


def _say_absent(number: int, where: str) -> None:
    st.info(
        f"{counted(number, 'picture')} {where} cannot be shown: the image set is not prepared "
        "below the data folder. Labels and probabilities are from the predictions file, which "
        "names no files."
    )
    navigation.link(navigation.EXPLORER, "Prepare a data set", **{navigation.OPEN: "Prepare"})


def _rows(found: Predictions, key: str) -> None:
    """Pictures that are not at hand, a row each."""
    chips = emotion_column(COLOURS)
    st.dataframe(
        absent_rows(found),
        hide_index=True,
        height=min(TABLE_HEIGHT, table_height(len(found))),
        key=key,
        column_config={
            "Label": emotion_column(COLOURS, pinned=True),
            "Answer": chips,
            "Image set": st.column_config.TextColumn(width=120),
            **{
                name: st.column_config.NumberColumn(format="%.1f", width=90)
                for name in ("Answer %", "Label %")
            },
        },
    )


def absent_rows(found: Predictions) -> pd.DataFrame:
    """Label, answer, the probability of both in percent, and image set, a row a picture."""
    labels = np.asarray(found.labels, dtype=object)
    own = found.probabilities[np.arange(len(found)), found.true]
    return pd.DataFrame(
        {
            "Label": [[label] for label in found.table["true"]],
            "Answer": [[label] for label in labels[found.predicted]],
            "Answer %": 100 * found.confidence,
            "Label %": 100 * own,
            "Image set": [source_names([source]) for source in found.table["source"]],
        }
    )


def _cards(
    shown: Predictions, images: list[Image], names: list[str], key: str
) -> "list[DeltaGenerator]":
    """Draw every card; the place for each one's map."""
    st.html(PAIRS)
    places = []
    facts = zip(
        shown.table["true"], shown.table["source"], shown.predicted, shown.confidence, strict=True
    )
    probabilities = shown.probabilities
    columns: list[DeltaGenerator] = []
    for number, (true, source, predicted, confidence) in enumerate(facts):
        if number % COLUMNS == 0:
            columns = st.columns(COLUMNS)
        with columns[number % COLUMNS].container(border=True, height="stretch"):
            image = images[number]
            answer = shown.labels[predicted]
            pair = st.container(key=f"pair {key} {number}")
            left, right = pair.columns(2, wrap=False, gap="small")
            alt = f"Labelled {true}, answer {answer}"
            pictures.draw(left, _large(image), f"{key} {number}", alt=alt)
            places.append(room_for(right, (SIDE, SIDE), f"{key} map {number}").empty())
            st.markdown(f"label **{literal(true)}**, answer **{literal(answer)}**")
            st.caption(
                f"{percent(confidence)}, {literal(source_names([source]))}  \n"
                f"{literal(names[number])}"
            )
            st.html(probability_bars(shown.labels, probabilities[number], small=True))
    return places


def _draw_maps(
    run: Run,
    shown: Predictions,
    images: list[Image],
    places: "list[DeltaGenerator]",
) -> None:
    """Fill in the map of each answer over its picture."""
    predictor = cache.predictor(run.folder)
    maps = _maps(predictor, images)
    preprocess = predictor.card.preprocess
    for number, (image, own) in enumerate(zip(images, maps, strict=True)):
        evidence = own[shown.predicted[number]]
        if float(np.abs(evidence).max()) <= BLANK:
            places[number].caption(f"blank map: {NO_EVIDENCE}")
            continue
        scale, coverage = evidence_scale(evidence), preprocess.crop / preprocess.size
        picture = overlay(_large(image), evidence, scale, coverage=coverage)
        place = places[number].container()
        place.image(picture, width="stretch", alt="Where the evidence for the answer is")
        if float(evidence.max()) <= BLANK:
            place.caption(ONLY_AGAINST)


def _maps(predictor: "Predictor", images: list[Image]) -> list[NDArray[np.float32]]:
    """Grad-CAM of every class for each picture, float32 (K, h, w) each."""
    # One by one in torch: the fast engine would first have to be built, which takes seconds.
    return [predictor.explain(image).maps for image in images]


def _large(image: Image) -> Image:
    """RGB uint8 (SIDE, SIDE, 3) of a grey square."""
    larger = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.repeat(larger[:, :, None], 3, axis=2).astype(np.uint8)
