"""The one real face of the tests: a public-domain photo that comes with scikit-image."""

import cv2
import numpy as np
import PIL.Image
import pytest
from skimage import data

from core.types import Box, Image


@pytest.fixture(scope="session")
def photo() -> Image:
    """RGB (512, 512, 3), a smiling face around (225, 125)."""
    return np.asarray(data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def face_box() -> Box:
    """Around brows, cheeks and chin, drawn by hand."""
    return Box(178, 78, 272, 174)


@pytest.fixture(scope="session")
def head(photo: Image) -> Image:
    """RGB (220, 220, 3), the head alone, the face in its middle."""
    return photo[15:235, 115:335]


@pytest.fixture(scope="session")
def pair(head: Image) -> Image:
    """RGB (240, 440, 3), a smaller head at the left, a larger one at the right."""
    canvas = np.full((240, 440, 3), 200, dtype=np.uint8)
    canvas[10:230, 215:435] = head
    canvas[40:220, 10:190] = cv2.resize(head, (180, 180), interpolation=cv2.INTER_AREA)
    return canvas


@pytest.fixture(scope="session")
def crowd(head: Image) -> tuple[Image, tuple[tuple[int, int, int], ...]]:
    """RGB (800, 1100, 3) with four turned heads, and (x, y, side) of each head."""
    canvas = np.full((800, 1100, 3), (90, 120, 110), dtype=np.uint8)
    places = ((250, 250, 420), (700, 200, 260), (900, 560, 180), (480, 640, 130))
    for (x, y, side), degrees in zip(places, (0, 20, -20, 10), strict=True):
        turned = PIL.Image.fromarray(head).rotate(degrees, PIL.Image.Resampling.BICUBIC)
        small = np.asarray(turned.resize((side, side), PIL.Image.Resampling.LANCZOS))
        rows, columns = np.ogrid[:side, :side]
        oval = np.hypot(rows - side / 2, columns - side / 2) < side * 0.47
        window = canvas[y - side // 2 : y - side // 2 + side, x - side // 2 : x - side // 2 + side]
        window[oval] = small[oval]
    return canvas, places
