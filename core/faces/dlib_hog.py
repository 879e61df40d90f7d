"""dlib's frontal face detector: a sliding window over oriented gradients, no file needed.

Source: N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005;
D. King, "Max-Margin Object Detection", 2015, https://arxiv.org/abs/1502.00046.
"""

from typing import Any

import cv2

from core.faces.detection import DETECTORS, Pool, checked, largest_first, shrunk
from core.types import Box, Detection, Image

NAME = "dlib_hog"

_LONGEST = 1000  # pixels; the cost grows with the area, and the window has 80 x 80
_SMALL, _TINY = 400, 200  # longer sides up to which a picture is doubled once, twice
_LEAST = 73  # pixels of its smallest box


def _build() -> Any:  # noqa: ANN401 - dlib publishes no types
    import dlib  # on first use: importing this package stays cheap

    return dlib.get_frontal_face_detector()


_detectors: Pool[Any] = Pool(_build)


@DETECTORS.register(NAME)
def detect(image: Image) -> tuple[Detection, ...]:
    """Find upright frontal faces of at least 80 pixels (20 in a tiny picture).

    The score is the distance from the decision boundary, above 0.
    """
    small, scale = shrunk(checked(image), _LONGEST)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    with _detectors.borrow() as detector:
        found, scores, _ = detector.run(grey, _doublings(image), 0.0)
    return largest_first(
        Detection(_to_box(rectangle, scale), float(score), NAME)
        for rectangle, score in zip(found, scores, strict=True)
    )


def least_box(image: Image) -> float:
    """The width in pixels of the smallest box that it can give in a picture."""
    return float(_LEAST / 2 ** _doublings(image) * max(max(image.shape[:2]) / _LONGEST, 1.0))


def _doublings(image: Image) -> int:
    return sum(max(image.shape[:2]) <= side for side in (_SMALL, _TINY))


def _to_box(rectangle: Any, scale: float) -> Box:  # noqa: ANN401 - a dlib.rectangle
    """Our box: dlib counts the last row and column in."""
    edges = (rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1)
    return Box(*(round(edge / scale) for edge in edges))
