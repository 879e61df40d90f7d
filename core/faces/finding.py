"""From a picture to its faces: found, framed like the training crops, landmarks fitted."""

from dataclasses import dataclass

import numpy as np

from core.faces import auto
from core.faces.alignment import aligned_crop, plausible
from core.faces.detection import DETECTORS, checked
from core.faces.landmarks import fit_landmarks
from core.types import Detection, Face, Image

_NONE_FOUND = (
    "No face was found. Try another face detector or, where a face fills the picture, "
    "take the whole picture as the face."
)


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """The faces of a picture.

    Attributes:
        faces: Largest first; empty where there is none.
        notes: Plain sentences a user should see.
    """

    faces: tuple[Face, ...]
    notes: tuple[str, ...] = ()


def detect(image: Image, detector: str = auto.NAME) -> tuple[Detection, ...]:
    """Find faces by the named detector, largest first; () where there is none.

    Raises:
        ConfigError: There is no detector of this name.
        FaceError: The detector cannot run here.
        ImageError: The array is no RGB picture.
    """
    return DETECTORS[detector](image)


def find_faces(image: Image, *, detector: str = auto.NAME, landmarks: bool = True) -> FoundFaces:
    """Find and frame every face of a picture.

    Args:
        image: RGB uint8 (H, W, 3), upright.
        detector: Registry name in `DETECTORS`.
        landmarks: Whether the 68 landmarks are fitted; without them crops are not turned, which
            is less exact than what the networks were trained on.

    Raises:
        ConfigError: There is no detector of this name.
        FaceError: The detector or the landmark model cannot run here.
        ImageError: The array is no RGB picture.
    """
    if detector == auto.NAME:
        found, notes = auto.search(image)
    else:
        found, notes = DETECTORS[detector](image), ()
    if not found:
        return FoundFaces((), (*notes, _NONE_FOUND))
    return FoundFaces(tuple(_face(image, each, landmarks) for each in found), notes)


def whole_picture(image: Image, *, landmarks: bool = True) -> Face:
    """The picture's centre square as a face, neither scaled nor turned.

    Its crop gives a network the same input as the picture itself does.

    Args:
        image: RGB uint8 (H, W, 3).
        landmarks: Whether the 68 landmarks are fitted.

    Raises:
        FaceError: The landmark model cannot run here.
        ImageError: The array is no RGB picture.
    """
    detection = auto.whole(checked(image))
    box = detection.box
    return Face(
        detection,
        image[box.top : box.bottom, box.left : box.right],
        np.array([(1.0, 0.0, -box.left), (0.0, 1.0, -box.top)]),
        fit_landmarks(image, detection) if landmarks else None,
    )


def _face(image: Image, detection: Detection, landmarks: bool) -> Face:
    if detection.detector == auto.WHOLE:
        return whole_picture(image, landmarks=landmarks)
    points = fit_landmarks(image, detection) if landmarks else None
    astray = points is None or not plausible(points, detection.box)
    crop, matrix = aligned_crop(image, detection if points is None or astray else points)
    return Face(detection, crop, matrix, points)
