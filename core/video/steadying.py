"""What is remembered of one face beyond its place: smoothed points and answers, label, baseline."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.types import Explanation, Prediction
from core.video.label_keeper import LabelKeeper
from core.video.one_euro import OneEuro
from core.video.parts import Points
from core.video.resting_face import RestingFace

# Cut-offs in Hz at smoothing 0 and how far smoothing 1 lowers them; at the default of 0.5 points
# have 2 Hz and probabilities 1 Hz at rest. Beta: Hz for a speed of one face side, or of one unit of
# probability, a second; a change of answer opens the filter within one or two frames.
_POINTS, _POINTS_BETA = 8.0, 12.0
_SCORES, _SCORES_BETA = 4.0, 0.5
_LOWERED = 16.0
_FADE = 3.0  # seconds in which the colour scale falls to a third after a strong map


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """An answer for this frame alone, the same smoothed, and the label to show (None: unclear)."""

    instant: Prediction
    smooth: Prediction
    label: str | None


class Memory:
    """The past of one face.

    Args:
        threshold: Confidence below which an answer is unclear.
        side: Pixels; the unit in which its landmarks' speed is measured.
    """

    def __init__(self, threshold: float, side: float) -> None:
        self.seen = 0.0
        self.resting: RestingFace | None = None
        self.explanation: Explanation | None = None
        self.scale = 0.0
        self._keeper = LabelKeeper(threshold)
        self._side = side
        self._points = OneEuro(_POINTS, _POINTS_BETA)
        self._scores = OneEuro(_SCORES, _SCORES_BETA)

    def reset(self) -> None:
        """Forget the numbers of before a gap; label and baseline stay."""
        self._points.reset()
        self._scores.reset()
        self.explanation = None

    def steady_points(self, landmarks: Points, seconds: float, smoothing: float) -> Points:
        """Smoothed landmarks, float32 (68, 2)."""
        if smoothing == 0:
            return landmarks
        self._points.cutoff = _POINTS / _LOWERED**smoothing
        # In these units the norm of the speed is its root mean square in face sides a second.
        unit = self._side * float(np.sqrt(len(landmarks)))
        points = self._points(landmarks.astype(np.float64) / unit, seconds)
        return (points * unit).astype(np.float32)

    def rested(self, logits: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
        """Logits (K,) after the personal baseline, where there is one."""
        return logits if self.resting is None else self.resting.apply(logits, seconds)

    def read(
        self, prediction: Prediction, seconds: float, smoothing: float, *, look: bool
    ) -> Reading:
        """Smooth an answer and choose the label to show.

        Args:
            prediction: Of this frame alone.
            seconds: Since the last frame.
            smoothing: 0 to 1.
            look: Whether the label may change now.
        """
        instant = prediction.probabilities
        smooth = instant
        if smoothing > 0:
            self._scores.cutoff = _SCORES / _LOWERED**smoothing
            smooth = self._scores(instant, seconds)
        index = self._keeper.update(instant, seconds, smoothing=smoothing, look=look)
        label = None if index is None else prediction.labels[index]
        return Reading(prediction, replace(prediction, probabilities=smooth), label)

    def keep_explanation(self, explanation: Explanation | None, seconds: float) -> None:
        """Take in this frame's maps; the colour scale follows the largest value of late.

        A scale of each frame's own would draw a weak map as strongly as a sure one.
        """
        self.explanation = explanation
        self.scale *= float(np.exp(-seconds / _FADE))
        if explanation is not None:
            self.scale = max(self.scale, explanation.scale)
