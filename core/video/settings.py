"""What a user may set while frames are coming in."""

from dataclasses import dataclass

from core.errors import ConfigError

PAPER_REFRESH = 5  # frames between two looks at the top label in the paper's demonstration
DEFAULT_SMOOTHING = 0.5


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How frames are searched, steadied and labelled; replaced as a whole, at any time.

    Attributes:
        detector: Registry name of the face detector.
        detect_every: Frames from one search for faces to the next; faces are followed between.
        smoothing: 0 for none, 1 for the steadiest; acts on landmarks, probabilities and label.
        label_every: Frames between two looks at the label; 1 at once, 5 as in the paper.
        max_faces: The largest faces so many are analysed; the time a frame takes grows with it.
        method: Registry name of the explanation, or None for none.
    """

    detector: str = "auto"
    detect_every: int = 5
    smoothing: float = DEFAULT_SMOOTHING
    label_every: int = 1
    max_faces: int = 8
    method: str | None = "grad_cam"

    def __post_init__(self) -> None:
        _check("detect_every", self.detect_every, 1, 100)
        _check("smoothing", self.smoothing, 0, 1)
        _check("label_every", self.label_every, 1, 100)
        _check("max_faces", self.max_faces, 1, 64)


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ConfigError(f"{name} is {value}; expected {least} to {most}.")
