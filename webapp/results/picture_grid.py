"""Pictures behind a figure: each with its label, its probabilities and its map."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.checkpoints import is_checkpoint
from core.drawing import NO_EVIDENCE, ONLY_AGAINST, overlay
from core.evaluation import Predictions, Run
from core.types import BLANK, Image, evidence_scale
from webapp import cache, navigation, pictures
from webapp.charts.bars import probability_bars
from webapp.checkpoints import source_names
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

    Args:
        found: The rows to show, in this order.
        run: Whose answers they are.
        key: Tells this grid's inputs from another's.
    """
    if not len(found):
        st.info("There is no such picture.")
        return
    pages = -(-len(found) // SHOWN)
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    page = 1
    if pages > 1:
        page = left.number_input(
            f"Page, of {pages}", 1, pages, key=f"{key} page", persist_state="session"
        )
    explained = False
    if is_checkpoint(run.folder):
        explained = right.toggle(
            "Show what speaks for each answer",
            value=True,
            key=f"{key} maps",
            persist_state="session",
        )
    else:
        right.caption("No weights kept for this run, so there are no maps.")
    first = (page - 1) * SHOWN
    rows = np.zeros(len(found), dtype=bool)
    rows[first : first + SHOWN] = True
    shown = found.where(rows)
    album = store.album(tuple(sorted(found.sources)))
    images, names = album.pictures(shown.table), album.names(shown.table)
    absent = sum(image is None for image in images)
    if absent:
        st.info(
            f"{counted(absent, 'picture')} of this page cannot be shown: the image set is not "
            "prepared below the data folder. Labels and probabilities are from the predictions "
            "file."
        )
        navigation.link(navigation.EXPLORER, "Prepare a data set", **{navigation.OPEN: "Prepare"})
    places = _cards(shown, images, names, key)
    if explained and absent < len(images):
        with shown_errors():
            _draw_maps(run, shown, images, places)


def _cards(
    shown: Predictions, images: list[Image | None], names: list[str], key: str
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
            if image is None:
                places.append(st.empty())
            else:
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
    images: list[Image | None],
    places: "list[DeltaGenerator]",
) -> None:
    """Fill in the map of each answer over its picture."""
    predictor = cache.predictor(run.folder)
    there = [number for number, image in enumerate(images) if image is not None]
    kept = [image for image in images if image is not None]
    maps = _maps(predictor, kept)
    preprocess = predictor.card.preprocess
    for number, image, own in zip(there, kept, maps, strict=True):
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
