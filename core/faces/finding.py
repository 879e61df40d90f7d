"""From a picture to its faces: found, framed like the training crops, landmarks fitted."""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from core.faces import auto, blazeface
from core.faces.alignment import aligned_crop, plausible
from core.faces.detection import DETECTORS, checked
from core.faces.landmarks import fit_landmarks
from core.images import FULL_PIXELS
from core.types import WHOLE, Box, Detection, Face, Image

_NONE_FOUND = (
    "No face was found. Where a face fills the picture, take the whole picture as the face."
)

DEPENDABLE = 32  # pixels; a face has half of the network's input then
_DEPENDS = f"answers are dependable from about {DEPENDABLE} pixels."

# Not all crops are framed like `core.faces.alignment.FRAME`: where BlazeFace is this sure of a face
# in another place, the landmarks are fitted there. Of 300 crops a set, its mirror image had its
# landmarks more than 0.1 eye distances away for 71 % (CK+), 19 % (AffectNet), 12 % (FER2013) and
# 1 % (RAF-DB) without it, with it for 0, 6, 16 and 2 %.
_SURE, _LEAST = 0.7, 0.3  # score; sides of the picture
_FRAMED_LIKE = 0.75  # overlap with the box that BlazeFace would give in a crop framed so
_FRAMED_LOWER = 0.05  # sides; where that box is


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """The faces of a picture.

    Attributes:
        image: RGB uint8 (H, W, 3), upright; a turned copy where the picture lay on its side.
        faces: Largest first, in pixels of `image`; empty where there is none.
        notes: Plain sentences a user should see.
        turned: Degrees clockwise by which the picture was turned: 0, 90, 180 or 270.
    """

    image: Image
    faces: tuple[Face, ...]
    notes: tuple[str, ...] = ()
    turned: int = 0


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
        image: RGB uint8 (H, W, 3).
        detector: Registry name in `DETECTORS`; only `auto` turns a picture that lies on its side.
        landmarks: Whether the 68 landmarks are fitted; without them crops are not turned, which
            is less exact than what the networks were trained on.

    Raises:
        ConfigError: There is no detector of this name.
        FaceError: The detector or the landmark model cannot run here.
        ImageError: The array is no RGB picture.
    """
    found = search_faces(image, detector=detector)
    faces = tuple(frame_face(found.image, each, landmarks) for each in found.detections)
    return FoundFaces(found.image, faces, found.notes, found.turned)


def search_faces(image: Image, *, detector: str = auto.NAME, small: bool = True) -> auto.Found:
    """What `find_faces` finds, with its notes, before any face is framed.

    Args:
        image: RGB uint8 (H, W, 3).
        detector: Registry name in `DETECTORS`.
        small: Whether `auto` looks for the smallest faces of large pictures although it found
            larger ones.

    Raises:
        ConfigError: There is no detector of this name.
        FaceError: The detector cannot run here.
        ImageError: The array is no RGB picture.
    """
    if detector == auto.NAME:
        found = auto.search(image, small=small)
    else:
        found = auto.Found(image, DETECTORS[detector](image))
    if not found.detections:
        return replace(found, notes=(*found.notes, _none_found(image, detector)))
    return replace(found, notes=(*found.notes, *_too_small(found.detections)))


def _none_found(image: Image, detector: str) -> str:
    least = auto.least_face(image)
    if detector == auto.NAME and least > auto.LEAST:
        return f"{_NONE_FOUND} Faces under {least} pixels are not seen in a picture of this size."
    return _NONE_FOUND


def _too_small(found: tuple[Detection, ...]) -> tuple[str, ...]:
    """What to say of faces that have fewer pixels than an answer needs."""
    sides = [each.box.width for each in found if each.box.width < DEPENDABLE]
    if not sides or found[0].detector == WHOLE:
        return ()
    if len(sides) == 1:
        return (f"A face is small, {sides[0]} pixels wide; {_DEPENDS}",)
    return (f"{len(sides)} faces are small, {min(sides)} to {max(sides)} pixels wide; {_DEPENDS}",)


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
    points = None
    if landmarks:
        elsewhere = _framed_otherwise(image, box)
        points = believed_landmarks(image, elsewhere) if elsewhere else None
        points = believed_landmarks(image, detection) if points is None else points
    return Face(
        detection,
        image[box.top : box.bottom, box.left : box.right],
        np.array([(1.0, 0.0, -box.left), (0.0, 1.0, -box.top)]),
        points,
    )


def _framed_otherwise(image: Image, square: Box) -> Detection | None:
    """The face of a crop where it lies elsewhere than in the training crops, else None."""
    inside = image[square.top : square.bottom, square.left : square.right]
    seen = blazeface.look(inside, blazeface.BORDER) if blazeface.available() else ()
    if not seen or seen[0].score < _SURE or seen[0].box.width < _LEAST * square.width:
        return None
    lower = round(_FRAMED_LOWER * square.width)
    if seen[0].box.overlap(Box(0, lower, square.width, square.height + lower)) >= _FRAMED_LIKE:
        return None
    box, x, y = seen[0].box, square.left, square.top
    return replace(seen[0], box=Box(box.left + x, box.top + y, box.right + x, box.bottom + y))


def believed_landmarks(image: Image, detection: Detection) -> NDArray[np.float32] | None:
    """Landmarks of a found face, unless what was fitted is none.

    Args:
        image: RGB uint8 (H, W, 3).
        detection: Where the face is.

    Returns:
        float32 (68, 2) as `fit_landmarks` gives them, or None.

    Raises:
        FaceError: The landmark model cannot run here.
    """
    points = fit_landmarks(image, detection)
    return points if plausible(points, detection.box) else None


def fitted_landmarks(images: Image) -> NDArray[np.float64]:
    """Landmarks of grey squares that each hold one face.

    Args:
        images: uint8 (N, S, S).

    Returns:
        float64 (N, 68, 2) in shares of the side; NaN where what was fitted is no face.

    Raises:
        FaceError: The landmark model cannot run here.
    """
    found = np.full((len(images), 68, 2), np.nan)
    side = images.shape[1]
    for row, image in enumerate(images):
        face = whole_picture(np.repeat(image[:, :, None], 3, axis=2))
        if face.landmarks is not None:
            found[row] = (face.landmarks.astype(np.float64) + 0.5) / side
    return found


def frame_face(image: Image, detection: Detection, landmarks: bool = True) -> Face:
    """One found face, framed as `find_faces` does it."""
    if detection.detector == WHOLE:
        return replace(whole_picture(image, landmarks=landmarks), detection=detection)
    points = believed_landmarks(image, detection) if landmarks else None
    crop, matrix = aligned_crop(image, detection if points is None else points)
    return Face(detection, crop, matrix, points)


def halved_note(image: Image, file: Path | BytesIO) -> str:
    """That a picture was halved as it was read, for boxes are in its pixels; "" where it was not.

    Args:
        image: As `core.images` decoded it, (H, W, 3); of fewer than some millions of pixels none
            was halved, and no file is looked into.
        file: What it was decoded from.
    """
    height, width = image.shape[:2]
    if 4 * (height + 1) * (width + 1) <= FULL_PIXELS:
        return ""
    with PIL.Image.open(file) as opened:
        sides = opened.size
    if sorted(sides) == sorted((height, width)):
        return ""
    return (
        f"The picture has {sides[0]:,} x {sides[1]:,} pixels as stored; it was read in "
        f"{width:,} x {height:,}, and boxes and landmarks are in these."
    )
