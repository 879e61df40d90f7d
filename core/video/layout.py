"""Where labels and panels go: inside the frame, beside the faces, off each other."""

from collections.abc import Iterable, Sequence

from core.types import Box

_GAP = 4  # pixels between a face and what belongs to it
_LABEL_PART = 4  # of a panel's height makes room for a label between it and the face
_FACE_WEIGHT = 4  # a covered face is so many times worse than a covered label


def beside(
    face: Box, width: int, height: int, frame: Box, faces: Sequence[Box], taken: Sequence[Box]
) -> tuple[Box, int]:
    """The best place for a panel: right, left, below or above its face.

    Args:
        face: The face it belongs to.
        width: Of the panel, at most the frame's.
        height: Of the panel, at most the frame's.
        frame: The whole picture.
        faces: All faces.
        taken: What was placed before.

    Returns:
        The place, wholly inside the frame, and how many pixels it covers, of faces fourfold.
    """
    right, left = face.right + _GAP, face.left - _GAP - width
    middle = round(face.centre[0] - width / 2)
    corners = [(right, face.top), (left, face.top)]
    corners += [(right, face.bottom - height), (left, face.bottom - height)]
    for away in (_GAP, _GAP + height // _LABEL_PART):
        below, above_it = face.bottom + away, face.top - away - height
        corners += [
            (across, down) for down in (below, above_it) for across in (middle, right, left)
        ]
    return _freest(corners, width, height, frame, faces, taken)


def above(
    face: Box, width: int, height: int, frame: Box, faces: Sequence[Box], taken: Sequence[Box]
) -> tuple[Box, int]:
    """The best place for a label: above its face, else below, else inside; see `beside`."""
    corners = [
        (face.left, face.top - height),
        (face.left, face.bottom),
        (face.left, face.top),
        (face.left, face.bottom - height),
    ]
    return _freest(corners, width, height, frame, faces, taken)


def _freest(
    corners: Iterable[tuple[int, int]],
    width: int,
    height: int,
    frame: Box,
    faces: Sequence[Box],
    taken: Sequence[Box],
) -> tuple[Box, int]:
    """Of the places, moved into the frame, the first that covers least."""
    best: tuple[Box, int] | None = None
    for left, top in corners:
        box = _inside(left, top, width, height, frame)
        covered = sum(_shared(box, other) for other in taken)
        covered += _FACE_WEIGHT * sum(_shared(box, other) for other in faces)
        if not covered:
            return box, 0
        if best is None or covered < best[1]:
            best = (box, covered)
    if best is None:
        raise ValueError("there must be at least one corner")
    return best


def _inside(left: int, top: int, width: int, height: int, frame: Box) -> Box:
    left = min(max(left, frame.left), frame.right - width)
    top = min(max(top, frame.top), frame.bottom - height)
    return Box(left, top, left + width, top + height)


def _shared(one: Box, other: Box) -> int:
    if one.left >= other.right or other.left >= one.right:
        return 0
    if one.top >= other.bottom or other.top >= one.bottom:
        return 0
    width = min(one.right, other.right) - max(one.left, other.left)
    return width * (min(one.bottom, other.bottom) - max(one.top, other.top))
