"""The values that travel between the parts of the system.

Conventions: pictures are RGB uint8 (H, W, 3); boxes are whole pixels with exclusive ends; points
are float32 (x, y) in pixels of the picture they belong to; probabilities are float64 and sum to 1.
Nobody writes into an array held by one of these values.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def kind_of(value: object) -> str:
    """What was given in place of a picture, for the text of an error.

    >>> kind_of([1, 2]), kind_of(np.zeros((2, 3)))
    ('a list', 'an array of float64 and shape (2, 3)')
    """
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} and shape {value.shape}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


WHOLE = "whole"  # in place of a detector: the whole picture stands for the face


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels: left and top belong to it, right and bottom do not."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def area(self) -> int:
        return max(self.width, 0) * max(self.height, 0)

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)

    def clipped(self, width: int, height: int) -> "Box":
        """The part of the box inside a picture of this size."""
        return Box(
            min(max(self.left, 0), width),
            min(max(self.top, 0), height),
            min(max(self.right, 0), width),
            min(max(self.bottom, 0), height),
        )


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector returns: where, how sure, and who found it.

    Attributes:
        box: In pixels of the picture searched; may reach over its edge.
        score: The detector's own confidence, higher is surer, comparable within one detector only.
        detector: Registry name, or WHOLE where the whole picture stands for the face.
    """

    box: Box
    score: float
    detector: str

    @property
    def is_seen(self) -> bool:
        """Whether a detector saw a face: not where a picture was taken whole for want of one."""
        return self.detector != WHOLE or self.score > 0


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A found face with everything the model and the drawing need.

    Attributes:
        detection: Where it was found.
        crop: RGB uint8 (S, S, 3), square, turned so that the eyes are level.
        matrix: float64 (2, 3), affine map from picture pixels to crop pixels.
        landmarks: float32 (68, 2) in picture pixels (iBUG 300-W order), or None where they
            were not asked for, or what was fitted to a photo is no face.
    """

    detection: Detection
    crop: Image
    matrix: NDArray[np.float64]
    landmarks: NDArray[np.float32] | None = None

    @property
    def box(self) -> Box:
        return self.detection.box

    @property
    def crop_landmarks(self) -> NDArray[np.float32] | None:
        """The landmarks in crop pixels, float32 (68, 2)."""
        if self.landmarks is None:
            return None
        return (self.landmarks @ self.matrix[:, :2].T + self.matrix[:, 2]).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Probabilities of one face, in the order of `labels`.

    Attributes:
        labels: Class names from the checkpoint's card.
        probabilities: float64 (K,), sum 1.
        logits: float64 (K,), before the softmax (and before temperature scaling).
        threshold: Below this confidence the answer is called unclear; 0 where none is calibrated.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    logits: NDArray[np.float64]
    threshold: float = 0.0

    @property
    def index(self) -> int:
        return int(np.argmax(self.probabilities))

    @property
    def predicted(self) -> str:
        return self.labels[self.index]

    @property
    def confidence(self) -> float:
        return float(self.probabilities[self.index])

    @property
    def unclear(self) -> bool:
        return self.confidence < self.threshold


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Maps of one face for every class, in crop coordinates.

    Attributes:
        method: Registry name of the explainer, for example "grad_cam".
        layer: The layer explained, for example "block5.conv"; "input" for pixel methods.
        labels: Class names, in the order of `maps`.
        maps: float32 (K, h, w); not stretched, so values compare between classes of one face.
        signed: True where negative values mean evidence against the class.
        complete: True where a map's cells sum to the class's logit up to a stated constant.
    """

    method: str
    layer: str
    labels: tuple[str, ...]
    maps: NDArray[np.float32]
    signed: bool = False
    complete: bool = False

    def map_of(self, label: str) -> NDArray[np.float32]:
        """The map of one class, float32 (h, w)."""
        chosen: NDArray[np.float32] = self.maps[self.labels.index(label)]
        return chosen

    def is_blank(self, label: str) -> bool:
        """Whether the map of this class holds no evidence at all (a constant zero)."""
        return not bool(np.any(np.abs(self.map_of(label)) > BLANK))

    def speaks_only_against(self, label: str) -> bool:
        """Whether the map of this class holds evidence, and all of it is against the class."""
        return bool(self.map_of(label).max() <= BLANK) and not self.is_blank(label)

    @property
    def scales(self) -> NDArray[np.float64]:
        """The value of the strongest colour for each class's map, float64 (K,)."""
        return evidence_scales(self.maps)

    @property
    def scale(self) -> float:
        """The largest of `scales`: one colour scale for all classes of the face."""
        return float(self.scales.max(initial=0.0))

    def scale_of(self, label: str) -> float:
        """The value of the strongest colour for the map of one class."""
        return evidence_scale(self.map_of(label))


RECOMMENDED = "recommended"  # in place of a method's name: the one measured best for a network
BLANK = 1e-12  # below this a map value is rounding noise
_STRONGEST = 0.99  # quantile of |map| that gets the strongest colour
_ROUNDING = 1e-6  # of the largest value: what is smaller is float32 noise
FINE_CELLS = 16  # cells of a map a side; from here on brow, eye and mouth lie in cells of their own
# "last": the network's last convolution; "fine": its last ReLU with FINE_CELLS a side or more;
# "pooled": what the global average pooling takes in; "reference": that of the network's reference
# faces; "input": the pixels themselves.
DefaultLayer = Literal["last", "fine", "pooled", "reference", "input"]


def evidence_scales(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """The value that gets the strongest colour: the 99th percentile of each map's |evidence|.

    The largest value itself would let one hot pixel pale all others.  Where fewer than one cell in
    a hundred holds evidence, it is the largest value.

    Args:
        maps: float32 (K, h, w).

    Returns:
        float64 (K,); 0 for a blank map.
    """
    cells = np.abs(maps).reshape(len(maps), -1)
    count = cells.shape[1]
    if not count:
        return np.zeros(len(maps))
    # As np.percentile, in a fifth of its time: this runs for every face of every frame.
    place = _STRONGEST * (count - 1)
    below = int(place)
    ordered = np.partition(cells, below, axis=1).astype(np.float64)
    above = ordered[:, min(below + 1, count - 1) :]
    robust = ordered[:, below] + (place - below) * (above.min(axis=1) - ordered[:, below])
    largest = above.max(axis=1)
    scales: NDArray[np.float64] = np.where(robust > _ROUNDING * largest, robust, largest)
    return scales


def evidence_scale(evidence: NDArray[np.float32]) -> float:
    """`evidence_scales` of one map, float32 (h, w)."""
    return float(evidence_scales(evidence[None])[0])


@dataclass(frozen=True, slots=True, eq=False)
class FaceResult:
    """A face with its prediction and, where asked for, its explanation."""

    face: Face
    prediction: Prediction
    explanation: Explanation | None = None

    @property
    def label(self) -> str | None:
        """The expression to show; None for unclear."""
        return None if self.prediction.unclear else self.prediction.predicted


@dataclass(frozen=True, slots=True, eq=False)
class ImageResult:
    """All faces of one picture, largest first; an empty tuple means that none was found.

    Attributes:
        image: RGB uint8 (H, W, 3), upright.
        faces: One result a face.
        notes: Plain sentences a user should see, for example that the whole picture was used.
        turned: Degrees clockwise by which the picture given was turned: 0, 90, 180 or 270.
    """

    image: Image
    faces: tuple[FaceResult, ...] = ()
    notes: tuple[str, ...] = field(default=())
    turned: int = 0


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
        scales: float64 (K,), the value of each class's map that gets the strongest colour, steady
            over frames; None where there is no explanation.
        detected: Whether a detector confirmed the face at this frame; else it was followed.
        resting: Collected share of the personal baseline, 0 to 1; 1 when it acts, None for none.
    """

    id: int
    face: Face
    prediction: Prediction
    instant: NDArray[np.float64]
    label: str | None
    explanation: Explanation | None = None
    scales: NDArray[np.float64] | None = None
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

    def scale_of(self, label: str) -> float:
        """The value of a class's map that gets the strongest colour; 0 where it has no map."""
        explained = self.explanation
        if explained is None or self.scales is None or label not in explained.labels:
            return 0.0
        return float(self.scales[explained.labels.index(label)])


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
