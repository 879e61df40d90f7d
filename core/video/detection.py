"""When and where to look for faces, within the budget of a frame."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import FaceError
from core.types import Box, Detection, Image
from core.video.protocols import FaceFinder

AUTO = "auto"
_QUICK = "blazeface"  # one look, in a tenth of the time that `auto` takes; misses small faces
_THOROUGH_EVERY = 5  # searches; at 25 frames/s and every fifth frame, once a second
_IN_VAIN = 3  # thorough searches without a newcomer, from which on every other is left out
_AROUND = 2.5  # sides of a face's surroundings when one face is looked for again
_SAME = 0.2  # overlap from which a face found there is the one looked for
# Quick looks at 232 parts of a photo saw 41 faces in a space suit, with scores up to 0.71.
_SURE = 0.75  # of a newcomer; others wait for the thorough search
BUDGET = 1 / 30  # seconds a frame: the pace of a camera
_WEIGHT = 0.1  # of the newest frame in the running mean
_MOST = 4  # times the wanted interval; a newcomer is then seen after 20 frames
# A cut: most of the frame is another, and its middle is nowhere in the last one. Of the pairs of 24
# pictures that differ 87 % are told, of a picture and itself moved by up to 10 % of its width, or
# 5 % nearer, none.
_SCENE_SIDE, _SCENE_MIDDLE = 32, 24  # pixels of what is kept of a frame; of its middle
_SAME_SCENE = 0.5  # correlation
_PLAIN = 5.0  # grey levels of standard deviation under which a frame tells nothing: black, fog
_OTHER, _CHANGED = 16, 0.4  # grey levels; share of the frame


Change = Literal["same", "new", "back"]


class FaceSearch:
    """Finds faces with the detector chosen; with `auto`, thoroughly only now and then.

    A quick look finds large faces. Each followed face that it misses is looked for again where it
    should be. Small and unsure newcomers wait for the thorough search, which comes half as often
    after some without any, and at once where nothing is found at all.

    Args:
        finder: Runs the detectors.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._has_quick = True
        self._since_thorough = _THOROUGH_EVERY
        self._in_vain = 0

    def search(self, image: Image, known: Sequence[Box], detector: str) -> Sequence[Detection]:
        """All faces found, largest first.

        Args:
            image: The frame.
            known: Where faces are being followed.
            detector: Registry name.
        """
        if detector != AUTO:
            return self._finder.detect(image, detector)
        self._since_thorough += 1
        wait = _THOROUGH_EVERY * (2 if known and self._in_vain >= _IN_VAIN else 1)
        if self._since_thorough >= wait:
            self._since_thorough = 0
            seen = self._finder.detect(image, AUTO)
            new = any(all(one.box.overlap(box) <= _SAME for box in known) for one in seen)
            self._in_vain = 0 if new else self._in_vain + 1
            return seen
        found = [
            one
            for one in self._quick(image)
            if one.detector != _QUICK
            or one.score >= _SURE
            or any(one.box.overlap(box) > _SAME for box in known)
        ]
        for box in known:
            if not any(box.overlap(other.box) > _SAME for other in found):
                found += self._again(image, box)
        return sorted(found, key=lambda one: -one.box.area) or self._finder.detect(image, AUTO)

    def _quick(self, image: Image) -> Sequence[Detection]:
        """One cheap look, or a thorough one where the quick detector is not installed."""
        if self._has_quick:
            try:
                return self._finder.detect(image, _QUICK)
            except FaceError:
                self._has_quick = False
        return self._finder.detect(image, AUTO)

    def _again(self, image: Image, box: Box) -> list[Detection]:
        """Look closely where a followed face should be."""
        height, width = image.shape[:2]
        x, y = box.centre
        half = round(box.width * _AROUND / 2)
        near = Box(round(x) - half, round(y) - half, round(x) + half, round(y) + half)
        near = near.clipped(width, height)
        if not near.area:
            return []
        seen = self._quick(image[near.top : near.bottom, near.left : near.right])
        moved = [
            Detection(_moved(one.box, near.left, near.top), one.score, one.detector) for one in seen
        ]
        return [one for one in moved if one.box.overlap(box) > _SAME][:1]


def _moved(box: Box, right: int, down: int) -> Box:
    return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


class FrameBudget:
    """Decides at which frames to search for faces.

    A frame that takes too long never makes the next one wait: whoever feeds the pipeline drops
    frames. This class makes the frames cheaper meanwhile, step by step, and goes back when there
    is time again.

    Args:
        budget: Seconds a frame may take on average; 0 for as long as it takes (video files).
    """

    def __init__(self, budget: float = BUDGET) -> None:
        self._budget = budget
        self._mean = 0.0
        self._stretch = 1.0
        self._since = 0

    @property
    def stretch(self) -> float:
        """How many times rarer than wanted the costly steps are now, 1 or more."""
        return self._stretch

    def due(self, wanted: int) -> bool:
        """Whether to search at this frame; call it once a frame.

        Args:
            wanted: Frames from one search to the next when there is time.
        """
        self._since += 1
        return self._since >= wanted * self._stretch

    def searched(self) -> None:
        """Note that this frame was searched."""
        self._since = 0

    def spent(self, seconds: float) -> None:
        """Take in how long the frame took."""
        self._mean = seconds if not self._mean else self._mean + _WEIGHT * (seconds - self._mean)
        if not self._budget:
            return
        if self._mean > self._budget:
            self._stretch = min(self._stretch * 1.1, _MOST)
        elif self._mean < 0.8 * self._budget:
            self._stretch = max(self._stretch / 1.1, 1.0)


class SceneChange:
    """Tells the frames with which another scene begins, from each and the one before."""

    def __init__(self) -> None:
        self._before: NDArray[np.uint8] | None = None
        self._left: NDArray[np.uint8] | None = None  # the scene that the last frame ended

    def look(self, image: Image) -> Change:
        """What this frame does: it goes on, begins a scene, or goes on before a single other frame.

        A frame of one colour neither ends a scene nor begins one.

        Args:
            image: RGB uint8 (H, W, 3).
        """
        few = cv2.resize(image, (4 * _SCENE_SIDE,) * 2, interpolation=cv2.INTER_NEAREST)
        grey = cv2.cvtColor(few, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (_SCENE_SIDE,) * 2, interpolation=cv2.INTER_AREA)
        now = np.asarray(small, np.uint8)
        if now.std() < _PLAIN:
            return "same"
        before, left = self._before, self._left
        self._before, self._left = now, None
        if before is None or not _differ(before, now):
            return "same"
        if left is not None and not _differ(left, now):
            return "back"
        self._left = before
        return "new"


def _differ(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> bool:
    if (cv2.absdiff(now, before) > _OTHER).mean() < _CHANGED:
        return False
    edge = (_SCENE_SIDE - _SCENE_MIDDLE) // 2
    middle = now[edge:-edge, edge:-edge]
    return float(cv2.matchTemplate(before, middle, cv2.TM_CCOEFF_NORMED).max()) < _SAME_SCENE
