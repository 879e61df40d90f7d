"""Where labels and panels go: inside the frame, beside the faces, off each other."""

from collections.abc import Iterable, Sequence

from core.types import Box

_GAP = 4  # pixels between a face and what belongs to it


def beside(face: Box, width: int, height: int, frame: Box, taken: Sequence[Box]) -> tuple[Box, int]:
    """The best place for a panel: right, left, below or above its face.

    Args:
        face: The face it belongs to.
        width: Of the panel, at most the frame's.
        height: Of the panel, at most the frame's.
        frame: The whole picture.
        taken: Faces and what was placed before.

    Returns:
        The place, wholly inside the frame, and how many pixels of `taken` it covers.
    """
    middle = round(face.centre[0] - width / 2)
    corners = [
        (face.right + _GAP, face.top),
        (face.left - _GAP - width, face.top),
        (face.right + _GAP, face.bottom - height),
        (face.left - _GAP - width, face.bottom - height),
        (middle, face.bottom + _GAP),
        (middle, face.top - _GAP - height),
    ]
    return _freest(corners, width, height, frame, taken)


def above(face: Box, width: int, height: int, frame: Box, taken: Sequence[Box]) -> tuple[Box, int]:
    """The best place for a label: above its face, else below, else inside; see `beside`."""
    corners = [
        (face.left, face.top - height),
        (face.left, face.bottom),
        (face.left, face.top),
        (face.left, face.bottom - height),
    ]
    return _freest(corners, width, height, frame, taken)


def _freest(
    corners: Iterable[tuple[int, int]], width: int, height: int, frame: Box, taken: Sequence[Box]
) -> tuple[Box, int]:
    """Of the places moved into the frame, the first that covers least and moves not."""
    best: tuple[Box, int] | None = None
    for left, top in corners:
        box = _inside(left, top, width, height, frame)
        covered = sum(_shared(box, other) for other in taken)
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
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(width, 0) * max(height, 0)
