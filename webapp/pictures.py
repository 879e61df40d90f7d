"""Pictures on the page: a face, its map, both side by side, and tiles that can be clicked."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import Explanation, FaceResult, Image
from core.drawing import (
    LEAST_SEEN,
    ColourMap,
    Style,
    draw_points,
    heat_image,
    overlay,
    resized,
)
from core.images import quick_png
from core.types import BLANK
from webapp.waiting import room_for

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.elements.lib.layout_utils import WidthWithoutContent

SCREEN = 1200  # px, longest side of a photo on the page
FACE = 256  # px, side of a face on the page
TILE = 112  # px
EMPTY_IN_WORDS = {
    "blank": "Blank: no evidence at all.",
    "faint": "Faint: less than a fifth of what the strongest colour stands for.",
}
GAP = 12  # px between pictures in a row
# The button lies over its whole tile, so that a click on the picture opens it; the picture's own
# button, which enlarges it, would lie on top of that.
STYLE = """<style>
[class*="st-key-tile-"] {position: relative; padding-bottom: 1.7rem; border-radius: .4rem;}
[class*="st-key-tile-"]:hover {outline: 2px solid rgba(128, 128, 160, .6);}
[class*="st-key-tile-"] [data-testid="stElementToolbar"] {display: none;}
[class*="st-key-tile-"] img {display: block; aspect-ratio: 1;}
[class*="st-key-tile-"] .stElementContainer:has(.stButton),
[class*="st-key-tile-"] .stButton, [class*="st-key-tile-"] .stButton > div,
[class*="st-key-tile-"] .stButton button
{position: absolute; inset: 0; width: 100%; height: 100%;}
[class*="st-key-tile-"] .stButton button
{align-items: flex-end; padding: 0 0 .15rem 0; z-index: 1;}
[class*="st-key-tile-"] .stButton button p
{font-size: .8rem; white-space: nowrap; line-height: 1.2;}
[class*="st-key-tile-"]:has(.stButton br) {padding-bottom: 2.6rem;}
</style>"""


def draw(
    place: "DeltaGenerator",
    picture: NDArray[np.uint8],
    key: str,
    *,
    alt: str,
    width: "WidthWithoutContent" = "stretch",
) -> None:
    """Draw a picture with its room kept.

    Args:
        place: Where.
        picture: uint8 (H, W), (H, W, 3) or (H, W, 4).
        key: Unique on the page.
        alt: Read aloud in place of the picture.
        width: Of the picture, as of `st.container`.
    """
    room_for(place, picture.shape, key, width).image(quick_png(picture), width="stretch", alt=alt)


def face_alone(face: FaceResult, *, landmarks: bool = False) -> Image:
    """The face as it was cut out, with or without its points, RGB uint8 (FACE, FACE, 3)."""
    side = face.face.crop.shape[0]
    canvas = resized(face.face.crop, FACE / side)
    points = face.face.crop_landmarks
    if landmarks and points is not None:
        draw_points(canvas, (points + 0.5) * FACE / side - 0.5, FACE / 120, smooth=True)
    return canvas


def map_alone(explanation: Explanation, label: str, scale: float, style: Style) -> Image:
    """The map of a class, RGB uint8 (FACE, FACE, 3), where the network saw the face."""
    return evidence_alone(explanation.map_of(label), scale, style)


def evidence_alone(evidence: NDArray[np.float32], scale: float, style: Style) -> Image:
    """Any evidence float32 (h, w), RGB uint8 (FACE, FACE, 3), where the network saw the face."""
    return heat_image(evidence, scale, FACE, style.colours, coverage=style.coverage)


def map_on_face(
    original: Image, explanation: Explanation, label: str, scale: float, style: Style
) -> Image:
    """The map of a class over the face, RGB uint8 like `original`."""
    evidence = explanation.map_of(label)
    return overlay(original, evidence, scale, style.opacity, style.colours, coverage=style.coverage)


def evidence_on_face(
    original: Image, evidence: NDArray[np.float32], scale: float, style: Style
) -> Image:
    """Any evidence float32 (h, w) over the face, RGB uint8 like `original`.

    Unlike `map_on_face`, the face is grey, so that the only colours are those of the evidence.
    """
    grey = cv2.cvtColor(cv2.cvtColor(original, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    plain = np.asarray(grey, dtype=np.uint8)
    return overlay(plain, evidence, scale, style.opacity, style.colours, coverage=style.coverage)


def emptiness(evidence: NDArray[np.float32], scale: float) -> str:
    """Why a map beside others seems empty: "blank", "faint", or "" where it does not.

    Args:
        evidence: float32 (h, w).
        scale: The value of the strongest colour.
    """
    strongest = float(np.abs(evidence).max(initial=0.0))
    if strongest <= BLANK:
        return "blank"
    return "faint" if strongest < LEAST_SEEN * scale else ""


def emptiness_in_words(marks: Iterable[str]) -> str:
    """What the marks of `emptiness` mean, those that occur only; "" where there is none."""
    occurring = set(marks)
    return " ".join(said for mark, said in EMPTY_IN_WORDS.items() if mark in occurring)


def side_by_side(*pictures: Image, gap: int = GAP) -> Image:
    """Pictures of one height in a row, RGBA uint8, with transparent gaps of `gap` pixels."""
    opaque = [np.dstack([picture, np.full_like(picture[..., 0], 255)]) for picture in pictures]
    between = np.zeros((opaque[0].shape[0], gap, 4), dtype=np.uint8)
    row = [opaque[0]]
    for picture in opaque[1:]:
        row += [between, picture]
    return np.hstack(row)


def colour_strip(scale: float, colours: ColourMap) -> Image:
    """All colours from the lowest to the highest value, RGB uint8 (16, 512, 3)."""
    ends = (-scale, scale) if colours == "diverging" else (0.0, scale)
    ramp = np.linspace(*ends, 256, dtype=np.float32)[None]
    return heat_image(ramp, scale, (16, 512), colours)


def tile(
    picture: Image,
    caption: str,
    key: str,
    on_click: Callable[..., None],
    argument: Any,  # noqa: ANN401 - whatever the callback takes
    *,
    alt: str,
    explained: str = "",
    width: int = TILE,
) -> None:
    """One picture with a button over it; the page must have drawn STYLE.

    Args:
        picture: uint8 (H, W) or (H, W, 3).
        caption: Below it.
        key: Of the button, unique on the page.
        on_click: Called with `argument`.
        argument: Which picture it is.
        alt: Read aloud in place of the picture.
        explained: Shown when the pointer rests on it.
        width: In pixels.
    """
    place = st.container(key=f"tile {key}", width=width, gap=None)
    place.image(picture, width=width, alt=alt)
    place.button(
        caption,
        key=key,
        on_click=on_click,
        args=(argument,),
        help=explained or None,
        type="tertiary",
        width="stretch",
    )
