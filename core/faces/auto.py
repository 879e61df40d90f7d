"""The default detector: BlazeFace, then HOG where it finds none, whole pictures last."""

from collections.abc import Iterator

import numpy as np

from core.faces import blazeface, dlib_hog
from core.faces.alignment import cut
from core.faces.detection import DETECTORS, checked, distinct, largest_first, shrunk
from core.types import Box, Detection, Image

_WINDOW = 128  # pixels, BlazeFace's own input
_LEVELS = ((256, 256), (512, 900))  # searched at this longer side, where the picture has as much
_OVERLAP = 0.36  # of neighbouring windows; a face larger than that is found one level higher
# Second looks: sides in sides of the candidate's box, and the mean score asked for. Chosen on 46
# pictures without faces (0 false alarms; 20 with 0.5 for all) and 600 tight crops (96 % found).
_VIEWS = (1.4, 3.2)
_SURE_WHOLE = 0.6  # found in the whole picture
_SURE_WINDOW = 0.7  # found in a window
_SAME_BOX = 0.3  # overlap of a candidate with what a second look shows
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


def sweep(image: Image) -> tuple[Detection, ...]:
    """Find faces from about 4 % of the picture's longer side (about 40 pixels) to all of it.

    Raises:
        FaceError: The network's file is not installed.
    """
    small, scale = shrunk(checked(image), _LEVELS[-1][0])
    whole = [*blazeface.look(small), *blazeface.look(small, blazeface.BORDER)]
    windows = [
        found
        for longest, needed in _LEVELS
        if max(image.shape[:2]) >= needed
        for found in _windows(small, longest)
    ]
    sure = [
        *_confirmed(image, [_moved(found, 0, 0, 1 / scale) for found in whole], _SURE_WHOLE),
        *_confirmed(image, [_moved(found, 0, 0, 1 / scale) for found in windows], _SURE_WINDOW),
    ]
    return largest_first(distinct(sure))


def _confirmed(image: Image, candidates: list[Detection], enough: float) -> list[Detection]:
    """Candidates that hold when looked at again, surest first."""
    candidates = sorted(candidates, key=lambda found: -found.score)
    looked = (_look_again(image, found) for found in distinct(candidates))
    sure = [found for found in looked if found is not None and found.score >= enough]
    return sorted(sure, key=lambda found: -found.score)


def _windows(image: Image, longest: int) -> Iterator[Detection]:
    small, scale = shrunk(image, longest)
    height, width = small.shape[:2]
    for top in _starts(height):
        for left in _starts(width):
            window = small[top : top + _WINDOW, left : left + _WINDOW]
            for found in blazeface.look(window):
                yield _moved(found, left, top, 1 / scale)


def _starts(length: int) -> list[int]:
    """Where windows begin so that they cover `length` evenly with at least the overlap."""
    free = length - _WINDOW
    if free <= 0:
        return [0]
    steps = int(np.ceil(free / (_WINDOW * (1 - _OVERLAP))))
    return [round(step * free / steps) for step in range(steps + 1)]


def second_score(image: Image, box: Box) -> float:
    """How surely BlazeFace sees a face at a box that was found by other means, 0 to 1."""
    views = [_seen(image, box, factor) for factor in _VIEWS]
    return sum(view.score for view in views if view is not None) / len(views)


def _look_again(image: Image, candidate: Detection) -> Detection | None:
    """The surest view of a candidate, scored by the mean over all views; None if none shows it.

    Its box is as exact as the picture allows, where the candidate's was found in a small copy.
    """
    views = [_seen(image, candidate.box, factor) for factor in _VIEWS]
    seen = [view for view in views if view is not None]
    if not seen:
        return None
    best = max(seen, key=lambda view: view.score)
    return Detection(best.box, sum(view.score for view in seen) / len(views), blazeface.NAME)


def _seen(image: Image, box: Box, factor: float) -> Detection | None:
    """What BlazeFace makes of the box's surroundings, black beyond the picture's edge."""
    side = max(round(max(box.width, box.height) * factor), 8)
    x, y = box.centre
    left, top = round(x - side / 2), round(y - side / 2)
    around = cut(image, Box(left, top, left + side, top + side), black=True)
    found = (_moved(seen, left, top, 1.0) for seen in blazeface.look(around))
    same = [seen for seen in found if seen.box.overlap(box) > _SAME_BOX]
    return max(same, key=lambda view: view.score, default=None)


def _moved(found: Detection, left: float, top: float, scale: float) -> Detection:
    box = found.box
    edges = (box.left + left, box.top + top, box.right + left, box.bottom + top)
    return Detection(Box(*(round(edge * scale) for edge in edges)), found.score, found.detector)


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
