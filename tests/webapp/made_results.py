"""Results put together by hand, so that what is drawn of them is known."""

import numpy as np

from core import Box, Detection, Explanation, Face, FaceResult, ImageResult, Prediction
from core.types import Image

LABELS = ("happiness", "surprise", "sadness")


def grey(height: int, width: int, shade: int = 128) -> Image:
    return np.full((height, width, 3), shade, dtype=np.uint8)


def face_result(
    box: Box,
    *,
    strength: float = 1.0,
    landmarks: bool = False,
    threshold: float = 0.0,
) -> FaceResult:
    """A face at `box`, answered with surprise; its map has one value, `strength`, in all cells.

    The maps of the other classes are blank. The crop is the box, grey, neither scaled nor turned.
    """
    points = None
    if landmarks:
        points = np.full((68, 2), (box.left + 5, box.top + 5), dtype=np.float32)
    face = Face(
        detection=Detection(box, 1.0, "made"),
        crop=grey(box.height, box.width),
        matrix=np.array([[1.0, 0.0, -box.left], [0.0, 1.0, -box.top]]),
        landmarks=points,
    )
    shares = np.array([0.25, 0.625, 0.125])
    maps = np.zeros((3, 4, 4), dtype=np.float32)
    maps[1] = strength
    return FaceResult(
        face,
        Prediction(LABELS, shares, np.log(shares), threshold),
        Explanation("grad_cam", "made", LABELS, maps),
    )


def image_result(*faces: FaceResult, size: tuple[int, int] = (100, 200)) -> ImageResult:
    """A grey picture of (height, width) with these faces."""
    return ImageResult(grey(*size), faces)
