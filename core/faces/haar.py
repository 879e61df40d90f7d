"""The paper's detector: a boosted cascade of Haar-like features.

Source: P. Viola and M. Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features",
CVPR 2001; the cascade file is part of OpenCV 4.
"""

from pathlib import Path
from typing import Any

import cv2

from core.errors import FaceError
from core.faces.detection import DETECTORS, Pool, checked, largest_first, shrunk
from core.types import Box, Detection, Image

NAME = "haar"

_LONGEST = 800  # pixels; the cost grows with the area
_SCALE_STEP = 1.1
_NEIGHBOURS = 5  # of the hits around a face; fewer find more faces and more walls
_SMALLEST = 30  # pixels; the cascade's own window has 24


def _build() -> Any:  # noqa: ANN401 - OpenCV publishes no types
    path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise FaceError(
            f"OpenCV {cv2.__version__} has no cascade file {path}. "
            "Install opencv-python-headless as requirements.txt has it, or choose another face "
            "detector."
        )
    return cascade


_cascades: Pool[Any] = Pool(_build)


@DETECTORS.register(NAME)
def detect(image: Image) -> tuple[Detection, ...]:
    """Find upright frontal faces; the score is the last stage's sum, above 0."""
    small, scale = shrunk(checked(image), _LONGEST)
    grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
    with _cascades.borrow() as cascade:
        boxes, _, weights = cascade.detectMultiScale3(
            grey,
            scaleFactor=_SCALE_STEP,
            minNeighbors=_NEIGHBOURS,
            minSize=(_SMALLEST, _SMALLEST),
            outputRejectLevels=True,
        )
    found = []
    for (left, top, width, height), weight in zip(boxes, weights, strict=True):
        edges = (left, top, left + width, top + height)
        box = Box(*(round(float(edge) / scale) for edge in edges))
        found.append(Detection(box, float(weight), NAME))
    return largest_first(found)
