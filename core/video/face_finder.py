"""The face finder of this project, as the pipeline wants it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.faces import aligned_crop, detect, fit_landmarks
from core.types import Detection, Image
from core.video.protocols import Points


class CoreFaceFinder:
    """Runs `core.faces` on frames; safe to share between threads."""

    def detect(self, image: Image, detector: str) -> Sequence[Detection]:
        """Faces of a picture, largest first; none where a tiny picture would be taken whole."""
        return [found for found in detect(image, detector) if found.detector != "whole"]

    def landmarks(self, image: Image, detection: Detection) -> Points:
        """68 landmarks float32 (68, 2)."""
        return fit_landmarks(image, detection)

    def crop(self, image: Image, landmarks: Points) -> tuple[Image, NDArray[np.float64]]:
        """The face framed like the training crops."""
        return aligned_crop(image, landmarks)
