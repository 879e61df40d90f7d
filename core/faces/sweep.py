"""Find large and small faces by moving BlazeFace over a picture, and look twice at each.

One look of BlazeFace misses faces below a fifth of the picture. Here the picture is also searched
through overlapping windows at finer scales. Windows show walls and fabric at close range, some of
which pass for a face once; a face passes at every scale, so each candidate is looked at again.
"""

from collections.abc import Iterator

import numpy as np

from core.faces import blazeface
from core.faces.cutting import cut
from core.faces.detection import checked, distinct, largest_first, shrunk
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
