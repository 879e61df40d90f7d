"""What is asked of a network about the faces of frames, and what becomes of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import Box, Detection, Explanation, Face, Image, LiveFace
from core.video.protocols import FaceFinder, FrameModel, Points
from core.video.smoothing import FaceState, NeutralBaseline, Reading
from core.video.tracking import Track

_NEWS = 0.5  # seconds out of view after which smoothing starts anew
_REMEMBERED = 10.0  # seconds after which a face that left is forgotten
_ASIDE, _FOREHEAD = 0.04, 0.22  # added to the landmarks' extent on the sides and on top


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A face of one frame, framed, before the network has seen it.

    Attributes:
        id: Of the face while it is followed.
        detected: Whether the detector confirmed it at this frame.
        fresh: Whether it was out of view so long that smoothing starts anew.
        memory: Its past.
        face: Place, crop and steadied landmarks.
    """

    id: int
    detected: bool
    fresh: bool
    memory: FaceState
    face: Face


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame whose faces were found and framed; `Pipeline.answer` does the rest.

    Attributes:
        time: Seconds, as given.
        step: Seconds since the frame before, as they count for smoothing.
        width: Pixels.
        height: Pixels.
        faces: Largest first.
        searched: Whether faces were searched, not only followed.
        look: Whether labels may change at this frame.
        explain: Whether a slow method is to be run at this frame.
        smoothing: Of the settings, 0 to 1.
        method: Of the settings: name of the explanation, or None.
        spent: Seconds that finding took.
    """

    time: float
    step: float
    width: int
    height: int
    faces: tuple[Asked, ...]
    searched: bool
    look: bool
    explain: bool
    smoothing: float
    method: str | None
    spent: float


class FaceAnswers:
    """Frames, names and explains the faces of one stream.

    What frames faces (`ask`) and what names them (`answer`) change different parts of a face's
    past, so that two threads may run them, each frame by frame.

    Args:
        model: Answers and explains; may be shared between streams.
        finder: Makes the crops.
    """

    def __init__(self, model: FrameModel, finder: FaceFinder) -> None:
        self.model, self._finder = model, finder
        self._memories: dict[int, FaceState] = {}
        self._resting: bool | None = None

    def set_resting_face(self, *, active: bool) -> None:
        """Take the faces seen next as at rest for some seconds, or forget what was taken."""
        self._resting = active

    def resize(self, factor: float) -> None:
        """Go on in frames of another size: so much larger or smaller is each face."""
        for memory in self._memories.values():
            memory.resize(factor)

    def ask(
        self, image: Image, tracks: Sequence[Track], now: float, step: float, smoothing: float
    ) -> tuple[Asked, ...]:
        """Frame each face.

        Args:
            image: The frame.
            tracks: The faces in it.
            now: Seconds.
            step: Seconds since the last frame.
            smoothing: Of the landmarks, 0 to 1.
        """
        memories = [self._memory(track, now) for track in tracks]
        self._take_rest([memory for memory, _ in memories])
        self._forget(now)
        asked = []
        for track, (memory, fresh) in zip(tracks, memories, strict=True):
            points = memory.steady_points(track.landmarks, step, smoothing)
            crop, matrix = self._finder.crop(image, points)
            place = Detection(face_box(points), 1.0, track.detector)
            face = Face(place, crop, matrix, points)
            asked.append(Asked(track.id, track.detected, fresh, memory, face))
        return tuple(asked)

    def answer(self, frames: Sequence[Seen]) -> list[tuple[tuple[LiveFace, ...], bool]]:
        """What is to be shown of the faces of frames that follow each other, in one batch.

        Returns:
            For each frame its faces, and whether the method is a slow one.
        """
        faces = [asked.face for frame in frames for asked in frame.faces]
        if not faces:
            return [((), False) for _ in frames]
        wanted = frames[0].method
        method = None if wanted is None else self.model.method_of(wanted)
        pixels = np.stack([self.model.card.preprocess.pixels(face.crop) for face in faces])
        logits, quick = self.model.fast(pixels, method)
        slow = method is not None and quick is None
        rows = iter(zip(logits, quick or [None] * len(faces), strict=True))
        return [
            (tuple(self._named(frame, asked, *next(rows), method) for asked in frame.faces), slow)
            for frame in frames
        ]

    def _named(
        self,
        frame: Seen,
        asked: Asked,
        logits: NDArray[np.float64],
        own: Explanation | None,
        method: str | None,
    ) -> LiveFace:
        memory = asked.memory
        if asked.fresh:
            memory.reset_answers()
        explanation = self._explain(memory, asked.face, own, method, explain=frame.explain)
        memory.keep_explanation(explanation, frame.step)
        prediction = self.model.prediction(memory.rested(logits, frame.step))
        reading = memory.read(prediction, frame.step, frame.smoothing, look=frame.look)
        return _shown(asked, reading)

    def _memory(self, track: Track, now: float) -> tuple[FaceState, bool]:
        """A face's past, and whether what was smoothed of it no longer counts."""
        memory = self._memories.get(track.id)
        fresh = memory is not None and now - memory.seen > _NEWS
        if memory is None:
            memory = FaceState(self.model.card.threshold, track.box.width)
            self._memories[track.id] = memory
        elif fresh:
            memory.reset_points()
        memory.seen = now
        return memory, fresh

    def _take_rest(self, memories: Sequence[FaceState]) -> None:
        """Carry out what `set_resting_face` asked for, once there is a face to do it with."""
        if self._resting is False:
            for memory in self._memories.values():
                memory.resting = None
        elif self._resting and memories:
            for memory in memories:
                memory.resting = NeutralBaseline()
        if memories or not self._resting:
            self._resting = None

    def _forget(self, now: float) -> None:
        for key in [k for k, memory in self._memories.items() if now - memory.seen > _REMEMBERED]:
            del self._memories[key]

    def _explain(
        self,
        memory: FaceState,
        face: Face,
        quick: Explanation | None,
        method: str | None,
        *,
        explain: bool,
    ) -> Explanation | None:
        """Maps of this frame where they are free, else of a frame shortly before or of this one."""
        if method is None:
            return None
        if quick is not None:
            return quick
        last = memory.explanation
        if last is None or last.method != method or explain:
            return self.model.explain(face.crop, method)
        return last


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


def _shown(asked: Asked, reading: Reading) -> LiveFace:
    memory = asked.memory
    return LiveFace(
        id=asked.id,
        face=asked.face,
        prediction=reading.smooth,
        instant=reading.instant.probabilities,
        label=reading.label,
        explanation=memory.explanation,
        scales=memory.scales,
        detected=asked.detected,
        resting=None if memory.resting is None else memory.resting.progress,
    )
