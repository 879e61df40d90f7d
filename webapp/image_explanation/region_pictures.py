"""A face with its parts drawn on it, and with each of them hidden."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from core.explain import RegionOcclusion
from core.faces import regions
from core.preprocess import Preprocess
from core.types import Face, Image
from webapp.charts.regions import from_above
from webapp.picture_rows import Tile
from webapp.text import percent

LARGE = 384  # px, side of the face with its parts
SMALL = 160  # px, side of a face with a part hidden
BACKGROUND = "background"
NOTHING_HIDDEN = "nothing hidden"


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
        face: Grey uint8 (S, S), the part of the crop that the network sees.
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
    grey: Image, name: str, labels: tuple[str, ...], answer: NDArray[np.float64], best: int
) -> Tile:
    now = int(answer.argmax())
    words = [name, f"{labels[best]} {percent(float(answer[best]))}"]
    if now != best:
        words.append(f"now {labels[now]} {percent(float(answer[now]))}")
    rgb = np.repeat(_grown(grey, SMALL)[..., None], 3, axis=2)
    return Tile(rgb, f"The face {name}", tuple(words))


def _grown(image: Image, side: int) -> Image:
    larger = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, dtype=np.uint8)
