"""The default detector: BlazeFace at all scales, then dlib's, then a small picture as a whole."""

from core.faces import blazeface, dlib_hog
from core.faces.detection import DETECTORS, checked
from core.faces.sweep import sweep
from core.types import Box, Detection, Image

NAME = "auto"
WHOLE = "whole"  # the detector's name where no detector found the face
SMALL = 160  # pixels; up to this size a picture without a found face is taken for a tight crop

_ABSENT = (
    "The BlazeFace network is not installed, so dlib's face detector was used; it misses more "
    f"faces. To install the network: {blazeface.INSTALL}"
)
_TAKEN_WHOLE = "No face was found; the picture is small, so it was taken as one face."


@DETECTORS.register(NAME)
def detect(image: Image) -> tuple[Detection, ...]:
    """Find all faces; see `search`, which also says what was done."""
    return search(image)[0]


def search(image: Image) -> tuple[tuple[Detection, ...], tuple[str, ...]]:
    """Find all faces, largest first, and give notes for the user."""
    checked(image)
    notes: tuple[str, ...] = ()
    if blazeface.available():
        found = sweep(image)
    else:
        found, notes = (), (_ABSENT,)
    found = found or dlib_hog.detect(image)
    height, width = image.shape[:2]
    if not found and max(height, width) <= SMALL:
        found, notes = (whole(image),), (*notes, _TAKEN_WHOLE)
    return found, notes


def whole(image: Image) -> Detection:
    """The centre square of the picture, which stands for a face."""
    height, width = image.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    return Detection(Box(left, top, left + side, top + side), 0.0, WHOLE)
