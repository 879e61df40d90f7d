"""Follows faces from frame to frame by their landmarks, and gives each an id."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, Detection, Image
from core.video.protocols import FaceFinder, Points

# A square of this side about this centre makes the landmark model find the same points again:
# measured on the boxes of dlib's own detector, in mean distances of the points from their centre.
_SIDE, _RISE = 2.65, 0.07
_FITTING = "dlib_hog"  # whose boxes such squares are like

_ASIDE, _FOREHEAD = 0.04, 0.22  # added to the landmarks' extent on the sides and on top

_SAME = 0.3  # overlap from which a detection and a followed face are one
_NEAR = 0.4  # or centres closer than this, in sides
_TWICE = 0.5  # overlap of two followed faces from which they are one
_JUMP = 0.4  # sides a face may move beyond what its speed foretold
_GROWTH = 1.35  # times its size from one frame to the next
_INSIDE = 0.5  # share of the square that must lie inside the frame
_LIKENESS = 0.35  # correlation of a face's picture with that of the frame before
_PATCH = 24  # pixels, side of that picture
_MISSES = 3  # searches without the face before it is given up; 1 for a face found only once
_MEMORY = 2.0  # seconds a lost face keeps its id
_RETURN = 1.5  # sides from where it was lost within which a face is taken for the same
_RESIZE = 1.8  # times its size, ditto


Placed = TypeVar("Placed", "Track", Detection)


@dataclass(slots=True, eq=False)
class Track:
    """A face being followed."""

    id: int
    landmarks: Points
    patch: NDArray[np.float32]
    detector: str
    velocity: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    confirmed: int = 1
    misses: int = 0
    detected: bool = True
    lost_at: float | None = None

    @property
    def box(self) -> Box:
        return face_square(self.landmarks)


class Tracker:
    """Keeps the faces of a stream apart.

    A followed face's landmarks are fitted into the square that its last ones foretell, which is
    steadier than a detector's box and needs no detector. A detector confirms them now and then,
    finds newcomers, and takes over where following fails.

    Args:
        finder: Fits landmarks.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._next_id = 1
        self._lost: list[Track] = []
        self.tracks: list[Track] = []

    def follow(self, image: Image, now: float) -> bool:
        """Move every face on to this frame; whether all could be followed."""
        self._lost = [track for track in self._lost if now - (track.lost_at or 0.0) <= _MEMORY]
        kept = []
        for track in self.tracks:
            track.detected = False
            if self._move(track, image):
                kept.append(track)
            else:
                self._lose(track, now)
        complete = len(kept) == len(self.tracks)
        self.tracks = self._distinct(kept)
        return complete

    def meet(self, image: Image, detections: Sequence[Detection], now: float, *, most: int) -> None:
        """Compare with what a detector found: confirm, give up, bring back, welcome.

        Args:
            image: The frame, to which `follow` has been applied.
            detections: Everything the detector found, largest first.
            now: Seconds, as given to `follow`.
            most: Faces to keep at most, the largest.
        """
        open_detections = list(detections)
        for track in self.tracks:
            found = _best(track.box, open_detections)
            if found is None:
                track.misses += 1
                continue
            open_detections.remove(found)
            track.misses, track.confirmed, track.detected = 0, track.confirmed + 1, True
            if track.box.overlap(found.box) < _SAME:
                self._refit(track, image, found)
        for track in [track for track in self.tracks if _given_up(track)]:
            self.tracks.remove(track)
            self._lose(track, now)
        for found in open_detections:
            if _best(found.box, self.tracks) is None:
                self._welcome(image, found)
        self.tracks = sorted(self._distinct(self.tracks), key=lambda track: -track.box.area)[:most]

    def _move(self, track: Track, image: Image) -> bool:
        """Fit the landmarks at the foretold place; False where they cannot be believed."""
        before = track.landmarks
        aim = face_square(before + track.velocity)
        if _share_inside(aim, image) < _INSIDE:
            return False
        points = self._finder.landmarks(image, Detection(aim, 1.0, _FITTING))
        square = face_square(points)
        growth = square.width / max(face_square(before).width, 1)
        jump = float(np.hypot(*np.subtract(square.centre, aim.centre))) / aim.width
        if jump > _JUMP or not 1 / _GROWTH < growth < _GROWTH:
            return False
        patch = _patch(image, square)
        if float((patch * track.patch).mean()) < _LIKENESS:
            return False
        track.velocity = (points - before).mean(axis=0)
        track.landmarks, track.patch = points, patch
        return True

    def _refit(self, track: Track, image: Image, found: Detection) -> None:
        track.landmarks = self._finder.landmarks(image, found)
        track.detector = found.detector
        track.patch = _patch(image, track.box)
        track.velocity = np.zeros(2, np.float32)

    def _lose(self, track: Track, now: float) -> None:
        track.lost_at = now
        self._lost.append(track)

    def _welcome(self, image: Image, found: Detection) -> None:
        """Follow a face that was not followed: one lost shortly before, or a new one."""
        track = _returning(found.box, self._lost)
        if track is None:
            points = self._finder.landmarks(image, found)
            patch = _patch(image, face_square(points))
            track = Track(self._next_id, points, patch, found.detector)
            self._next_id += 1
        else:
            self._lost.remove(track)
            self._refit(track, image, found)
            track.misses, track.detected, track.lost_at = 0, True, None
        self.tracks.append(track)

    def _distinct(self, tracks: Sequence[Track]) -> list[Track]:
        """Of two that ended on the same face, the older."""
        kept: list[Track] = []
        for track in sorted(tracks, key=lambda one: one.id):
            if all(track.box.overlap(other.box) < _TWICE for other in kept):
                kept.append(track)
        return kept


def face_square(landmarks: Points) -> Box:
    """The square about a face that its landmarks stand for, in whole pixels.

    Args:
        landmarks: float32 (68, 2).
    """
    centre = landmarks.mean(axis=0)
    spread = float(np.sqrt(((landmarks - centre) ** 2).sum(axis=1).mean()))
    half = max(_SIDE * spread / 2, 1.0)
    across, down = float(centre[0]), float(centre[1]) - _RISE * spread
    return Box(round(across - half), round(down - half), round(across + half), round(down + half))


def face_box(landmarks: Points) -> Box:
    """The box about a whole face, forehead included, in whole pixels; for people to look at.

    Args:
        landmarks: float32 (68, 2), which end at the brows.
    """
    (left, top), (right, bottom) = landmarks.min(axis=0).tolist(), landmarks.max(axis=0).tolist()
    aside, forehead = _ASIDE * (right - left), _FOREHEAD * (bottom - top)
    return Box(
        round(left - aside), round(top - forehead), round(right + aside), round(bottom + aside)
    )


def _best(box: Box, others: Sequence[Placed]) -> Placed | None:
    """Of detections or followed faces, the one that means the same face as the box, if any."""
    scored = [(box.overlap(other.box), -_distance(box, other.box), other) for other in others]
    fitting = [entry for entry in scored if entry[0] >= _SAME or -entry[1] <= _NEAR]
    return max(fitting, key=lambda entry: entry[:2])[2] if fitting else None


def _distance(one: Box, other: Box) -> float:
    """Distance of the centres in sides of the first box."""
    return float(np.hypot(*np.subtract(one.centre, other.centre))) / max(one.width, 1)


def _returning(box: Box, lost: Sequence[Track]) -> Track | None:
    """The lost face that a new detection most likely is."""
    near = [
        (_distance(track.box, box), track)
        for track in lost
        if 1 / _RESIZE < box.width / max(track.box.width, 1) < _RESIZE
    ]
    near = [entry for entry in near if entry[0] <= _RETURN]
    return min(near, key=lambda entry: entry[0])[1] if near else None


def _given_up(track: Track) -> bool:
    return track.misses >= (_MISSES if track.confirmed > 1 else 1)


def _share_inside(box: Box, image: Image) -> float:
    height, width = image.shape[:2]
    return box.clipped(width, height).area / max(box.area, 1)


def _patch(image: Image, box: Box) -> NDArray[np.float32]:
    """Small grey picture of a face, mean 0 and variance 1, float32 (24, 24)."""
    height, width = image.shape[:2]
    part = box.clipped(width, height)
    if not part.area:
        return np.zeros((_PATCH, _PATCH), np.float32)
    inside = image[part.top : part.bottom, part.left : part.right]
    small = cv2.resize(inside, (_PATCH, _PATCH), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey -= grey.mean()
    return np.asarray(grey / max(float(grey.std()), 1.0), np.float32)
