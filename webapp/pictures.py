"""Results drawn as pictures: the photo with its faces marked, and each face with its map."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageColor, ImageDraw, ImageFont

from core import Explanation, FaceResult, Image, ImageResult
from core.drawing import ColourMap, heat_image, overlay, paste_overlay
from core.labels import COLOURS

PREDICTED = "predicted"  # in place of a label: the map of each face's own predicted class
SCREEN = 1200  # px, longest side of a photo on the page
ENLARGED = 4.0  # times, the most that a small photo grows on the page
FACE = 256  # px, side of a face on the page


@dataclass(frozen=True, slots=True)
class Look:
    """How results are drawn.

    Attributes:
        target: The class whose map is drawn, or PREDICTED.
        colours: Name of a colour map.
        opacity: Of the map over the face, 0 to 1; 0 for none.
        boxes: Whether faces are framed and numbered.
        landmarks: Whether the 68 points are drawn.
        coverage: Share of the face's side that the network sees.
    """

    target: str = PREDICTED
    colours: ColourMap = "inferno"
    opacity: float = 0.6
    boxes: bool = True
    landmarks: bool = True
    coverage: float = 1.0

    def label_of(self, face: FaceResult) -> str:
        """The class whose map is drawn for this face."""
        return face.prediction.predicted if self.target == PREDICTED else self.target


def common_scale(result: ImageResult, look: Look) -> float:
    """The value of the strongest colour: the largest of the maps shown, one a face."""
    return max(
        (
            float(np.abs(face.explanation.map_of(look.label_of(face))).max())
            for face in result.faces
            if face.explanation
        ),
        default=0.0,
    )


def annotated(result: ImageResult, look: Look, longest: int | None = None) -> Image:
    """The photo with maps, boxes and landmarks on it.

    Args:
        result: A picture's faces.
        look: What to draw and how.
        longest: Longest side of the answer in pixels; None for the photo's own size. A small
            photo is enlarged at most ENLARGED times, so that lines and points stay fine.

    Returns:
        RGB uint8 (h, w, 3), a new array.
    """
    height, width = result.image.shape[:2]
    scale = 1.0 if longest is None else min(longest / max(height, width), ENLARGED)
    canvas = _resized(result.image, scale)
    for face in result.faces:
        if face.explanation is not None and look.opacity > 0:
            canvas = paste_overlay(
                canvas,
                replace(face.face, matrix=_rescaled(face.face.matrix, scale)),
                face.explanation.map_of(look.label_of(face)),
                common_scale(result, look),
                look.opacity,
                look.colours,
                coverage=look.coverage,
            )
    for face in result.faces:
        if look.landmarks and face.face.landmarks is not None:
            radius = max(face.face.box.width * scale / 100, 1.0)
            _draw_points(canvas, (face.face.landmarks + 0.5) * scale - 0.5, radius)
    return _with_boxes(canvas, result, scale) if look.boxes else canvas


def face_alone(face: FaceResult, *, landmarks: bool = False) -> Image:
    """The face as it was cut out, with or without its points, RGB uint8 (FACE, FACE, 3)."""
    side = face.face.crop.shape[0]
    canvas = _resized(face.face.crop, FACE / side)
    points = face.face.crop_landmarks
    if landmarks and points is not None:
        _draw_points(canvas, (points + 0.5) * FACE / side - 0.5, FACE / 120)
    return canvas


def map_alone(explanation: Explanation, label: str, scale: float, look: Look) -> Image:
    """The map of a class, RGB uint8 (FACE, FACE, 3), where the network saw the face."""
    return evidence_alone(explanation.map_of(label), scale, look)


def evidence_alone(evidence: NDArray[np.float32], scale: float, look: Look) -> Image:
    """Any evidence float32 (h, w), RGB uint8 (FACE, FACE, 3), where the network saw the face."""
    nothing = heat_image(np.zeros((1, 1), dtype=np.float32), 0.0, FACE, look.colours)
    inner = round(FACE * look.coverage)
    start = (FACE - inner) // 2
    heat = heat_image(evidence, scale, inner, look.colours)
    nothing[start : start + inner, start : start + inner] = heat
    return nothing


def map_on_face(
    original: Image, explanation: Explanation, label: str, scale: float, look: Look
) -> Image:
    """The map of a class over the face, RGB uint8 like `original`."""
    evidence = explanation.map_of(label)
    return overlay(original, evidence, scale, look.opacity, look.colours, coverage=look.coverage)


def evidence_on_face(
    original: Image, evidence: NDArray[np.float32], scale: float, look: Look
) -> Image:
    """Any evidence float32 (h, w) over the face, RGB uint8 like `original`.

    Unlike `map_on_face`, the face is grey, so that the only colours are those of the evidence.
    """
    grey = cv2.cvtColor(cv2.cvtColor(original, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    plain = np.asarray(grey, dtype=np.uint8)
    return overlay(plain, evidence, scale, look.opacity, look.colours, coverage=look.coverage)


def side_by_side(*pictures: Image, gap: int = 12) -> Image:
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


def _resized(image: Image, scale: float) -> Image:
    """A new array, `scale` times as large."""
    if scale == 1.0:
        return image.copy()
    height, width = image.shape[:2]
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)


def _rescaled(matrix: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """The map from picture to crop pixels for a picture resized by `scale`.

    Pixel centres lie at whole numbers, so a small pixel p shows the place (p + 0.5) / scale - 0.5.
    """
    rescaled = matrix.copy()
    rescaled[:, :2] /= scale
    rescaled[:, 2] += matrix[:, :2] @ np.full(2, 0.5 / scale - 0.5)
    return rescaled


def _draw_points(canvas: Image, points: NDArray[np.floating], radius: float) -> None:
    """White dots with a dark rim, placed to a sixteenth of a pixel."""
    bits = 4
    for x, y in points:
        centre = (round(float(x) * 2**bits), round(float(y) * 2**bits))
        for rim, colour in ((0.9, (0, 0, 0)), (0.0, (255, 255, 255))):
            size = round((radius + rim) * 2**bits)
            cv2.circle(canvas, centre, size, colour, cv2.FILLED, cv2.LINE_AA, bits)


def _with_boxes(canvas: Image, result: ImageResult, scale: float) -> Image:
    """Frame every face in the colour of its expression, with its number on a tag."""
    picture = PillowImage.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    height, width = canvas.shape[:2]
    line = max(round(min(height, width) / 220), 2)
    font = ImageFont.load_default(max(round(min(height, width) / 28), 13))
    for number, face in enumerate(result.faces, start=1):
        box = face.face.box
        edges = [round(edge * scale) for edge in (box.left, box.top, box.right, box.bottom)]
        colour = COLOURS.get(face.prediction.predicted, COLOURS["neutral"])
        frame = (edges[0], edges[1], edges[2] - 1, edges[3] - 1)
        pen.rectangle(frame, outline="black", width=line + 2)
        pen.rectangle(frame, outline=colour, width=line)
        name = "unclear" if face.prediction.unclear else face.prediction.predicted
        _tag(pen, f"{number}  {name}", (edges[0], edges[1]), (width, height), colour, font)
    return np.asarray(picture)


def _tag(
    pen: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[int, int],
    size: tuple[int, int],
    colour: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """A label on the upper edge of a box, moved into the picture where it would leave it."""
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    pad = round((bottom - top) * 0.4)
    wide, high = right - left + 2 * pad, bottom - top + 2 * pad
    x = int(min(max(corner[0], 0), max(size[0] - wide, 0)))
    y = int(min(max(corner[1] - high, 0), max(size[1] - high, 0)))
    pen.rectangle((x, y, x + wide - 1, y + high - 1), fill=colour)
    pen.text((x + pad - left, y + pad - top), text, fill=_readable_on(colour), font=font)


def _readable_on(colour: str) -> str:
    """Black or white, whichever stands out more (relative luminance, WCAG 2.2)."""
    shares = [channel / 255 for channel in ImageColor.getrgb(colour)[:3]]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "black" if luminance > 0.179 else "white"
