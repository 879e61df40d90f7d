"""Answers and maps for the faces of a frame, steadied by what was said of them before."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Detection, Explanation, Face, Image, LiveFace
from core.video.parts import FaceReader, FrameModel
from core.video.resting_face import RestingFace
from core.video.settings import PipelineSettings
from core.video.steadying import Memory, Reading
from core.video.tracking import Track, face_box

FAST_METHOD = "grad_cam"  # the one that has a closed form
SLOW_NOTE = (
    "Maps come from the general way here, which is slower than the closed form: "
    "expect fewer frames a second."
)
_LAYER = "last convolution"
_NEWS = 0.5  # seconds out of view after which smoothing starts anew
_REMEMBERED = 10.0  # seconds after which a face that left is forgotten


class Answerer:
    """Names and explains the faces of one stream.

    Args:
        model: Answers and explains; may be shared between streams.
        reader: Makes the crops.
    """

    def __init__(self, model: FrameModel, reader: FaceReader) -> None:
        self._model, self._reader = model, reader
        self._memories: dict[int, Memory] = {}
        self._resting: bool | None = None
        self._slow = False

    def notes(self) -> tuple[str, ...]:
        """Plain sentences about the last answer."""
        return (SLOW_NOTE,) if self._slow else ()

    def set_resting_face(self, *, active: bool) -> None:
        """Take the faces seen next as at rest for some seconds, or forget what was taken."""
        self._resting = active

    def answer(
        self,
        image: Image,
        tracks: Sequence[Track],
        now: float,
        seconds: float,
        settings: PipelineSettings,
        *,
        look: bool,
        explain: bool,
    ) -> tuple[LiveFace, ...]:
        """What is to be shown of each face.

        Args:
            image: The frame.
            tracks: The faces in it.
            now: Seconds.
            seconds: Since the last frame.
            settings: Smoothing and method are used.
            look: Whether labels may change at this frame.
            explain: Whether a slow method is to be run at this frame.
        """
        self._slow = False
        memories = [self._memory(track, now) for track in tracks]
        self._take_rest(memories)
        self._forget(now)
        if not tracks:
            return ()
        faces = []
        for track, memory in zip(tracks, memories, strict=True):
            points = memory.steady_points(track.landmarks, seconds, settings.smoothing)
            crop, matrix = self._reader.crop(image, points)
            place = Detection(face_box(points), 1.0, track.detector)
            faces.append(Face(place, crop, matrix, points))
        preprocess = self._model.card.preprocess
        logits, maps = self._model.fast(np.stack([preprocess.pixels(face.crop) for face in faces]))
        self._slow = settings.method is not None and (
            maps is None or settings.method != FAST_METHOD
        )
        shown = []
        for index, (track, memory, face) in enumerate(zip(tracks, memories, faces, strict=True)):
            own = None if maps is None else maps[index]
            explanation = self._explain(memory, face, own, settings.method, explain=explain)
            memory.keep_explanation(explanation, seconds)
            prediction = self._model.prediction(memory.rested(logits[index], seconds))
            reading = memory.read(prediction, seconds, settings.smoothing, look=look)
            shown.append(_shown(track, memory, face, reading))
        return tuple(shown)

    def _memory(self, track: Track, now: float) -> Memory:
        memory = self._memories.get(track.id)
        if memory is None:
            memory = Memory(self._model.card.threshold, track.box.width)
            self._memories[track.id] = memory
        elif now - memory.seen > _NEWS:
            memory.reset()
        memory.seen = now
        return memory

    def _take_rest(self, memories: Sequence[Memory]) -> None:
        """Carry out what `set_resting_face` asked for, once there is a face to do it with."""
        if self._resting is False:
            for memory in self._memories.values():
                memory.resting = None
        elif self._resting and memories:
            for memory in memories:
                memory.resting = RestingFace()
        if memories or not self._resting:
            self._resting = None

    def _forget(self, now: float) -> None:
        for key in [k for k, memory in self._memories.items() if now - memory.seen > _REMEMBERED]:
            del self._memories[key]

    def _explain(
        self,
        memory: Memory,
        face: Face,
        maps: NDArray[np.float32] | None,
        method: str | None,
        *,
        explain: bool,
    ) -> Explanation | None:
        """Maps of this frame where they are free, else of a frame shortly before or of this one."""
        if method is None:
            return None
        if maps is not None and method == FAST_METHOD:
            return Explanation(method, _LAYER, self._model.labels, maps)
        last = memory.explanation
        if last is None or last.method != method or explain:
            return self._model.explain(face.crop, method)
        return last


def _shown(track: Track, memory: Memory, face: Face, reading: Reading) -> LiveFace:
    return LiveFace(
        id=track.id,
        face=face,
        prediction=reading.smooth,
        instant=reading.instant.probabilities,
        label=reading.label,
        explanation=memory.explanation,
        scale=memory.scale,
        detected=track.detected,
        resting=None if memory.resting is None else memory.resting.progress,
    )
