"""Parts of the face: what the answer loses when one is hidden, drawn on the face itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from core.explain import (
    RegionOcclusion,
    RegionReport,
    in_words,
    stored_faithfulness,
    textbook_sources,
)
from core.faces import regions
from core.preprocess import Preprocess
from core.types import Face, Image
from webapp import picture_rows, pictures
from webapp.chart_frame import draw_chart
from webapp.charts.faithfulness import Unit, from_above, part_bars, told
from webapp.faithfulness_badges import show_badges
from webapp.figure_file import Inset, Sheet, stacked
from webapp.image_explanation import downloads
from webapp.image_explanation.parts_in_words import (
    map_beside_hiding,
    map_beside_shares,
    share_within,
)
from webapp.image_explanation.subject import Subject, hidden_together, parts, signed_method
from webapp.picture_rows import Tile
from webapp.text import literal, percent

if TYPE_CHECKING:
    from core.predict import Predictor

ONE, ALL = "Each part by itself", "All combinations"
SHARE, LIFT, SIGNED, CONTRAST = "Share", "Density", "For and against", "Against the runner-up"
NO_PARTS = (
    "The parts of a face are told apart by its 68 landmarks, and none could be fitted here. Try "
    "another face detector on the left, or a larger picture of the face."
)
HOW_HIDDEN = (
    "Each part in turn is filled smoothly from its surroundings, and the network asked again"
)
ONE_VIEW = ", of this one view: the card above is the mean of the face and its mirror image."
IN_FLOAT = ", in float32: the card above is its answer in 8 bits, which may be a little different."
APART = "This compares with expectations. It says nothing of whether a map is true."
WIDTH = 720  # units of the figure to take away
LARGE = 384  # px, side of the face with its parts
SMALL = 160  # px, side of a face with a part hidden
BACKGROUND = "background"
NOTHING_HIDDEN = "nothing hidden"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number a part, and how it is told."""

    title: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    unit: Unit


def show(subject: Subject) -> None:
    """Draw the view."""
    if not subject.has_parts:
        st.info(NO_PARTS)
        return
    left, right = st.columns([2, 3], gap="large")
    said = right.container()
    way = right.segmented_control(
        "Measured by hiding",
        (ONE, ALL),
        default=ONE,
        required=True,
        key="hiding",
        help="All combinations take 128 pictures, a few seconds. They give each part its fair "
        "share (Shapley value), and the smallest set of parts whose hiding changes the answer.",
    )
    with right, st.spinner("Hiding the parts of the face …"):
        found = parts(subject, all_sets=way == ALL)
    said.markdown(f"**{literal(found.sentence)}**")
    picture = face_with_parts(subject.face.face)
    pictures.draw(left, picture, "parts", alt="The face with the outlines of its parts")
    measured = effect_of_all(found) if way == ALL else effect_of_each(found)
    with right:
        _bars(measured, "measured bars")
    st.markdown("##### The face with each part hidden")
    st.caption(how_hidden(subject.predictor))
    tiles = _tiles(subject, found)
    st.html(picture_rows.tiles_html(tiles))
    described = _described(subject, found)
    _textbook(found)
    labels = subject.predictor.labels
    downloads.offer(
        subject,
        "parts",
        lambda: parts_sheet(picture, found, [measured, described], tiles),
        lambda: downloads.as_text(downloads.part_values(found, labels)),
    )


def how_hidden(predictor: "Predictor") -> str:
    """What was done, and why the numbers may differ from those of the card."""
    if predictor.card.flip_average:
        return HOW_HIDDEN + ONE_VIEW
    return HOW_HIDDEN + (IN_FLOAT if predictor.engine == "int8" else ".")


def effect_of_each(found: RegionReport) -> Measure:
    """By how much hiding each part lowers the answer's probability."""
    best = int(found.hidden.answer().argmax())
    return Measure(
        f"Points by which hiding the part lowers {found.predicted}",
        found.hidden.regions,
        tuple(found.hidden.drop(best).tolist()),
        "points",
    )


def effect_of_all(found: RegionReport) -> Measure:
    """Each part's fair share of the answer's logit.

    Raises:
        ValueError: Not all sets were measured.
    """
    if found.game is None:
        raise ValueError("All sets of parts have to be measured first.")
    best = int(found.hidden.whole.argmax())
    title = f"Fair share of each part in the logit of {found.predicted} (Shapley value)"
    return Measure(title, found.game.regions, tuple(found.game.shapley[:, best].tolist()), "logits")


def description(found: RegionReport, choice: str) -> Measure:
    """What the map says of the parts."""
    runner_up = found.runner_up
    ways: dict[str, tuple[str, str, Unit]] = {
        SHARE: ("share", "Share of the map's positive evidence", "share"),
        LIFT: ("lift", "The same by the part's size: 1 is what its size alone explains", "times"),
        SIGNED: ("evidence", f"Evidence for {found.predicted}, signed", "logits"),
        CONTRAST: ("contrast", f"Evidence for {found.predicted} against {runner_up}", "logits"),
    }
    attribute, title, unit = ways[choice]
    values = tuple(float(getattr(entry, attribute)) for entry in found.evidence)
    return Measure(title, tuple(entry.region for entry in found.evidence), values, unit)


def _bars(measure: Measure, key: str) -> None:
    st.caption(measure.title)
    pairs = zip(measure.names, measure.values, strict=True)
    draw_chart(
        part_bars(measure.names, measure.values, measure.unit),
        key=key,
        alt=", ".join(f"{name} {told(value, measure.unit)}" for name, value in pairs),
    )


def _tiles(subject: Subject, found: RegionReport) -> list[Tile]:
    """Each part hidden, and the smallest set that changes the answer where that is known."""
    preprocess, labels = subject.predictor.card.preprocess, subject.predictor.labels
    tiles = hidden_tiles(found.hidden, subject.seen(), labels, preprocess)
    smallest = None if found.game is None else found.game.smallest_hiding
    if smallest is not None and len(smallest) > 1:
        both = hidden_together(subject, smallest)
        tiles += hidden_tiles(both, subject.seen(), labels, preprocess)[1:]
    return tiles


def _described(subject: Subject, measured: RegionReport) -> Measure:
    """Draw what the map says of the parts, which may or may not be so."""
    st.markdown("##### What the map says of the parts")
    choice = st.segmented_control(
        "Of the map",
        (SHARE, LIFT, SIGNED, CONTRAST),
        default=SHARE,
        required=True,
        key="described",
        label_visibility="collapsed",
    )
    found = measured
    if choice in (SIGNED, CONTRAST) and not found.explanation.signed:
        found = parts(subject.by(signed_method(subject)), all_sets=False)
    explanation = found.explanation
    report = stored_faithfulness(subject.folder)
    show_badges(report, explanation.method, explanation.layer, "parts badges")
    if explanation.method != subject.method:
        own = subject.explanation()
        reason = (
            "is not signed"
            if min(own.maps.shape[1:]) >= min(explanation.maps.shape[1:])
            else "is too coarse to tell the parts apart"
        )
        st.caption(f"Another method stands in here, since the chosen one {reason}.")
    measure = description(found, choice)
    _bars(measure, "described bars")
    shares = {entry.region: float(entry.share) for entry in found.evidence}
    hidden = effect_of_each(measured) if measured.game is None else effect_of_all(measured)
    effects = dict(zip(hidden.names, hidden.values, strict=True))
    effects.pop(BACKGROUND, None)
    beside = map_beside_hiding if measured.game is None else map_beside_shares
    if said := beside(shares, effects):
        st.markdown(said)
    return measure


def _textbook(found: RegionReport) -> None:
    """How the measurement compares with what textbooks expect; apart from whether maps are true."""
    st.markdown("##### Beside the textbook")
    agreement = found.textbook
    if agreement is None:
        st.caption(f"Textbooks have no pattern of movements for {found.predicted}.")
        return
    units = literal(", ".join(f"{unit.name} (AU {unit.number})" for unit in agreement.units))
    pattern = f"the textbook pattern of {found.predicted}: {units}. That pattern shows in "
    pattern += in_words(agreement.expected)
    if found.has_small_effects and found.game is not None:
        shares = effect_of_all(found)
        fair = dict(zip(shares.names, shares.values, strict=True))
        text = (
            f"No part alone decides this answer. Of all fair shares above 0, "
            f"{percent(share_within(fair, agreement.expected))} lie in "
            f"{in_words(agreement.expected)}, where textbooks see {found.predicted}: {units}."
        )
    elif found.has_small_effects:
        text = (
            f"No part alone decides this answer, so there is nothing to compare with {pattern}. "
            f"**{ALL}** shows what parts do together."
        )
    else:
        lead = "Consistent" if agreement.is_consistent else "Not consistent"
        text = (
            f"{lead} with {pattern}; {percent(agreement.share)} of the measured effect falls "
            f"there, and even effects would give {percent(agreement.chance)}."
        )
    st.markdown(text)
    row = st.container(horizontal=True, vertical_alignment="center")
    row.caption(APART, width="content")
    with row.popover("Sources", type="tertiary"):
        for source in textbook_sources():
            st.caption(literal(source))


def parts_sheet(
    picture: Image, found: RegionReport, measures: list[Measure], tiles: list[Tile]
) -> Sheet:
    """The view as one figure."""
    face = Sheet(WIDTH, 272, (Inset(16, 16, 256, picture),))
    return stacked(
        face,
        picture_rows.text_sheet(found.sentence, WIDTH),
        *(downloads.bars_sheet(m.title, m.names, m.values, m.unit) for m in measures),
        picture_rows.tiles_sheet(tiles, "The face with each part hidden"),
    )


def face_with_parts(face: Face) -> Image:
    """Outlines and names of the parts on the face, RGB uint8 (LARGE, LARGE, 3).

    A face without landmarks is given back as it is, enlarged.
    """
    canvas = _grown(face.crop, LARGE)
    if face.crop_landmarks is None:
        return canvas
    side = face.crop.shape[0]
    points = (face.crop_landmarks + 0.5) * LARGE / side - 0.5
    masks = {name: mask for name, mask in regions(points, LARGE).items() if mask.any()}
    outlines = [_outline(mask) for mask in masks.values()]
    for width, colour in ((4, (0, 0, 0)), (2, (255, 255, 255))):
        for outline in outlines:
            cv2.polylines(canvas, outline, True, colour, width, cv2.LINE_AA)
    return _named(canvas, {name: mask for name, mask in masks.items() if name != BACKGROUND})


def _outline(mask: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
    """The closed lines around a part, smoothed by a pixel."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [np.asarray(cv2.approxPolyDP(line, 1.0, True), np.int32) for line in found]


def _named(canvas: Image, masks: dict[str, NDArray[np.bool_]]) -> Image:
    """Each part's name at its widest place."""
    picture = PillowImage.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(16)
    for name, mask in masks.items():
        x, y = widest_place(mask)
        pen.text(
            (x, y), name, fill="white", font=font, anchor="mm", stroke_width=3, stroke_fill="black"
        )
    return np.asarray(picture)


def widest_place(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Column and row of the pixel furthest from the edge of the mask."""
    padded = np.pad(mask.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), mask.shape)
    return int(x), int(y)


def hidden_tiles(
    hidden: RegionOcclusion, face: Image, labels: tuple[str, ...], preprocess: Preprocess
) -> list[Tile]:
    """The face as the network sees it, then with each part hidden, and the answer below.

    Args:
        hidden: Measured.
        face: Grey uint8 (S, S) or RGB (S, S, 3), the part of the crop that the network sees.
        labels: Class names.
        preprocess: Of the checkpoint.
    """
    best = int(hidden.answer().argmax())
    pictures, answers = hidden.images(preprocess), hidden.probabilities()
    tiles = [_tile(face, NOTHING_HIDDEN, labels, hidden.answer(), best)]
    for place in from_above(hidden.regions):
        name = f"without {hidden.regions[place]}"
        tiles.append(_tile(pictures[place], name, labels, answers[place], best))
    return tiles


def _tile(
    face: Image, name: str, labels: tuple[str, ...], answer: NDArray[np.float64], best: int
) -> Tile:
    now = int(answer.argmax())
    words = [name, f"{labels[best]} {percent(float(answer[best]))}"]
    if now != best:
        words.append(f"now {labels[now]} {percent(float(answer[now]))}")
    grown = _grown(face, SMALL)
    rgb = grown if grown.ndim == 3 else np.repeat(grown[..., None], 3, axis=2)
    return Tile(rgb, f"The face {name}", tuple(words))


def _grown(image: Image, side: int) -> Image:
    larger = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, dtype=np.uint8)
