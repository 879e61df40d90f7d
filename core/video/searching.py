"""Looks for faces as cheaply as the frame allows."""

from collections.abc import Sequence

from core.errors import FaceError
from core.types import Box, Detection, Image
from core.video.parts import FaceReader

AUTO = "auto"
_QUICK = "blazeface"  # one look, in a tenth of the time that `auto` takes; misses small faces
_THOROUGH_EVERY = 5  # searches; at 25 frames/s and every fifth frame, once a second
_AROUND = 2.5  # sides of a face's surroundings when one face is looked for again
_SAME = 0.2  # overlap from which a face found there is the one looked for


class Searcher:
    """Finds faces with the detector chosen; with `auto`, thoroughly only now and then.

    A quick look finds large faces. Each followed face that it misses is looked for again where it
    should be. Small newcomers wait for the thorough search, which also comes at once where nothing
    is found at all.

    Args:
        reader: Runs the detectors.
    """

    def __init__(self, reader: FaceReader) -> None:
        self._reader = reader
        self._has_quick = True
        self._since_thorough = _THOROUGH_EVERY

    def search(self, image: Image, known: Sequence[Box], detector: str) -> Sequence[Detection]:
        """All faces found, largest first.

        Args:
            image: The frame.
            known: Where faces are being followed.
            detector: Registry name.
        """
        if detector != AUTO:
            return self._reader.detect(image, detector)
        self._since_thorough += 1
        if self._since_thorough >= _THOROUGH_EVERY:
            self._since_thorough = 0
            return self._reader.detect(image, AUTO)
        found = list(self._quick(image))
        for box in known:
            if not any(box.overlap(other.box) > _SAME for other in found):
                found += self._again(image, box)
        return sorted(found, key=lambda one: -one.box.area) or self._reader.detect(image, AUTO)

    def _quick(self, image: Image) -> Sequence[Detection]:
        """One cheap look, or a thorough one where the quick detector is not installed."""
        if self._has_quick:
            try:
                return self._reader.detect(image, _QUICK)
            except FaceError:
                self._has_quick = False
        return self._reader.detect(image, AUTO)

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
