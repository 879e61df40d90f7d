"""The name shown above a face: it stays while the evidence is noise and goes when it changes."""

import numpy as np
from numpy.typing import NDArray

# At smoothing 1. A rival needs this much more probability than the label shown before it counts,
# and then (lead x seconds) must add up to the sum: half of both is the default, so a rival that is
# ahead by 0.5 replaces the label after 0.05 / (0.5 - 0.2) = 0.17 s.
_LEAD = 0.4
_SUM = 0.1
_UNCLEAR_LEAD = 0.1  # around the calibrated threshold a smaller lead decides


class LabelKeeper:
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
