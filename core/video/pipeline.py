"""From a frame and its time to faces, answers and maps.  Knows neither browsers nor files."""

import time as clock

from core.types import FrameResult, Image
from core.video.answering import Answerer
from core.video.pace import BUDGET, Pace
from core.video.parts import FaceReader, FrameModel
from core.video.searching import Searcher
from core.video.settings import PipelineSettings
from core.video.tracking import Tracker

_FIRST = 1 / 30  # seconds taken for the step before the first frame
_SHORTEST = 1e-3  # seconds between frames; equal times would divide by zero
_LONGEST = 1.0  # seconds a single frame may count for


class Pipeline:
    """Finds, follows, names and explains the faces of one stream; one object a stream.

    Faces are searched every n-th frame and followed by their landmarks between. Nothing is
    queued: a frame is analysed when `process` is called, and when that takes longer than the
    budget, the costly steps become rarer.

    Args:
        model: Answers and explains; may be shared between streams.
        reader: Finds faces and landmarks; may be shared.
        settings: May be replaced at any time through the attribute.
        budget: Seconds a frame may take on average; 0 for as long as it takes.
    """

    def __init__(
        self,
        model: FrameModel,
        reader: FaceReader,
        settings: PipelineSettings | None = None,
        *,
        budget: float = BUDGET,
    ) -> None:
        self.settings = settings or PipelineSettings()
        self._model, self._reader, self._budget = model, reader, budget
        self._size: tuple[int, ...] = ()
        self.restart()

    def restart(self) -> None:
        """Forget every face, as before the first frame."""
        self._tracker = Tracker(self._reader)
        self._searcher = Searcher(self._reader)
        self._answerer = Answerer(self._model, self._reader)
        self._pace = Pace(self._budget)
        self._last: float | None = None
        self._number = 0

    def set_resting_face(self, *, active: bool) -> None:
        """Take the faces seen next as at rest for some seconds, or forget what was taken."""
        self._answerer.set_resting_face(active=active)

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
        faces = self._answerer.answer(
            image,
            self._tracker.tracks,
            time,
            seconds,
            settings,
            look=self._number % settings.label_every == 0,
            explain=self._number % round(self._pace.stretch) == 0,
        )
        self._number += 1
        spent = clock.perf_counter() - started
        self._pace.spent(spent)
        return FrameResult(time, width, height, faces, searched, spent, self._answerer.notes())

    def _find(self, image: Image, now: float, settings: PipelineSettings) -> bool:
        """Follow the faces; search where it is time, where one was lost, or where there is none."""
        complete = self._tracker.follow(image, now)
        due = self._pace.due(settings.detect_every if self._tracker.tracks else 1)
        if complete and not due:
            return False
        known = [track.box for track in self._tracker.tracks]
        detections = self._searcher.search(image, known, settings.detector)
        self._tracker.meet(image, detections, now, most=settings.max_faces)
        self._pace.searched()
        return True
