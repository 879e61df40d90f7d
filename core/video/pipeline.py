"""A frame in, faces with answers out: find, follow, name, explain."""

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.faces import aligned_crop, detect, fit_landmarks
from core.types import RECOMMENDED, WHOLE, Detection, FrameResult, Image
from core.video.answers import FaceAnswers, Seen
from core.video.detection import BUDGET, FaceSearch, FrameBudget, SceneChange
from core.video.protocols import FaceFinder, FrameModel, Points
from core.video.tracking import Tracker

PAPER_REFRESH = 5  # frames between two looks at the top label in the paper's demonstration
DEFAULT_SMOOTHING = 0.5
SLOW_NOTE = (
    "This method needs a backward pass for every face: expect new maps on fewer frames a second."
)
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


class Pipeline:
    """Finds, follows, names and explains the faces of one stream; one object a stream.

    Faces are searched every n-th frame and followed by their landmarks between. Nothing is
    queued: a frame is analysed when `process` is called, and when that takes longer than the
    budget, the costly steps become rarer.

    Args:
        model: Answers and explains; may be shared between streams.
        finder: Finds faces and landmarks; may be shared.
        settings: May be replaced at any time through the attribute.
        budget: Seconds a frame may take on average; 0 for as long as it takes, and for a film: its
            cuts are then looked for. A camera has none, but people who jump between slow frames.
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
        self._tracker = self._left = Tracker(self._finder)
        self._search = FaceSearch(self._finder)
        self._scenes = SceneChange()
        self._answers = FaceAnswers(self._model, self._finder)
        self._frame_budget = FrameBudget(self._budget)
        self._last: float | None = None
        self._number = 0

    def renew(self, model: FrameModel) -> None:
        """Answer with the same network, loaded anew; faces, their ids and baselines stay."""
        self._model = self._answers.model = model

    def set_resting_face(self, *, active: bool) -> None:
        """Take the faces seen next as at rest for some seconds, or forget what was taken."""
        self._answers.set_resting_face(active=active)

    def process(self, image: Image, time: float) -> FrameResult:
        """Analyse the next frame; arguments as for `see`."""
        return self.answer([self.see(image, time)])[0]

    def see(self, image: Image, time: float) -> Seen:
        """Find and frame the faces of the next frame.

        Args:
            image: RGB uint8 (H, W, 3); of a new size, faces are followed on.
            time: Seconds on any clock that does not go back.
        """
        started = clock.perf_counter()
        settings = self.settings
        height, width = image.shape[:2]
        if self._size and (height, width) != self._size:
            across, down = width / self._size[1], height / self._size[0]
            self._tracker.resize(across, down)
            self._scenes = SceneChange()
            self._answers.resize((across * down) ** 0.5)
        self._size = (height, width)
        step = _FIRST if self._last is None else time - self._last
        step = min(max(step, _SHORTEST), _LONGEST)
        self._last = time
        searched = self._find(image, time, settings)
        faces = self._answers.ask(image, self._tracker.tracks, time, step, settings.smoothing)
        look = self._number % settings.label_every == 0
        explain = self._number % round(self._frame_budget.stretch) == 0
        self._number += 1
        spent = clock.perf_counter() - started
        return Seen(
            time,
            step,
            width,
            height,
            faces,
            searched,
            look,
            explain,
            settings.smoothing,
            settings.method,
            spent,
        )

    def answer(self, frames: Sequence[Seen]) -> list[FrameResult]:
        """Name and explain the faces of frames in the order in which they were seen.

        Frames together cost less than one by one and get the same answers. Another thread may go on
        with `see` meanwhile.

        Args:
            frames: At least one, of the same settings.
        """
        started = clock.perf_counter()
        answers = self._answers.answer(frames)
        each = (clock.perf_counter() - started) / len(frames)
        results = []
        for frame, (faces, slow) in zip(frames, answers, strict=True):
            spent = frame.spent + each
            self._frame_budget.spent(spent)
            notes = (SLOW_NOTE,) if slow and faces else ()
            results.append(
                FrameResult(
                    frame.time, frame.width, frame.height, faces, frame.searched, spent, notes
                )
            )
        return results

    def _find(self, image: Image, now: float, settings: PipelineSettings) -> bool:
        """Follow the faces; search where it is time, where one was lost, or where there is none."""
        change = "same" if self._budget else self._scenes.look(image)
        if change == "new":
            self._left, self._tracker = self._tracker, Tracker(self._finder, self._tracker.next_id)
            self._search = FaceSearch(self._finder)
        elif change == "back":  # the frame between was damaged, or a flash
            self._left.next_id, self._tracker = self._tracker.next_id, self._left
        complete = self._tracker.follow(image, now)
        due = self._frame_budget.due(settings.detect_every if self._tracker.tracks else 1)
        if complete and not due and change == "same":
            return False
        known = [track.box for track in self._tracker.tracks]
        detections = self._search.search(image, known, settings.detector)
        self._tracker.meet(image, detections, now, most=settings.max_faces)
        self._frame_budget.searched()
        return True


class CoreFaceFinder:
    """Runs `core.faces` on frames; safe to share between threads."""

    def detect(self, image: Image, detector: str) -> Sequence[Detection]:
        """Faces of a picture, largest first; none where a tiny picture would be taken whole."""
        return [found for found in detect(image, detector) if found.detector != WHOLE]

    def landmarks(self, image: Image, detection: Detection) -> Points:
        """68 landmarks float32 (68, 2)."""
        return fit_landmarks(image, detection)

    def crop(self, image: Image, landmarks: Points) -> tuple[Image, NDArray[np.float64]]:
        """The face framed like the training crops."""
        return aligned_crop(image, landmarks)
