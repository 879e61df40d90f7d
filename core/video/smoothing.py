"""Steady over time: one-euro filter, steady label, personal baseline, a face's past."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.types import Explanation, Prediction
from core.video.protocols import Points

# At smoothing 1. A rival needs this much more probability than the label shown before it counts,
# and then (lead x seconds) must add up to the sum: half of both is the default, so a rival that is
# ahead by 0.5 replaces the label after 0.05 / (0.5 - 0.2) = 0.17 s.
_LEAD = 0.4
_SUM = 0.1
_UNCLEAR_LEAD = 0.1  # around the calibrated threshold a smaller lead decides
_SPEED_CUTOFF = 1.0  # Hz, as the authors advise
SECONDS = 3.0  # of resting face; long enough to average the noise out, short enough to hold still
# Cut-offs in Hz at smoothing 0 and how far smoothing 1 lowers them; at the default of 0.5 points
# have 2 Hz and probabilities 1 Hz at rest. Beta: Hz for a speed of one face side, or of one unit of
# probability, a second; a change of answer opens the filter within one or two frames.
_POINTS, _POINTS_BETA = 8.0, 12.0
_SCORES, _SCORES_BETA = 4.0, 0.5
_LOWERED = 16.0
_FADE = 3.0  # seconds in which the colour scale falls to a third after a strong map


class SteadyLabel:
    """Keeps a label until a rival has led long and far enough.

    The rule is the cumulative sum test for a change (Page, Biometrika 1954), which for a given
    rate of false alarms finds a change soonest. "Unclear" is a rival too: its score is the
    threshold below which an answer is called unclear.

    Args:
        threshold: Confidence below which the answer is unclear; 0 for never.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._shown: int | None = None
        self._evidence: NDArray[np.float64] = np.zeros(0)

    def update(
        self,
        probabilities: NDArray[np.float64],
        seconds: float,
        *,
        smoothing: float,
        look: bool = True,
    ) -> int | None:
        """Take in one frame and give the index of the label to show, or None for unclear.

        Args:
            probabilities: float64 (K,), of this frame alone, not smoothed.
            seconds: Since the last frame.
            smoothing: 0 shows each frame's own answer, 1 is the steadiest.
            look: Whether the label may change at this frame; the evidence counts in any case.
        """
        scores = np.append(probabilities, self._threshold)  # the last stands for unclear
        unclear = len(probabilities)
        if self._shown is None:
            self._shown = int(np.argmax(scores))
            self._evidence = np.zeros(len(scores))
        elif smoothing == 0:
            self._shown = int(np.argmax(scores)) if look else self._shown
        else:
            self._count(scores, seconds, smoothing)
            rival = int(np.argmax(self._evidence))
            if look and self._evidence[rival] > _SUM * smoothing:
                self._shown = rival
                self._evidence[:] = 0
        return None if self._shown == unclear else self._shown

    def _count(self, scores: NDArray[np.float64], seconds: float, smoothing: float) -> None:
        lead = np.full(len(scores), _LEAD * smoothing)
        lead[-1] = _UNCLEAR_LEAD * smoothing
        if self._shown == len(scores) - 1:
            lead[:] = _UNCLEAR_LEAD * smoothing
        ahead = scores - scores[self._shown] - lead
        self._evidence = np.maximum(self._evidence + seconds * ahead, 0)


class OneEuro:
    """The 1 Euro filter (Casiez, Roussel and Vogel, CHI 2012) with one cut-off for a whole array.

    The paper filters each number on its own. Here all numbers share the cut-off, found from the
    length of their common speed: a shape is not sheared, and probabilities keep their sum.

    Args:
        cutoff: Hz at rest; lower is steadier.
        beta: Hz added for each unit of speed; higher follows motion more closely.
    """

    def __init__(self, cutoff: float, beta: float) -> None:
        self.cutoff, self.beta = cutoff, beta
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | None = None

    def __call__(self, raw: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
        """The filtered value.

        Args:
            raw: float64, any shape, the same at each call.
            seconds: Since the last call, above 0.
        """
        if self._value is None or self._speed is None:
            self._value, self._speed = raw.astype(np.float64), np.zeros(raw.shape)
            return self._value
        speed = (raw - self._value) / seconds
        share = _share(_SPEED_CUTOFF, seconds)
        self._speed = share * speed + (1 - share) * self._speed
        share = _share(self.cutoff + self.beta * float(np.linalg.norm(self._speed)), seconds)
        self._value = share * raw + (1 - share) * self._value
        return self._value

    def reset(self) -> None:
        """Forget the past; the next value is taken as it comes."""
        self._value = self._speed = None


def _share(cutoff: float, seconds: float) -> float:
    """Weight of the newest value in an exponential filter with this cut-off in Hz."""
    turn = 2 * math.pi * cutoff * seconds
    return turn / (turn + 1)


class NeutralBaseline:
    """Mean logits of one face over a few seconds, and the correction made from them.

    The correction shifts the logits so that this face at rest scores all classes alike. It makes
    answers relative to the person: they can no longer be compared with those of others, nor with
    the accuracy measured without it.

    Args:
        seconds: How long to collect.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._wanted = seconds
        self._collected = 0.0
        self._sum: NDArray[np.float64] | None = None
        self._count = 0

    @property
    def ready(self) -> bool:
        """Whether enough was collected for the correction to act."""
        return self._collected >= self._wanted

    @property
    def progress(self) -> float:
        """Collected share of the wanted time, 0 to 1."""
        return min(self._collected / self._wanted, 1.0) if self._wanted > 0 else 1.0

    def apply(self, logits: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
        """Collect while not ready, correct afterwards.

        Args:
            logits: float64 (K,).
            seconds: Since the last frame of this face.

        Returns:
            float64 (K,): the logits as given while collecting, else corrected.
        """
        if not self.ready:
            self._sum = logits.copy() if self._sum is None else self._sum + logits
            self._count += 1
            self._collected += seconds
            return logits
        if self._sum is None:
            return logits
        mean = self._sum / self._count
        corrected: NDArray[np.float64] = logits - (mean - mean.mean())
        return corrected


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """An answer for this frame alone, the same smoothed, and the label to show (None: unclear)."""

    instant: Prediction
    smooth: Prediction
    label: str | None


class FaceState:
    """The past of one face.

    Args:
        threshold: Confidence below which an answer is unclear.
        side: Pixels; the unit in which its landmarks' speed is measured.
    """

    def __init__(self, threshold: float, side: float) -> None:
        self.seen = 0.0
        self.resting: NeutralBaseline | None = None
        self.explanation: Explanation | None = None
        self.scales: NDArray[np.float64] | None = None
        self._steady = SteadyLabel(threshold)
        self._side = side
        self._points = OneEuro(_POINTS, _POINTS_BETA)
        self._scores = OneEuro(_SCORES, _SCORES_BETA)

    def reset_points(self) -> None:
        """Forget the landmarks of before a gap."""
        self._points.reset()

    def resize(self, factor: float) -> None:
        """Go on in frames of another size, in which the face is so much larger or smaller."""
        self._side *= factor
        self.reset_points()

    def reset_answers(self) -> None:
        """Forget the answers of before a gap; label and baseline stay."""
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
        index = self._steady.update(instant, seconds, smoothing=smoothing, look=look)
        label = None if index is None else prediction.labels[index]
        return Reading(prediction, replace(prediction, probabilities=smooth), label)

    def keep_explanation(self, explanation: Explanation | None, seconds: float) -> None:
        """Take in this frame's maps; each class's colour scale follows its largest of late.

        A scale of each frame's own would draw a weak map as strongly as a sure one.
        """
        last, self.explanation = self.explanation, explanation
        if last and explanation and last.method != explanation.method:
            self.scales = None  # methods measure in different units
        if self.scales is not None:
            self.scales = self.scales * float(np.exp(-seconds / _FADE))
        if explanation is not None:
            now = explanation.scales
            self.scales = now if self.scales is None else np.maximum(self.scales, now)
