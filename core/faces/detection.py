"""Face detectors by name, and native ones lent to one thread at a time."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import cv2
import numpy as np

from core.errors import ImageError
from core.registry import Registry
from core.types import Detection, Image, kind_of

# RGB uint8 (H, W, 3) to the faces in it, largest first; () where there is none. Safe to share
# between threads.
Detector = Callable[[Image], tuple[Detection, ...]]
DETECTORS: Registry[Detector] = Registry("face detector")
SAME_FACE = 0.4  # overlap from which two boxes mean one face; neighbours' boxes hardly touch
T = TypeVar("T")


def largest_first(detections: Iterable[Detection]) -> tuple[Detection, ...]:
    """Sort by area, then by place, so that equal pictures always give equal answers."""
    return tuple(
        sorted(detections, key=lambda found: (-found.box.area, found.box.left, found.box.top))
    )


def distinct(detections: Sequence[Detection]) -> tuple[Detection, ...]:
    """Keep the first of each group of boxes that mean one face.

    A box lying nearly inside a kept one is the same face seen at another scale.

    Args:
        detections: Highest score first.
    """
    kept: list[Detection] = []
    for candidate in detections:
        if not any(_same(candidate, other) for other in kept):
            kept.append(candidate)
    return tuple(kept)


def _same(one: Detection, other: Detection) -> bool:
    if one.box.overlap(other.box) > SAME_FACE:
        return True
    a, b = one.box, other.box
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(width, 0) * max(height, 0)
    return shared > 0.7 * min(a.area, b.area)


def shrunk(image: Image, longest: int) -> tuple[Image, float]:
    """The picture with its longer side at most `longest`, and the factor it was scaled by."""
    height, width = image.shape[:2]
    scale = min(longest / max(height, width), 1.0)
    if scale == 1.0:
        return image, 1.0
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def checked(image: Image) -> Image:
    """Return the picture if a detector can search it.

    Raises:
        ImageError: It is no RGB uint8 picture.
    """
    fits = isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
    if not fits or image.dtype != np.uint8 or not image.size:
        raise ImageError(
            f"Found {kind_of(image)}; expected uint8 RGB (H, W, 3), as core.images.read_image "
            "gives it."
        )
    return image


class Pool(Generic[T]):
    """Builds an object when none is idle, lends it to one thread, and keeps it afterwards.

    As many objects exist as were ever in use at once, one a core at most: others wait, for more
    would take memory (dlib's detector 60 MB) and gain no time. A thread-local would build anew for
    every thread, and a web server starts one for each rerun of a page.

    Args:
        build: Makes one object; called on first use, never at import.
        most: Objects at most; 0 for one a core.
    """

    def __init__(self, build: Callable[[], T], most: int = 0) -> None:
        self._build = build
        self._free = threading.BoundedSemaphore(most or os.cpu_count() or 1)
        self._idle: list[T] = []
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self) -> Iterator[T]:
        """Lend an object for a `with` block; nobody else has it meanwhile."""
        with self._free:
            with self._lock:
                item = self._idle.pop() if self._idle else None
            if item is None:
                item = self._build()
            try:
                yield item
            finally:
                with self._lock:
                    self._idle.append(item)
