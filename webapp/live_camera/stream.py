"""The camera's stream: a visit's own, and what it does with each frame."""

import logging
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import streamlit as st

from core import Image
from core.checkpoints import WEIGHTS
from core.drawing import Style, annotate_frame
from core.files import fingerprint
from core.types import FrameResult
from core.video import CoreFaceFinder, FaceFinder, FrameModel, Pipeline, PipelineSettings
from webapp.inputs import sample_picture
from webapp.live_camera.connection import Connection
from webapp.live_camera.history import History, Rates, StreamNumbers
from webapp.live_camera.recorder import Recorder
from webapp.live_camera.score_log import PAUSE, ScoreLog
from webapp.live_camera.worker import Analysed, LatestFrameWorker

if TYPE_CHECKING:
    from core.predict import Predictor

logger = logging.getLogger(__name__)
# How long a frame waits for its own analysis. When that comes in time, drawing and face match;
# else the newest one there is is drawn, and the picture keeps its pace.
_PATIENCE = 0.045
_STALE = 1.5  # seconds after which an old analysis is no longer drawn
_STREAM, _MODEL, _NETWORK = "live_stream", "live_model", "live_network"
_SINCE, _PHASE = "live_since", "live_phase"


@dataclass(frozen=True, slots=True)
class View:
    """What the visitor may change while the stream runs.

    Attributes:
        pipeline: How faces are found and named.
        drawing: What is drawn.
        mirror: Whether the picture is shown as in a mirror.
    """

    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    drawing: Style = field(default_factory=Style)
    mirror: bool = True


class LiveStream:
    """Turns frames from the browser into annotated ones; lives as long as the visit.

    The page replaces `view` and reads the numbers; frames come in another thread, in which
    nothing of Streamlit may be called.

    Args:
        model: Answers and explains.
        reader: Finds faces.
    """

    def __init__(self, model: FrameModel, reader: FaceFinder) -> None:
        self.view = View()
        self.history = History()
        self.log = ScoreLog(model.labels)
        self.labels = model.labels
        self.recorder: Recorder | None = None
        self.preprocess = model.card.preprocess
        self._coverage = self.preprocess.crop / self.preprocess.size
        self._pipeline = Pipeline(model, reader)
        self._worker = LatestFrameWorker(self._analyse, self._keep)
        self._rates = Rates()
        self._last = 0.0
        self._shown = 0

    def warm_up(self, image: Image) -> None:
        """Load all that the first frame would have to wait for.

        Args:
            image: RGB uint8 (H, W, 3) with a face.
        """
        annotate_frame(image, self._pipeline.process(image, 0.0))
        self._pipeline.restart()

    def set_resting_face(self, *, active: bool) -> None:
        """Take the faces in view as at rest for some seconds, or forget what was taken."""
        self._pipeline.set_resting_face(active=active)

    def numbers(self) -> StreamNumbers:
        """How the stream is doing."""
        return self._rates.numbers(
            time.monotonic(), replaced=self._worker.replaced, errors=self._worker.errors
        )

    async def handle(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Answer the frames that came since the last call with one: the newest, annotated.

        An error is logged and the frame goes back as it came: one that left this function would
        end the stream without a word.
        """
        newest = frames[-1]
        try:
            return [self._answered(newest, len(frames))]
        except Exception:
            logger.exception("A frame could not be drawn")
            return [newest]

    def end(self) -> None:
        """Forget the running analysis and its numbers; the recorder notices the silence itself."""
        self._rates.clear()
        self._worker.reset()

    def renew(self, model: FrameModel) -> None:
        """Go on with the same network, loaded anew."""
        self._pipeline.renew(model)

    def _answered(self, frame: av.VideoFrame, count: int) -> av.VideoFrame:
        now = time.monotonic()
        if now - self._last > PAUSE:
            self._rates.clear()
            self._worker.reset()
        self._last = now
        self._rates.came(count)
        view = self.view
        image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        if view.mirror:
            image = np.asarray(cv2.flip(image, 1), np.uint8)
        ticket = self._worker.submit(image, now)
        analysed = self._worker.wait(ticket, _PATIENCE)
        drawn = self._drawn(image, analysed, now, view)
        answer = av.VideoFrame.from_ndarray(drawn, format="rgb24")
        answer.pts, answer.time_base = frame.pts, frame.time_base
        fresh = analysed is not None and analysed.ticket > self._shown
        self._shown = analysed.ticket if analysed is not None else self._shown
        end = time.monotonic()
        self._rates.went(end, end - now, fresh=fresh)
        return answer

    def _drawn(self, image: Image, analysed: Analysed | None, now: float, view: View) -> Image:
        height, width = image.shape[:2]
        result = FrameResult(now, width, height)
        if analysed is not None and now - analysed.result.time < _STALE:
            same_size = (analysed.result.height, analysed.result.width) == (height, width)
            result = analysed.result if same_size else result
        drawn = annotate_frame(image, result, replace(view.drawing, coverage=self._coverage))
        recorder = self.recorder
        if recorder is not None and recorder.running:
            recorder.add(drawn, result, now)
        return drawn

    def _keep(self, result: FrameResult) -> None:
        self.history.add(result)
        self.log.add(result)

    def _analyse(self, image: Image, moment: float) -> FrameResult:
        self._pipeline.settings = self.view.pipeline
        return self._pipeline.process(image, moment)


def stream_of(predictor: "Predictor") -> LiveStream:
    """This visit's stream for a checkpoint; made and warmed up where there is none.

    The first frame must not wait: the component gives a stream up, without a word, when a frame
    takes longer than ten seconds.
    """
    former: LiveStream | None = st.session_state.get(_STREAM)
    if former is not None and st.session_state.get(_MODEL) is predictor:
        return former
    network = (predictor.folder, predictor.labels, fingerprint(predictor.folder / WEIGHTS))
    if former is not None and st.session_state.get(_NETWORK) == network:  # only loaded again
        former.renew(predictor)
        st.session_state[_MODEL] = predictor
        return former
    stream = LiveStream(predictor, CoreFaceFinder())
    with st.spinner("Preparing the stream …"):
        stream.warm_up(sample_picture().decoded())
    if former is not None and former.recorder is not None:
        former.recorder.stop()  # its table has the other network's columns
        stream.recorder = former.recorder
    st.session_state[_STREAM], st.session_state[_MODEL] = stream, predictor
    st.session_state[_NETWORK] = network
    return stream


def connection_of(
    stream: LiveStream, *, playing: bool, connecting: bool, outside_servers: bool
) -> Connection:
    """What is known of the connection, and for how long it has been so."""
    phase = "playing" if playing else "connecting" if connecting else "idle"
    if st.session_state.get(_PHASE) != phase:
        st.session_state[_PHASE], st.session_state[_SINCE] = phase, time.monotonic()
    return Connection(
        url=st.context.url or "",
        playing=playing,
        seconds=None if phase == "idle" else time.monotonic() - st.session_state[_SINCE],
        frames=stream.numbers().frames,
        outside_servers=outside_servers,
    )
