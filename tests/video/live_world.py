"""A world for pipeline tests: square 'faces' whose places and answers are known exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from core.labels import EMOTIONS
from core.models import Card
from core.preprocess import Preprocess
from core.types import Box, Detection, Explanation, Face, Image, LiveFace, Prediction
from core.video.answers import face_box
from core.video.tracking import face_square

HEIGHT, WIDTH = 240, 320
FAST = "expected_cam"  # the recommended method, whose maps come with the logits


def mean_shape() -> NDArray[np.float32]:
    """68 points on an ellipse, whose `face_square` is the unit square about (0, 0)."""
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    big = face_square(points * 1000)
    unit = (points * 1000 - np.array(big.centre, np.float32)) / big.width
    return unit.astype(np.float32)


SHAPE = mean_shape()
_LOGITS = np.log(np.array([0.7, 0.1, 0.05, 0.05, 0.05, 0.05]))


def placed(centre: tuple[float, float], side: float) -> NDArray[np.float32]:
    """The shape about a centre."""
    points: NDArray[np.float32] = (SHAPE * side + np.array(centre)).astype(np.float32)
    return points


@dataclass
class Person:
    """One face: a square of a texture of its own."""

    texture: int
    x: float
    y: float
    side: float = 80.0
    logits: tuple[float, ...] = (2.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    @property
    def box(self) -> Box:
        half = self.side / 2
        return Box(
            round(self.x - half), round(self.y - half), round(self.x + half), round(self.y + half)
        )

    def picture(self) -> Image:
        """The texture; its first pixel names the person, for the model to see."""
        dice = np.random.default_rng(self.texture)
        coarse = dice.integers(40, 255, (6, 6, 3), dtype=np.uint8)
        side = self.box.width
        return np.asarray(
            cv2.resize(coarse, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8
        )


@dataclass
class World:
    """Draws the frame, and is both the finder and the network that look at it."""

    people: list[Person] = field(default_factory=list)
    closed_form: bool = True
    threshold: float = 0.0
    blind: bool = False
    searches: int = 0
    explained: list[str] = field(default_factory=list)
    labels: tuple[str, ...] = EMOTIONS

    def __post_init__(self) -> None:
        self.card = Card("gimefive", self.labels, Preprocess(16, 16), threshold=self.threshold)
        self._answers: list[tuple[float, ...]] = []

    def frame(self) -> Image:
        image = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
        for person in self.people:
            picture, box = person.picture(), person.box
            part = box.clipped(WIDTH, HEIGHT)
            image[part.top : part.bottom, part.left : part.right] = picture[
                part.top - box.top : part.bottom - box.top,
                part.left - box.left : part.right - box.left,
            ]
        return image

    # --- what core.faces does

    def detect(self, image: Image, detector: str) -> Sequence[Detection]:
        self.searches += 1
        if self.blind:
            return ()
        found = [Detection(person.box, 1.0, detector) for person in self.people]
        return sorted(found, key=lambda one: -one.box.area)

    def landmarks(self, image: Image, detection: Detection) -> NDArray[np.float32]:
        """The true shape where a face is near; else one hallucinated into the box, like dlib's."""
        box = detection.box
        near = [person for person in self.people if box.overlap(person.box) > 0.4]
        if not near:
            return placed(box.centre, box.width)
        person = max(near, key=lambda one: box.overlap(one.box))
        return placed((person.x, person.y), person.side)

    def crop(
        self, image: Image, landmarks: NDArray[np.float32]
    ) -> tuple[Image, NDArray[np.float64]]:
        square = face_square(landmarks)
        scale = 16 / square.width
        matrix = np.array([[scale, 0, -square.left * scale], [0, scale, -square.top * scale]])
        nearest = max(self.people, key=lambda one: square.overlap(one.box), default=None)
        self._answers.append(nearest.logits if nearest else (0.0,) * len(self.labels))
        return np.zeros((16, 16, 3), np.uint8), matrix

    # --- what core.predict.Predictor does

    def method_of(self, name: str) -> str:
        return FAST if name == "recommended" else name

    def fast(
        self, pixels: Image, method: str | None = None
    ) -> tuple[NDArray[np.float64], tuple[Explanation, ...] | None]:
        logits = np.array(self._answers, np.float64)
        self._answers = []
        maps = np.tile(logits[:, :, None, None].clip(0), (1, 1, 2, 2)).astype(np.float32)
        if not self.closed_form or method != FAST:
            return logits, None
        return logits, tuple(Explanation(FAST, "last", self.labels, one) for one in maps)

    def prediction(self, logits: NDArray[np.float64]) -> Prediction:
        powers = np.exp(logits - logits.max())
        return Prediction(self.labels, powers / powers.sum(), logits, self.threshold)

    def explain(self, crop: Image, method: str) -> Explanation:
        self.explained.append(method)
        maps = np.ones((len(self.labels), 2, 2), np.float32)
        return Explanation(method, "somewhere", self.labels, maps)


def live_face(
    x: float = 160, y: float = 120, side: float = 80, label: str | None = "happiness", key: int = 1
) -> LiveFace:
    """A face about (x, y) whose map is hot in the left half."""
    points = placed((x, y), side)
    square, box = face_square(points), face_box(points)
    scale = 64 / square.width
    matrix = np.array([[scale, 0, -square.left * scale], [0, scale, -square.top * scale]])
    maps = np.zeros((6, 2, 2), np.float32)
    maps[:, :, 0] = 2.0
    prediction = Prediction(EMOTIONS, np.exp(_LOGITS), _LOGITS)
    return LiveFace(
        id=key,
        face=Face(Detection(box, 1.0, "any"), np.zeros((64, 64, 3), np.uint8), matrix, points),
        prediction=prediction,
        instant=prediction.probabilities,
        label=label,
        explanation=Explanation("grad_cam", "last", EMOTIONS, maps),
        scales=np.full(6, 2.0),
    )
