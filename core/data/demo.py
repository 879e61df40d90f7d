"""Faces drawn by code, six expressions, so that everything can be tried without data.

A face moves by numbers named after action units (Ekman and Friesen, 1978), each 0 to 1 with noise;
the head, its colours and the camera vary. They are drawings and are marked so wherever they show.
"""

import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from core.files import replacing
from core.labels import EMOTIONS
from core.types import Image

DEMO = "demo"  # what stands for a path
COUNTS = {"train": 120, "test": 30}  # a class
SIDE = 96  # pixels of a drawing
SEED = 5
_SCALE = 2  # drawn larger and shrunk, for smooth edges

# Strength of the units that make up each expression; those not named rest near 0.
UNITS: dict[str, dict[str, float]] = {
    "happiness": {"cheek": 0.8, "corners": 1.0, "open": 0.35},
    "surprise": {"inner_brow": 0.9, "outer_brow": 0.9, "lids": 0.9, "open": 1.0},
    "sadness": {"inner_brow": 0.9, "lower_brow": 0.2, "corners": -0.8, "lids": -0.3},
    "anger": {"lower_brow": 1.0, "lids": 0.2, "press": 0.9, "corners": -0.25},
    "disgust": {"nose": 1.0, "lower_brow": 0.5, "corners": -0.5, "upper_lip": 0.9, "lids": -0.5},
    "fear": {"inner_brow": 0.8, "outer_brow": 0.3, "lids": 0.9, "stretch": 1.0, "open": 0.4},
}
# fmt: off
NAMES: tuple[str, ...] = (
    "inner_brow", "outer_brow", "lower_brow", "lids", "cheek", "nose",
    "upper_lip", "corners", "stretch", "press", "open",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Look:
    """What differs between persons and photographs, lengths in halves of the picture."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    ground: tuple[int, int, int]
    width: float
    height: float
    eye_distance: float
    angle: float
    shift: tuple[float, float]
    light: float


def draw_demo(folder: Path) -> Path:
    """Write the drawings as `folder`/demo.zip, if absent.

    Returns:
        The zip: {train,test}/CLASS/drawing_NUMBER.png.
    """
    path = folder / f"{DEMO}.zip"
    if path.is_file():
        return path
    dice = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    # Stored, with a fixed date: the same bytes on every machine with the same OpenCV.
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for split, count in COUNTS.items():
            for emotion in EMOTIONS:
                for number in range(count):
                    entry = zipfile.ZipInfo(f"{split}/{emotion}/drawing_{number:04d}.png")
                    archive.writestr(entry, _png(draw_face(emotion, dice)))
    return path


def draw_face(emotion: str, dice: np.random.Generator) -> Image:
    """Draw one face.

    Args:
        emotion: One of the six.
        dice: Source of everything that varies.

    Returns:
        RGB uint8 (96, 96, 3).
    """
    targets = UNITS[emotion]
    units = {
        name: float(targets.get(name, 0.0) * dice.uniform(0.55, 1.1) + dice.normal(0, 0.08))
        for name in NAMES
    }
    look = _random_look(dice)
    canvas = np.empty((SIDE * _SCALE, SIDE * _SCALE, 3), np.uint8)
    canvas[:] = look.ground
    pen = _Pen(canvas, look)
    _draw_head(pen, look)
    _draw_eyes(pen, look, units)
    _draw_nose(pen, units)
    _draw_mouth(pen, units)
    return _photograph(canvas, look, dice)


class _Pen:
    """Draws in face coordinates: x right, y down, the middle 0, half the picture 1."""

    def __init__(self, canvas: Image, look: Look) -> None:
        self._canvas = canvas
        turn = np.deg2rad(look.angle)
        self._turn = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        self._shift = np.array(look.shift)
        self._angle = look.angle
        self._half = canvas.shape[0] / 2

    def _pixels(self, points: list[tuple[float, float]]) -> NDArray[np.int32]:
        moved = np.array(points) @ self._turn.T + self._shift
        return np.asarray(np.rint((moved + 1) * self._half), dtype=np.int32)

    def ellipse(
        self, centre: tuple[float, float], size: tuple[float, float], colour: tuple[int, int, int]
    ) -> None:
        x, y = self._pixels([centre])[0]
        axes = (max(1, round(size[0] * self._half)), max(1, round(size[1] * self._half)))
        spot = (int(x), int(y))
        cv2.ellipse(self._canvas, spot, axes, self._angle, 0, 360, colour, -1, cv2.LINE_AA)

    def line(
        self, points: list[tuple[float, float]], width: float, colour: tuple[int, int, int]
    ) -> None:
        thick = max(1, round(width * self._half))
        curve = self._pixels(_smooth(points))
        cv2.polylines(self._canvas, [curve], False, colour, thick, cv2.LINE_AA)

    def area(self, points: list[tuple[float, float]], colour: tuple[int, int, int]) -> None:
        cv2.fillPoly(self._canvas, [self._pixels(points)], colour, cv2.LINE_AA)


def _smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A parabola through three points; other numbers of points stay."""
    if len(points) != 3:
        return points
    first, middle, last = (np.array(point) for point in points)
    control = 2 * middle - (first + last) / 2
    steps = np.linspace(0, 1, 13)[:, None]
    curve = (1 - steps) ** 2 * first + 2 * steps * (1 - steps) * control + steps**2 * last
    return [(float(x), float(y)) for x, y in curve]


def _random_look(dice: np.random.Generator) -> Look:
    tone = dice.uniform(0.35, 1.0)
    skin = tuple(round(float(value * tone)) for value in (238, 200, 172))
    hair = tuple(round(float(value)) for value in np.array((90, 60, 40)) * dice.uniform(0.2, 1.9))
    ground = tuple(round(float(value)) for value in dice.uniform(20, 235, 3))
    return Look(
        skin=cast("tuple[int, int, int]", skin),
        hair=cast("tuple[int, int, int]", hair),
        ground=cast("tuple[int, int, int]", ground),
        width=float(dice.uniform(0.56, 0.74)),
        height=float(dice.uniform(0.78, 0.92)),
        eye_distance=float(dice.uniform(0.24, 0.33)),
        angle=float(dice.normal(0, 5)),
        shift=(float(dice.normal(0, 0.05)), float(dice.normal(0, 0.05))),
        light=float(dice.uniform(0.75, 1.15)),
    )


def _draw_head(pen: _Pen, look: Look) -> None:
    pen.ellipse((0, -0.16), (look.width * 1.13, look.height * 1.02), look.hair)
    pen.ellipse((0, 0.05), (look.width, look.height * 0.93), look.skin)


def _draw_eyes(pen: _Pen, look: Look, units: dict[str, float]) -> None:
    opening = max(0.015, 0.075 + 0.055 * units["lids"] - 0.045 * units["cheek"])
    for side in (-1, 1):
        x = side * look.eye_distance
        pen.ellipse((x, -0.12), (0.13, opening), (245, 245, 245))
        pen.ellipse((x, -0.12), (0.055, min(0.055, opening)), (40, 30, 30))
        inner = -0.32 - 0.13 * units["inner_brow"] + 0.13 * units["lower_brow"]
        outer = -0.32 - 0.10 * units["outer_brow"] + 0.01 * units["lower_brow"]
        drawn = 0.05 * units["lower_brow"]
        points = [
            (side * (look.eye_distance - 0.14 - drawn), inner),
            (x, (inner + outer) / 2 - 0.03),
            (side * (look.eye_distance + 0.16), outer),
        ]
        pen.line(points, 0.055, look.hair)
        if units["cheek"] > 0.3:
            fold = [(x - 0.11, 0.02), (x, 0.05), (x + 0.11, 0.02)]
            pen.line(fold, 0.018, _darker(look.skin))


def _draw_nose(pen: _Pen, units: dict[str, float]) -> None:
    dark, wrinkle = (95, 60, 50), units["nose"]
    pen.line([(-0.08, 0.17 - 0.03 * wrinkle), (0, 0.21), (0.08, 0.17 - 0.03 * wrinkle)], 0.02, dark)
    if wrinkle > 0.3:
        for height in (-0.07, -0.01, 0.05):
            pen.line([(-0.07, height), (0, height - 0.025), (0.07, height)], 0.016, dark)


def _draw_mouth(pen: _Pen, units: dict[str, float]) -> None:
    half = 0.24 + 0.06 * units["corners"] + 0.10 * units["stretch"] - 0.09 * max(0, units["open"])
    corner = 0.46 - 0.10 * units["corners"] + 0.03 * units["stretch"]
    gap = max(0.0, 0.20 * units["open"]) * (1 - 0.6 * max(0.0, units["stretch"]))
    upper = 0.46 + 0.03 * units["corners"] - 0.09 * max(0.0, units["upper_lip"]) - gap * 0.4
    lower = upper + gap * 1.6 + 0.02
    left, right = (-half, corner), (half, corner)
    top = _smooth([left, (0.0, upper), right])
    bottom = _smooth([left, (0.0, lower), right])
    pen.area([*top, *bottom[::-1]], (75, 20, 25))
    width = max(0.015, 0.04 - 0.022 * units["press"])
    pen.line(top, width, (150, 60, 60))
    pen.line(bottom, width, (150, 60, 60))


def _darker(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    return (colour[0] * 2 // 3, colour[1] * 2 // 3, colour[2] * 2 // 3)


def _photograph(canvas: Image, look: Look, dice: np.random.Generator) -> Image:
    """Shrink, light from one side, and add noise."""
    small = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    slope = np.linspace(-1, 1, SIDE, dtype=np.float32) * np.float32(dice.normal(0, 0.15))
    lit = small * (look.light + slope)[None, :, None]
    noisy = lit + dice.normal(0, dice.uniform(2, 9), small.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _png(picture: Image) -> bytes:
    buffer = BytesIO()
    PIL.Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue()
