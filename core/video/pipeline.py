"""A frame in, faces with answers out: find, follow, name, explain."""

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ConfigError
from core.types import RECOMMENDED, Detection, Explanation, Face, FrameResult, Image, LiveFace
from core.video.detection import BUDGET, FaceSearch, FrameBudget
from core.video.protocols import FaceFinder, FrameModel
from core.video.smoothing import FaceState, NeutralBaseline, Reading
from core.video.tracking import Track, Tracker, face_box

PAPER_REFRESH = 5  # frames between two looks at the top label in the paper's demonstration
DEFAULT_SMOOTHING = 0.5
SLOW_NOTE = (
    "This method needs a backward pass for every face: expect new maps on fewer frames a second."
)
_NEWS = 0.5  # seconds out of view after which smoothing starts anew
_REMEMBERED = 10.0  # seconds after which a face that left is forgotten
_FIRST = 1 / 30  # seconds taken for the step before the first frame
_SHORTEST = 1e-3  # seconds between frames; equal times would divide by zero
_LONGEST = 1.0  # seconds a single frame may count for


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How frames are searched, steadied and labelled; replaced as a whole, at any time.

    Attributes:
        detector: Registry name of the face detector.
        detect_every: Frames from one search for faces to the next; faces are followed between.
        smoothing: 0 for none, 1 for the steadiest; acts on landmarks, probabilities and label.
        label_every: Frames between two looks at the label; 1 at once, 5 as in the paper.
        max_faces: The largest faces so many are analysed; the time a frame takes grows with it.
        method: Registry name of the explanation, "recommended", or None for none.
    """

    detector: str = "auto"
    detect_every: int = 5
    smoothing: float = DEFAULT_SMOOTHING
    label_every: int = 1
    max_faces: int = 8
    method: str | None = RECOMMENDED

    def __post_init__(self) -> None:
        _check("detect_every", self.detect_every, 1, 100)
        _check("smoothing", self.smoothing, 0, 1)
        _check("label_every", self.label_every, 1, 100)
        _check("max_faces", self.max_faces, 1, 64)


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ConfigError(f"{name} is {value}; expected {least} to {most}.")


class FaceAnswers:
    """Names and explains the faces of one stream.

    Args:
        model: Answers and explains; may be shared between streams.
        finder: Makes the crops.
    """

    def __init__(self, model: FrameModel, finder: FaceFinder) -> None:
        self._model, self._finder = model, finder
        self._memories: dict[int, FaceState] = {}
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
            crop, matrix = self._finder.crop(image, points)
            place = Detection(face_box(points), 1.0, track.detector)
            faces.append(Face(place, crop, matrix, points))
        preprocess = self._model.card.preprocess
        method = None if settings.method is None else self._model.method_of(settings.method)
        pixels = np.stack([preprocess.pixels(face.crop) for face in faces])
        logits, quick = self._model.fast(pixels, method)
        self._slow = method is not None and quick is None
        shown = []
        for index, (track, memory, face) in enumerate(zip(tracks, memories, faces, strict=True)):
            own = None if quick is None else quick[index]
            explanation = self._explain(memory, face, own, method, explain=explain)
            memory.keep_explanation(explanation, seconds)
            prediction = self._model.prediction(memory.rested(logits[index], seconds))
            reading = memory.read(prediction, seconds, settings.smoothing, look=look)
            shown.append(_shown(track, memory, face, reading))
        return tuple(shown)

    def _memory(self, track: Track, now: float) -> FaceState:
        memory = self._memories.get(track.id)
        if memory is None:
            memory = FaceState(self._model.card.threshold, track.box.width)
            self._memories[track.id] = memory
        elif now - memory.seen > _NEWS:
            memory.reset()
        memory.seen = now
        return memory

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
            return self._model.explain(face.crop, method)
        return last


def _shown(track: Track, memory: FaceState, face: Face, reading: Reading) -> LiveFace:
    return LiveFace(
        id=track.id,
        face=face,
        prediction=reading.smooth,
        instant=reading.instant.probabilities,
        label=reading.label,
        explanation=memory.explanation,
        scales=memory.scales,
        detected=track.detected,
        resting=None if memory.resting is None else memory.resting.progress,
    )


class Pipeline:
    """Finds, follows, names and explains the faces of one stream; one object a stream.

    Faces are searched every n-th frame and followed by their landmarks between. Nothing is
    queued: a frame is analysed when `process` is called, and when that takes longer than the
    budget, the costly steps become rarer.

    Args:
        model: Answers and explains; may be shared between streams.
        finder: Finds faces and landmarks; may be shared.
        settings: May be replaced at any time through the attribute.
        budget: Seconds a frame may take on average; 0 for as long as it takes.
    """

    def __init__(
        self,
        model: FrameModel,
        finder: FaceFinder,
        settings: PipelineSettings | None = None,
        *,
        budget: float = BUDGET,
    ) -> None:
        self.settings = settings or PipelineSettings()
        self._model, self._finder, self._budget = model, finder, budget
        self._size: tuple[int, ...] = ()
        self.restart()

    def restart(self) -> None:
        """Forget every face, as before the first frame."""
        self._tracker = Tracker(self._finder)
        self._search = FaceSearch(self._finder)
        self._answers = FaceAnswers(self._model, self._finder)
        self._frame_budget = FrameBudget(self._budget)
        self._last: float | None = None
        self._number = 0

    def set_resting_face(self, *, active: bool) -> None:
        """Take the faces seen next as at rest for some seconds, or forget what was taken."""
        self._answers.set_resting_face(active=active)

    def process(self, image: Image, time: float) -> FrameResult:
        """Analyse the next frame.

        Args:
            image: RGB uint8 (H, W, 3); a new size starts everything anew.
            time: Seconds on any clock that does not go back.
        """
        started = clock.perf_counter()
        settings = self.settings
        height, width = image.shape[:2]
        if (height, width) != self._size:
            self._size = (height, width)
            self.restart()
        seconds = _FIRST if self._last is None else time - self._last
        seconds = min(max(seconds, _SHORTEST), _LONGEST)
        self._last = time
        searched = self._find(image, time, settings)
        faces = self._answers.answer(
            image,
            self._tracker.tracks,
            time,
            seconds,
            settings,
            look=self._number % settings.label_every == 0,
            explain=self._number % round(self._frame_budget.stretch) == 0,
        )
        self._number += 1
        spent = clock.perf_counter() - started
        self._frame_budget.spent(spent)
        return FrameResult(time, width, height, faces, searched, spent, self._answers.notes())

    def _find(self, image: Image, now: float, settings: PipelineSettings) -> bool:
        """Follow the faces; search where it is time, where one was lost, or where there is none."""
        complete = self._tracker.follow(image, now)
        due = self._frame_budget.due(settings.detect_every if self._tracker.tracks else 1)
        if complete and not due:
            return False
        known = [track.box for track in self._tracker.tracks]
        detections = self._search.search(image, known, settings.detector)
        self._tracker.meet(image, detections, now, most=settings.max_faces)
        self._frame_budget.searched()
        return True
