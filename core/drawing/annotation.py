"""Maps, boxes, landmarks and words on photos and frames, readable on any background and size."""

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.drawing.colour_maps import ColourMap, default_colours
from core.drawing.overlays import OPACITY, lay_over
from core.drawing.panels import UNCLEAR, colour_of, write_tag, write_words
from core.drawing.text import BLACK, WHITE, Colour
from core.types import Box, Explanation, Face, FaceResult, FrameResult, Image, ImageResult, LiveFace

SHOWN = "shown"  # in place of an expression: each face's own, which an unclear face is nearest to

_ENLARGED = 4.0  # times, the most that a small photo grows
_SUBPIXEL = 4  # bits: smooth points are placed to a sixteenth of a pixel
_SMOOTH_RIM = 0.9  # pixels of dark around a smooth point


@dataclass(frozen=True, slots=True)
class Style:
    """What is drawn on photos and frames, and how.

    Attributes:
        overlay: The map on the face.
        landmarks: The 68 points.
        boxes: Square and name of each face.
        bars: The probabilities beside the face; frames only.
        opacity: Of the strongest evidence, 0 to 1; 0 for no map.
        target: The expression whose map is drawn, or SHOWN.
        colours: Name of a colour map for maps without a sign; signed ones are diverging.
        coverage: Share of the crop's side that the network sees
            (`preprocess.crop / preprocess.size`).
    """

    overlay: bool = True
    landmarks: bool = True
    boxes: bool = True
    bars: bool = True
    opacity: float = OPACITY
    target: str = SHOWN
    colours: ColourMap = "violet"
    coverage: float = 1.0

    def label_of(self, face: FaceResult | LiveFace) -> str:
        """The class whose map is drawn for this face."""
        return self.target if self.target != SHOWN else face.label or face.prediction.predicted


def annotate_frame(image: Image, result: FrameResult, style: Style | None = None) -> Image:
    """The frame with everything asked for drawn on it.

    Args:
        image: RGB uint8 (H, W, 3), not changed; of the size the result was made of.
        result: What was found, perhaps in a frame shortly before.
        style: What to draw.

    Returns:
        RGB uint8 (H, W, 3), a new array.
    """
    style = style or Style()
    canvas = image.copy()
    height, width = canvas.shape[:2]
    for face in result.faces:
        label = style.label_of(face)
        _draw_map(canvas, face.face, face.explanation, label, face.scale_of(label), style)
    line = max(round(min(height, width) / 180), 1)
    for face in result.faces:
        points = face.face.landmarks
        if style.landmarks and points is not None:
            draw_points(canvas, points, face.box.width / 150)
        if style.boxes:
            box = face.box.clipped(width, height)
            _draw_box(canvas, box, colour_of(face.label), line, outer=1, inner=1)
    write_words(canvas, result, names=style.boxes, numbers=style.bars)
    return canvas


def annotate_picture(
    result: ImageResult, style: Style | None = None, longest: int | None = None
) -> Image:
    """The photo with maps, landmarks, and every face framed and numbered.

    Args:
        result: A picture's faces.
        style: What to draw.
        longest: Longest side of the answer in pixels; None for the photo's own size. A small
            photo is enlarged at most fourfold, so that lines and points stay fine.

    Returns:
        RGB uint8 (h, w, 3), a new array.
    """
    style = style or Style()
    side = max(result.image.shape[:2])
    zoom = 1.0 if longest is None else min(longest / side, _ENLARGED)
    canvas = resized(result.image, zoom)
    scale = common_scale(result, style)
    for one in result.faces:
        face = replace(one.face, matrix=_rescaled(one.face.matrix, zoom))
        _draw_map(canvas, face, one.explanation, style.label_of(one), scale, style)
    for one in result.faces:
        points = one.face.landmarks
        if style.landmarks and points is not None:
            radius = max(one.face.box.width * zoom / 100, 1.0)
            draw_points(canvas, (points + 0.5) * zoom - 0.5, radius, smooth=True)
    if style.boxes:
        _frame_and_number(canvas, result, zoom)
    return canvas


def common_scale(result: ImageResult, style: Style) -> float:
    """The value of the strongest colour: the largest of the maps shown, one a face."""
    return max(
        (
            face.explanation.scale_of(style.label_of(face))
            for face in result.faces
            if face.explanation
        ),
        default=0.0,
    )


def resized(image: Image, zoom: float) -> Image:
    """A picture RGB uint8 (H, W, 3) made `zoom` times as large, a new array."""
    if zoom == 1.0:
        return image.copy()
    height, width = image.shape[:2]
    size = (max(round(width * zoom), 1), max(round(height * zoom), 1))
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)


def draw_points(
    canvas: Image, points: NDArray[np.floating], radius: float, *, smooth: bool = False
) -> None:
    """White dots with a dark rim.

    Args:
        canvas: RGB uint8 (H, W, 3), changed; what would lie outside is left out.
        points: (N, 2), x and y in pixels.
        radius: Of the white, in pixels; below a half it is a single pixel.
        smooth: Whether edges are soft and places exact to a sixteenth of a pixel. This takes a
            call a point, in a frame longer than all the rest; without, dots are whole pixels.
    """
    if not smooth:
        _stamp_points(canvas, points, round(radius))
        return
    unit = 2**_SUBPIXEL
    for x, y in points.tolist():
        centre = (round(x * unit), round(y * unit))
        for rim, colour in ((_SMOOTH_RIM, BLACK), (0.0, WHITE)):
            size = round((radius + rim) * unit)
            cv2.circle(canvas, centre, size, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL)


def _stamp_points(canvas: Image, points: NDArray[np.floating], radius: int) -> None:
    centres = np.rint(points).astype(np.int64)
    height, width = canvas.shape[:2]
    for colour, extra in ((BLACK, 1), (WHITE, 0)):
        disc = _disc(radius + extra)
        x = (centres[:, :1] + disc[:, 0]).ravel()
        y = (centres[:, 1:] + disc[:, 1]).ravel()
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        canvas[y[inside], x[inside]] = colour


@cache
def _disc(radius: int) -> NDArray[np.int64]:
    """Pixels (x, y) of a filled disc about (0, 0), int64 (N, 2)."""
    side = 2 * radius + 1
    area = np.zeros((side, side), np.uint8)
    cv2.circle(area, (radius, radius), radius, 1, cv2.FILLED)
    return np.argwhere(area)[:, ::-1] - radius


def _draw_map(
    canvas: Image,
    face: Face,
    explanation: Explanation | None,
    label: str,
    scale: float,
    style: Style,
) -> None:
    """Draw into the canvas, where there is a map to draw."""
    if not style.overlay or explanation is None or label not in explanation.labels:
        return
    colours = default_colours(signed=True) if explanation.signed else style.colours
    evidence = explanation.map_of(label)
    lay_over(canvas, face, evidence, scale, style.opacity, colours, coverage=style.coverage)


def _rescaled(matrix: NDArray[np.float64], zoom: float) -> NDArray[np.float64]:
    """The map from picture to crop pixels for a picture resized by `zoom`.

    Pixel centres lie at whole numbers, so a small pixel p shows the place (p + 0.5) / zoom - 0.5.
    """
    rescaled = matrix.copy()
    rescaled[:, :2] /= zoom
    rescaled[:, 2] += matrix[:, :2] @ np.full(2, 0.5 / zoom - 0.5)
    return rescaled


def _frame_and_number(canvas: Image, result: ImageResult, zoom: float) -> None:
    """Frame every face in the colour of its expression, with its number on a tag."""
    side = min(canvas.shape[:2])
    line, size = max(round(side / 220), 2), max(round(side / 28), 13)
    for number, face in enumerate(result.faces, start=1):
        box, colour = face.face.box, colour_of(face.label)
        edges = (round(edge * zoom) for edge in (box.left, box.top, box.right, box.bottom))
        place = Box(*edges)
        _draw_box(canvas, place, colour, line, outer=0, inner=2)
        text = f"{number}  {face.label or UNCLEAR}"
        write_tag(canvas, text, colour, (place.left, place.top), size)


def _draw_box(
    canvas: Image, box: Box, colour: Colour, line: int, *, outer: int, inner: int
) -> None:
    """A coloured line along the inside of a box, with `outer` and `inner` dark pixels beside it."""
    if not box.area:
        return
    for start, width, shade in ((0, outer + line + inner, BLACK), (outer, line, colour)):
        left, top = box.left + start, box.top + start
        right, bottom = box.right - 1 - start, box.bottom - 1 - start
        more = width - 1
        for first, last in (
            ((left, top), (right, top + more)),
            ((left, bottom - more), (right, bottom)),
            ((left, top), (left + more, bottom)),
            ((right - more, top), (right, bottom)),
        ):
            cv2.rectangle(canvas, first, last, shade, cv2.FILLED)
