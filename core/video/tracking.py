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
_SAME = 0.3  # overlap from which a detection and a followed face are one
_NEAR = 0.4  # or centres closer than this, in sides
_TWICE = 0.5  # overlap of two followed faces from which they are one
_JUMP = 0.4  # sides a face may move beyond what its speed foretold
_GROWTH = 1.35  # times its size from one frame to the next
_INSIDE = 0.5  # share of the square that must lie inside the frame
_PATCH, _LIKENESS = 24, 0.35  # side of a face's picture; correlation with that of the frame before
_MISSES = 3  # searches without the face before it is given up; 1 for a face found only once
_MEMORY = 2.0  # seconds a lost face keeps its id
_RETURN, _RESIZE = 1.5, 1.8  # sides from there and times its size within which it is the same
_KEPT = 1.5  # times its area counts a followed face where there are more than are to be kept
# Fitting landmarks takes eight times as long as carrying them on by optical flow.
_FIT_EVERY = 2  # frames
_FLOW_SIDE, _FLOW_MORE = 128, 0.3  # pixels a face has at most for it; sides around the face
_WINDOW, _FLOW_LEVELS = 11, 1  # pixels about a point; halvings, for faster motion
_FLOW_STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
_FAST = 0.1  # sides from one frame to the next from which a fit is safer
_ASTRAY = 0.04  # sides, of a point, from where the whole face's motion takes it
_MOST_ASTRAY = 0.25  # share of the points

# Grey surroundings of a face, uint8 (n, n), and their square place in the frame.
Around = tuple[NDArray[np.uint8], Box]
Placed = TypeVar("Placed", "Track", Detection)


@dataclass(slots=True, eq=False)
class Track:
    """A face being followed."""

    id: int
    landmarks: Points
    patch: NDArray[np.float32]
    around: Around  # of the last frame whose landmarks were fitted
    detector: str
    fitted: bool = True
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
    steadier than a detector's box and needs no detector. At every second frame they are carried on
    by optical flow instead, where that can be trusted. A detector confirms them now and then, finds
    newcomers, and takes over where following fails.

    Args:
        finder: Fits landmarks.
        next_id: Of the first face.
    """

    def __init__(self, finder: FaceFinder, next_id: int = 1) -> None:
        self._finder, self.next_id = finder, next_id
        self._number = 0
        self._lost: list[Track] = []
        self.tracks: list[Track] = []

    def resize(self, across: float, down: float) -> None:
        """Go on in frames of another size: so many times as wide and as high."""
        factors = np.array([across, down], np.float32)
        for track in (*self.tracks, *self._lost):
            track.landmarks, track.velocity = track.landmarks * factors, track.velocity * factors
            track.fitted = False  # the last frame has another size: no flow leads to the next

    def follow(self, image: Image, now: float) -> bool:
        """Move every face on to this frame; whether all could be followed."""
        self._lost = [track for track in self._lost if now - (track.lost_at or 0.0) <= _MEMORY]
        kept = []
        self._number += 1
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
            most: Faces to keep at most: the largest, of which those followed count for larger.
        """
        open_detections, before = list(detections), set(self.tracks)
        for track in self.tracks:
            found = _best(track.box, open_detections)
            if found is None:
                track.misses += 1
                continue
            open_detections.remove(found)
            track.misses, track.confirmed, track.detected = 0, track.confirmed + 1, True
            if track.box.overlap(found.box) < _SAME:
                self._refit(track, image, found)
        limits = {track: _MISSES if track.confirmed > 1 else 1 for track in self.tracks}
        for track in [track for track, limit in limits.items() if track.misses >= limit]:
            self.tracks.remove(track)
            self._lose(track, now)
        for found in open_detections:
            if _best(found.box, self.tracks) is None:
                self._welcome(image, found)
        ranks = {one: one.box.area * (_KEPT if one in before else 1) for one in self.tracks}
        ranked = sorted(self._distinct(self.tracks), key=lambda track: -ranks[track])
        for track in ranked[most:]:
            self._lose(track, now)  # and so known again, should there be room for it
        self.tracks = sorted(ranked[:most], key=lambda track: -track.box.area)

    def _move(self, track: Track, image: Image) -> bool:
        """Find the landmarks about the foretold place; False where they cannot be believed."""
        aim = face_square(track.landmarks + track.velocity)
        if _share_inside(aim, image) < _INSIDE:
            return False
        # Faces take turns, so that not all are fitted at the same frame.
        if track.fitted and (self._number + track.id) % _FIT_EVERY:
            points = carried(track.around, image, track.landmarks, track.velocity)
            if points is not None and self._accept(track, image, aim, points):
                track.fitted = False
                return True
        track.fitted = True
        points = self._finder.landmarks(image, Detection(aim, 1.0, _FITTING))
        if accepted := self._accept(track, image, aim, points):
            track.around = surroundings(image, track.box)
        return accepted

    def _accept(self, track: Track, image: Image, aim: Box, points: Points) -> bool:
        """Move a face to landmarks that can be those of the same face a frame later."""
        square = face_square(points)
        growth = square.width / max(face_square(track.landmarks).width, 1)
        jump = float(np.hypot(*np.subtract(square.centre, aim.centre))) / aim.width
        if jump > _JUMP or not 1 / _GROWTH < growth < _GROWTH:
            return False
        patch = _patch(image, square)
        if float((patch * track.patch).mean()) < _LIKENESS:
            return False
        track.velocity = (points - track.landmarks).mean(axis=0)
        track.landmarks, track.patch = points, patch
        return True

    def _refit(self, track: Track, image: Image, found: Detection) -> None:
        track.landmarks = self._finder.landmarks(image, found)
        track.detector = found.detector
        track.patch, track.around = _patch(image, track.box), surroundings(image, track.box)
        track.velocity = np.zeros(2, np.float32)
        track.fitted = True

    def _lose(self, track: Track, now: float) -> None:
        track.lost_at = now
        self._lost.append(track)

    def _welcome(self, image: Image, found: Detection) -> None:
        """Follow a face that was not followed: one lost shortly before, or a new one."""
        track = _returning(found.box, self._lost)
        if track is None:
            points = self._finder.landmarks(image, found)
            square = face_square(points)
            pictures = _patch(image, square), surroundings(image, square)
            track = Track(self.next_id, points, *pictures, found.detector)
            self.next_id += 1
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
    share = np.float32(1 / len(landmarks))  # products take half the time of numpy's means
    centre = np.full(len(landmarks), share) @ landmarks
    offsets = (landmarks - centre).ravel()
    spread = float(share * (offsets @ offsets)) ** 0.5
    half = max(_SIDE * spread / 2, 1.0)
    across, down = centre - (0, _RISE * spread)
    return Box(round(across - half), round(down - half), round(across + half), round(down + half))


def surroundings(image: Image, square: Box) -> Around:
    """What is kept of a frame to carry a face's landmarks on; large faces are shrunk.

    Args:
        image: RGB uint8 (H, W, 3).
        square: The face's.
    """
    more = round(_FLOW_MORE * square.width)
    side = square.width + 2 * more  # of a square that may be a pixel higher than wide
    left, top = square.left - more, square.top - more
    box = Box(left, top, left + side, top + side)
    return _grey(image, box, min(round(_FLOW_SIDE * (1 + 2 * _FLOW_MORE)), side)), box


def carried(
    before: Around, image: Image, landmarks: Points, velocity: NDArray[np.floating]
) -> Points | None:
    """Where the next frame shows what the last one showed at the landmarks.

    Source: J.-Y. Bouguet, "Pyramidal Implementation of the Lucas Kanade Feature Tracker", 2000, as
    in OpenCV.

    Args:
        before: Of the last frame.
        image: The next frame, RGB uint8 (H, W, 3).
        landmarks: float32 (68, 2), in the last frame.
        velocity: Where they most likely went, (x, y) in pixels.

    Returns:
        float32 (68, 2); the few that went astray are moved with the others. None where many did,
        or the face moves fast.
    """
    grey, box = before
    x, y = np.rint(velocity).astype(int).tolist()
    there = Box(box.left + x, box.top + y, box.right + x, box.bottom + y)
    scale = len(grey) / box.width
    # Pixel centres lie at whole numbers, and shrinking keeps the outer edges.
    start = (landmarks - (box.left - 0.5, box.top - 0.5)) * scale - 0.5
    ends, known, _ = cv2.calcOpticalFlowPyrLK(
        grey,
        _grey(image, there, len(grey)),
        start.astype(np.float32)[:, None],
        None,  # type: ignore[call-overload]
        winSize=(_WINDOW, _WINDOW),
        maxLevel=_FLOW_LEVELS,
        criteria=_FLOW_STEPS,
    )
    after = (ends[:, 0] + 0.5) / scale + (there.left - 0.5, there.top - 0.5)
    side = face_square(landmarks).width
    kept = known[:, 0] > 0
    for _ in range(2):  # the second time without those astray
        together = _as_one(landmarks, after, kept)
        kept = kept & (np.hypot(*(after - together).T) < _ASTRAY * side)
    moved = np.hypot(*(together - landmarks).mean(axis=0))
    if kept.mean() < 1 - _MOST_ASTRAY or moved > _FAST * side:
        return None
    return np.where(kept[:, None], after, together).astype(np.float32)


def _as_one(
    before: Points, after: NDArray[np.float64], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """All points moved, turned and resized as one, as the known ones were by least squares."""
    source, goal = before[known].astype(np.float64), after[known]
    if len(source) < 2:
        return before.astype(np.float64)
    middle, aim = source.mean(axis=0), goal.mean(axis=0)
    # Of complex numbers, turning and resizing is a single factor.
    x, y = (source - middle) @ (1, 1j), (goal - aim) @ (1, 1j)
    moved = ((before - middle) @ (1, 1j)) * np.vdot(x, y) / max(np.vdot(x, x).real, 1e-9)
    return np.asarray(np.column_stack([moved.real, moved.imag]) + aim, np.float64)


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


def _share_inside(box: Box, image: Image) -> float:
    return box.clipped(image.shape[1], image.shape[0]).area / max(box.area, 1)


def _patch(image: Image, box: Box) -> NDArray[np.float32]:
    """Small grey picture of a face, mean 0 and variance 1, float32 (24, 24)."""
    part = box.clipped(image.shape[1], image.shape[0])
    if not part.area:
        return np.zeros((_PATCH, _PATCH), np.float32)
    inside = image[part.top : part.bottom, part.left : part.right]
    small = cv2.resize(inside, (_PATCH, _PATCH), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey -= grey.mean()
    return np.asarray(grey / max(float(grey.std()), 1.0), np.float32)


def _grey(image: Image, box: Box, side: int) -> NDArray[np.uint8]:
    """A square part in grey, at most as large as it is, uint8 (side, side); edges are repeated."""
    part = box.clipped(image.shape[1], image.shape[0])
    if not part.area:
        return np.zeros((side, side), np.uint8)
    grey = cv2.cvtColor(image[part.top : part.bottom, part.left : part.right], cv2.COLOR_RGB2GRAY)
    if part != box:
        more = (
            part.top - box.top,
            box.bottom - part.bottom,
            part.left - box.left,
            box.right - part.right,
        )
        grey = cv2.copyMakeBorder(grey, *more, cv2.BORDER_REPLICATE)
    if side < box.width:
        grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)
