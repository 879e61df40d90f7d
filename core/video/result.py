"""What the pipeline says of one frame."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.types import Box, Explanation, Face, Prediction


@dataclass(frozen=True, slots=True, eq=False)
class LiveFace:
    """One face of one frame.

    Attributes:
        id: Stays the same while the face stays in view. It says where a face went, not who it is.
        face: Box, crop and the 68 landmarks, smoothed; the box is made from the landmarks and may
            reach over the frame's edge.
        prediction: Probabilities, smoothed.
        instant: float64 (K,), the probabilities of this frame alone.
        label: The expression to show, steadied; None for unclear.
        explanation: Maps of this frame (or of one shortly before, where the method is slow), or
            None where none is asked for.
        scale: The value that gets the strongest colour, steady over frames.
        detected: Whether a detector confirmed the face at this frame; else it was followed.
        resting: Collected share of the personal baseline, 0 to 1; 1 when it acts, None for none.
    """

    id: int
    face: Face
    prediction: Prediction
    instant: NDArray[np.float64]
    label: str | None
    explanation: Explanation | None = None
    scale: float = 0.0
    detected: bool = False
    resting: float | None = None

    @property
    def box(self) -> Box:
        return self.face.box

    @property
    def shown_probability(self) -> float:
        """Probability of the label shown, or the highest where it is unclear."""
        if self.label is None:
            return self.prediction.confidence
        return float(self.prediction.probabilities[self.prediction.labels.index(self.label)])


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """All faces of one frame, largest first; an empty tuple means that none was found.

    Attributes:
        time: Seconds on the clock of whoever gave the frame.
        width: Of the frame, in pixels.
        height: Of the frame, in pixels.
        faces: Largest first.
        searched: Whether a detector looked at this frame.
        seconds: How long the analysis took.
        notes: Plain sentences a user should see.
    """

    time: float
    width: int
    height: int
    faces: tuple[LiveFace, ...] = ()
    searched: bool = False
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())
