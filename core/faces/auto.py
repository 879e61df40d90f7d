"""The default detector: BlazeFace, HOG where that saw too little, whole pictures last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.faces import blazeface, dlib_hog
from core.faces.alignment import cut
from core.faces.detection import DETECTORS, checked, distinct, largest_first, shrunk
from core.types import WHOLE, Box, Detection, Image

_WINDOW = 128  # pixels, BlazeFace's own input
_LEVELS = ((256, 256), (512, 900))  # searched at this longer side, where the picture has as much
_OVERLAP = 46  # pixels that windows share; a face larger than that is found one level higher
# Second looks: sides in sides of the candidate's box, whether mirrored, and the mean score asked
# for. Chosen on 46 pictures without faces (0 false alarms; 20 with 0.5 for all) and 600 tight crops
# (96 % found).
_VIEWS = ((1.4, False), (3.2, False))
_SURE_WHOLE = 0.6  # found in the whole picture
_SURE_WINDOW = 0.7  # found in a window
_DECISIVE = 0.85  # of all found in the whole picture, where a border around it changes nothing
_SAME_BOX = 0.3  # overlap of a candidate with what a second look shows
# Small faces, searched tile by tile in copies of the picture, each half as large as the one before.
_ENLARGED, _AT_MOST = 1.5, 1500  # times its longer side, pixels: small pictures are enlarged
_MOST, _COARSE = 2600, 600  # pixels of the longer side of the largest and, above, the smallest copy
_LIKELY = 0.6  # score from which a place is looked at again
_WORTH_SIX = 0.6  # of a second look, to be looked at six times
_SIX = tuple((factor, mirror) for factor in (1.4, 2.0, 3.2) for mirror in (False, True))
_SURE_SMALL = 0.76
LEAST = 24  # pixels; smaller faces are not seen in any picture
# Pictures on their side.
_TURNS = (90, 180, 270)
_SURE_TURNED = 0.75  # where nothing is found upright
_SURE_UPRIGHT = 0.88  # from here on other turns are not tried
_CLEARER = 0.1  # by which a turned face must be surer than the same one upright
NAME = "auto"
SMALL = 224  # pixels; up to this size a squarish picture can be a crop, as data sets have them
_SQUARE = 1.25  # longer by shorter side up to which a picture is squarish
_FILLS = 0.8  # of the picture's side: a face that wide needs no cutting out
_CROWDED = 320  # pixels; a longer picture may hold faces that BlazeFace missed beside found ones
# Where it missed one that dlib finds, first looks had seen something, if faintly: 0.31 or more at
# 23 such faces in 766 pictures, for a box that may be smaller than dlib's.
_FAINT = 0.3
_AS_LARGE = 0.75
# In those plates and in seven turned copies of a photo dlib gives 28 boxes on faces, to which
# BlazeFace's second looks give 0.36 or more, and 5 on clothes: 0.25 or less. Their own scores, 0.22
# and more against 0.36 and less, do not tell them apart.
_SEEN_TOO = 0.32
_SEEN_FAINTLY = 0.28  # a little less, for a box that is not dlib's, from which dlib is asked
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
    return _swept(image)[0]


def _swept(image: Image) -> tuple[tuple[Detection, ...], list[Detection]]:
    """The faces, and all that a first look saw, faint as it may be."""
    small, scale = shrunk(checked(image), _LEVELS[-1][0])
    first = blazeface.look(small, least=_FAINT)
    clear = (found.score for found in first if found.score >= blazeface.MIN_SCORE)
    if min(clear, default=0.0) < _DECISIVE:
        first += blazeface.look(small, blazeface.BORDER, _FAINT)
    whole = [_moved(found, 0, 0, 1 / scale) for found in first]
    windows = [
        _moved(found, 0, 0, 1 / scale)
        for longest, needed in _LEVELS
        if max(image.shape[:2]) >= needed
        for found in _windows(small, longest)
    ]
    sure = _confirmed(image, whole, _SURE_WHOLE)
    sure += _confirmed(image, windows, _SURE_WINDOW, sure)
    return largest_first(distinct(sure)), [*whole, *windows]


def _confirmed(
    image: Image, seen: list[Detection], enough: float, known: Sequence[Detection] = ()
) -> list[Detection]:
    """Of what was seen beside known faces, those that hold when looked at again, surest first."""
    clear = (found for found in seen if found.score >= blazeface.MIN_SCORE)
    candidates = sorted(clear, key=lambda found: -found.score)
    new = [found for found in distinct((*known, *candidates)) if found not in known]
    looked = (_look_again(image, found, enough) for found in new)
    return sorted((found for found in looked if found is not None), key=lambda found: -found.score)


def _windows(image: Image, longest: int) -> Iterator[Detection]:
    small, scale = shrunk(image, longest)
    height, width = small.shape[:2]
    for top in blazeface.tile_starts(height, _WINDOW, _OVERLAP):
        for left in blazeface.tile_starts(width, _WINDOW, _OVERLAP):
            window = small[top : top + _WINDOW, left : left + _WINDOW]
            for found in blazeface.look(window, least=_FAINT):
                yield _moved(found, left, top, 1 / scale)


def second_score(image: Image, box: Box) -> float:
    """How surely BlazeFace sees a face at a box that was found by other means, 0 to 1."""
    return sum(view.score for view in _views(image, box, _VIEWS)) / len(_VIEWS)


def _views(
    image: Image, box: Box, kinds: Sequence[tuple[float, bool]], enough: float = 0.0
) -> list[Detection]:
    """The views that show a face; none once the mean over all cannot be enough any more."""
    seen: list[Detection] = []
    for to_come, (factor, mirror) in zip(reversed(range(len(kinds))), kinds, strict=True):
        view = _seen(image, box, factor, mirror)
        seen += [view] if view else []
        if (sum(each.score for each in seen) + to_come) / len(kinds) < enough:
            return []
    return seen


def _look_again(image: Image, candidate: Detection, enough: float) -> Detection | None:
    """The surest view of a candidate, scored by the mean over all views; None under `enough`.

    Its box is as exact as the picture allows, where the candidate's was found in a small copy.
    """
    seen = _views(image, candidate.box, _VIEWS, enough)
    if not seen:
        return None
    best = max(seen, key=lambda view: view.score)
    return Detection(best.box, sum(view.score for view in seen) / len(_VIEWS), blazeface.NAME)


def _seen(image: Image, box: Box, factor: float, mirror: bool = False) -> Detection | None:
    """What BlazeFace makes of the box's surroundings, black beyond the picture's edge.

    In the mirror, the box is that of the mirrored face.
    """
    side = max(round(max(box.width, box.height) * factor), 8)
    x, y = box.centre
    left, top = round(x - side / 2), round(y - side / 2)
    around = cut(image, Box(left, top, left + side, top + side), black=True)
    if mirror:
        around, box = (
            around[:, ::-1],
            Box(2 * left + side - box.right, box.top, 2 * left + side - box.left, box.bottom),
        )
    found = (_moved(seen, left, top, 1.0) for seen in blazeface.look(around))
    same = [seen for seen in found if seen.box.overlap(box) > _SAME_BOX]
    return max(same, key=lambda view: view.score, default=None)


def _moved(found: Detection, left: float, top: float, scale: float) -> Detection:
    box = found.box
    edges = (box.left + left, box.top + top, box.right + left, box.bottom + top)
    return Detection(Box(*(round(edge * scale) for edge in edges)), found.score, found.detector)


@DETECTORS.register(NAME)
def detect(image: Image) -> tuple[Detection, ...]:
    """Find all faces but the smallest of large pictures, upright; `search` finds these, too."""
    found = _upright(checked(image))
    return found or ((whole(image),) if may_be_crop(image) else ())


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave.

    Attributes:
        image: RGB uint8 (H, W, 3), the picture searched, or its turned copy.
        detections: Largest first, in pixels of `image`.
        notes: Plain sentences a user should see.
        turned: Degrees clockwise by which `image` was turned: 0, 90, 180 or 270.
    """

    image: Image
    detections: tuple[Detection, ...]
    notes: tuple[str, ...] = ()
    turned: int = 0


def search(image: Image, *, small: bool = True) -> Found:
    """Find all faces, on their side as well, and give notes for the user.

    Args:
        image: RGB uint8 (H, W, 3).
        small: Whether the smallest faces of large pictures are looked for, too, which takes some
            seconds for a photo of 12 megapixels; they are in any case where no other is found.
    """
    notes: tuple[str, ...] = () if blazeface.available() else (_ABSENT,)
    if may_be_crop(checked(image)):
        found = _as_crop(image)
        if found[0].detector == WHOLE:
            return Found(image, found, notes if found[0].is_seen else (*notes, _TAKEN_WHOLE))
    else:
        found = _upright(image)
        if (small or not found) and not notes:
            found = with_small_faces(image, found)
    if notes:
        return Found(image, found, notes)
    turned = turn_needed(image, found)
    if turned:
        upright = turned_by(image, turned)
        again = _upright(upright)
        if again:
            again = with_small_faces(upright, again) if small else again
            return Found(upright, again, (_turn_note(turned),), turned)
    return Found(image, found)


def may_be_crop(image: Image) -> bool:
    """Whether a picture is as small and square as the cut-out faces of data sets."""
    longer, shorter = max(image.shape[:2]), min(image.shape[:2])
    return bool(longer <= SMALL and longer <= _SQUARE * shorter)


def _as_crop(image: Image) -> tuple[Detection, ...]:
    """The faces of a picture that may be a crop; the whole picture where one fills it, or none is.

    A face that fills the picture is known at one look, and framed as the data sets have it.
    """
    side = min(image.shape[:2])
    if blazeface.available():
        first = blazeface.look(image, blazeface.BORDER)
        if first and first[0].box.width >= _FILLS * side:
            return (replace(whole(image), score=first[0].score),)
    return _upright(image) or (whole(image),)


def _upright(image: Image) -> tuple[Detection, ...]:
    """All faces but the smallest of large pictures."""
    if not blazeface.available():
        return dlib_hog.detect(image)
    found, seen = _swept(image)
    if found and (max(image.shape[:2]) <= _CROWDED or not _doubtful(image, found, seen)):
        return found
    return _with_dlib(image, found)


def _doubtful(image: Image, found: tuple[Detection, ...], seen: list[Detection]) -> bool:
    """Whether second looks show enough where a first one saw something, beside the faces found.

    Only what is large enough for dlib counts, which is asked then.
    """
    least = _AS_LARGE * dlib_hog.least_box(image)
    large = (each for each in seen if each.box.width >= least)
    others = distinct((*found, *sorted(large, key=lambda each: -each.score)))
    boxes = (each.box for each in others if each not in found)
    return any(_views(image, box, _VIEWS, _SEEN_FAINTLY) for box in boxes)


def _with_dlib(image: Image, found: tuple[Detection, ...]) -> tuple[Detection, ...]:
    others = [each for each in distinct((*found, *dlib_hog.detect(image))) if each not in found]
    seen = (each for each in others if second_score(image, each.box) >= _SEEN_TOO)
    together = largest_first((*found, *seen))
    return together or tuple(each for each in others if each.score >= _CLEAR)


def with_small_faces(image: Image, known: tuple[Detection, ...]) -> tuple[Detection, ...]:
    """Known faces and those down to 24 pixels, or 1/108 of a larger picture; largest first."""
    longest = max(image.shape[:2])
    side = min(_ENLARGED * longest, max(longest, _AT_MOST), _MOST)
    candidates: list[Detection] = []
    while side > _COARSE:
        scale = side / longest
        size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        copy = np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
        likely = (found for found in blazeface.scan(copy) if found.score >= _LIKELY)
        candidates += [_moved(found, 0, 0, 1 / scale) for found in likely]
        side /= 2
    candidates.sort(key=lambda found: -found.score)
    new = [found for found in distinct((*known, *candidates)) if found not in known]
    sure = (_small_face(image, found) for found in new)
    kept = sorted((found for found in sure if found is not None), key=lambda found: -found.score)
    return largest_first(distinct((*known, *kept)))


def least_face(image: Image) -> int:
    """The width in pixels from which on faces of a picture of this size are seen."""
    return max(LEAST, round(LEAST * int(max(image.shape[:2])) / _MOST))


def _small_face(image: Image, candidate: Detection) -> Detection | None:
    """The candidate where it holds in six views, else None."""
    found = _look_again(image, candidate, _WORTH_SIX)
    views = _views(image, found.box, _SIX, _SURE_SMALL) if found else []
    score = sum(view.score for view in views) / len(_SIX)
    return replace(found, score=score) if found and views else None


def turned_by(image: Image, degrees: int) -> Image:
    """A picture turned clockwise by 0, 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(image, -degrees // 90))


def turn_needed(image: Image, found: tuple[Detection, ...]) -> int:
    """Degrees clockwise after which the faces of a picture stand upright; 0 where they do.

    BlazeFace sees most faces that lie on their side, but less surely than upright ones.

    Args:
        image: RGB uint8 (H, W, 3).
        found: Its faces; where there is none, they are looked for in the turned pictures.
    """
    if not found:
        scores = {turn: _best(sweep(turned_by(image, turn))) for turn in _TURNS}
        best = max(scores, key=scores.__getitem__)
        return best if scores[best] >= _SURE_TURNED else 0
    largest = found[0]
    if largest.detector != blazeface.NAME or largest.score >= _SURE_UPRIGHT:
        return 0
    side = max(largest.box.width, largest.box.height)
    half = 2 * side
    x, y = (round(value) for value in largest.box.centre)
    around = cut(image, Box(x - half, y - half, x + half, y + half), black=True)
    low, high = half - side // 2, half + side - side // 2
    middle = Box(low, low, high, high)
    scores = {turn: second_score(turned_by(around, turn), middle) for turn in (0, *_TURNS)}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= scores[0] + _CLEARER else 0


def _best(found: tuple[Detection, ...]) -> float:
    return max((each.score for each in found), default=0.0)


def _turn_note(turned: int) -> str:
    how = "upside down" if turned == 180 else "on its side"
    return (
        f"The picture lies {how}: it was turned by {turned} degrees clockwise. Boxes are those of "
        "the turned picture."
    )


def whole(image: Image) -> Detection:
    """The centre square of the picture, which stands for a face."""
    height, width = image.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    return Detection(Box(left, top, left + side, top + side), 0.0, WHOLE)
