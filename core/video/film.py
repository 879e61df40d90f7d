"""A face on film without filming anybody: a still photo that wanders about before the camera."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from core.images import read_image
from core.types import Image

RATE = 25  # frames a second
_FACE = (slice(0, 230), slice(84, 364))  # rows and columns of the photo about the face's middle
_GREY = 110  # of the background
_FILL = 0.27  # of the frame's height, the height of a single face
_CORNERS = [(0.25, 0.27), (0.75, 0.27), (0.25, 0.77), (0.75, 0.77)]  # shares of width and height
_CROWDED = 0.6  # of that size where there are several


def sample_film(
    frames: int, width: int = 640, height: int = 480, *, faces: int = 1
) -> Iterator[Image]:
    """The astronaut of scikit-image (NASA, public domain), moved as if filmed by hand.

    Args:
        frames: At RATE a second; the motion does not end.
        width: Pixels.
        height: Pixels.
        faces: How many copies of the face, 1 to 4.

    Yields:
        RGB uint8 (height, width, 3).
    """
    from skimage.data import data_dir

    photo = read_image(Path(data_dir) / "astronaut.png")[_FACE]
    places = [(0.5, 0.5)] if faces == 1 else _CORNERS
    size = height * _FILL / 108 * (1 if faces == 1 else _CROWDED)  # the face is 108 pixels high
    for number in range(frames):
        canvas = np.full((height, width, 3), _GREY, np.uint8)
        for index, (across, down) in enumerate(places[:faces]):
            turn = number / RATE + index
            reach = 0.16 * width / (1 if faces == 1 else 3)
            centre = (
                across * width + reach * np.sin(turn),
                down * height + 0.04 * height * np.sin(2 * turn) / faces,
            )
            scale = size * (1 + 0.15 * np.sin(0.7 * turn) / faces)
            canvas = _pasted(canvas, photo, centre, scale, 8 * np.sin(1.3 * turn))
        yield canvas


def _pasted(
    canvas: Image, photo: Image, centre: tuple[float, float], scale: float, angle: float
) -> Image:
    """The photo laid over the canvas, its middle at `centre`, turned by degrees."""
    middle = (photo.shape[1] / 2, photo.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, angle, scale)
    matrix[:, 2] += np.subtract(centre, middle)
    size = (canvas.shape[1], canvas.shape[0])
    pasted = cv2.warpAffine(photo, matrix, size, dst=canvas, borderMode=cv2.BORDER_TRANSPARENT)
    return np.asarray(pasted, np.uint8)
