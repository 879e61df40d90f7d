"""What the pipeline needs of a network, of a face finder and of a film, and what it tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from core.types import Detection, Explanation, Image, Prediction

if TYPE_CHECKING:
    from core.models import Card

Points = NDArray[np.float32]


class FrameModel(Protocol):
    """The part of `core.predict.Predictor` that is used on frames."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the logits."""
        ...

    card: "Card"

    def fast(
        self, pixels: Image, method: str | None = None
    ) -> tuple[NDArray[np.float64], tuple[Explanation, ...] | None]:
        """Logits (N, K) of uint8 (N, S, S) and the explanation of each; None for a slow method."""
        ...

    def method_of(self, name: str) -> str:
        """The method that a name stands for: itself, or the recommended one."""
        ...

    def prediction(self, logits: NDArray[np.float64]) -> Prediction:
        """The answer that logits (K,) stand for."""
        ...

    def explain(self, crop: Image, method: str) -> Explanation:
        """Maps of every class for one crop, by any method."""
        ...


class FaceFinder(Protocol):
    """The part of `core.faces` that is used on frames."""

    def detect(self, image: Image, detector: str) -> Sequence[Detection]:
        """Faces of a picture; empty where there is none."""
        ...

    def landmarks(self, image: Image, detection: Detection) -> Points:
        """68 landmarks float32 (68, 2) fitted into a box."""
        ...

    def crop(self, image: Image, landmarks: Points) -> tuple[Image, NDArray[np.float64]]:
        """Square crop with the eyes level, and the affine map (2, 3) that made it."""
        ...


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a file says of itself.

    Attributes:
        width: Of the frames given: upright, square pixels, perhaps shrunk; even.
        height: Ditto.
        source_width: As stored.
        source_height: As stored.
        rate: Frames a second on average.
        duration: Seconds; None where the file does not say.
        frames: Expected number; None where only reading would tell.
        rotation: Degrees by which a player turns the stored picture, anticlockwise.
        mirrored: Whether it then swaps left and right, as for some front cameras.
        codec: Name of the video codec.
        sound: Name of the audio codec, or None for no sound.
    """

    width: int
    height: int
    source_width: int
    source_height: int
    rate: float
    duration: float | None
    frames: int | None
    rotation: int
    mirrored: bool
    codec: str
    sound: str | None


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One frame.

    Attributes:
        number: From 0 at the start of the part that is read; -1 in the run-up to it.
        time: Seconds from the film's first frame; strictly increasing.
        image: RGB uint8 (H, W, 3), upright.
        filled: Whether the decoder filled in damaged parts of it.
    """

    number: int
    time: float
    image: Image
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a film: its frames from a start on and before an end.

    Attributes:
        start: Seconds from the first frame.
        end: Ditto; None for the film's end.
        run_up: Seconds before the start that are given too, for what needs a past.
    """

    start: float = 0.0
    end: float | None = None
    run_up: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an analysis has come.

    Attributes:
        frames: Done.
        expected: Frames in all; None where the file does not say.
        time: Seconds of video done.
        elapsed: Seconds since the beginning.
    """

    frames: int
    expected: int | None
    time: float
    elapsed: float

    @property
    def share(self) -> float | None:
        """Part done, 0 to 1; None where the end is unknown."""
        return min(self.frames / self.expected, 1.0) if self.expected else None


WHOLE = Span()
