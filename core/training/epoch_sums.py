"""Running totals of the epoch in progress, saved with it, so that a resumed run has them."""

from dataclasses import dataclass
from typing import Any

SMOOTHING = 0.95  # of the per-batch loss that is shown


@dataclass(slots=True)
class EpochSums:
    """Totals over all processes; seconds are this process's own.

    Attributes:
        smooth: Exponential average of the per-batch loss, or None before the first.
    """

    loss: float = 0.0
    correct: int = 0
    faces: int = 0
    batches: int = 0
    input_seconds: float = 0.0
    seconds: float = 0.0
    smooth: float | None = None

    def add(
        self, loss: float, correct: int, faces: int, input_seconds: float, seconds: float
    ) -> None:
        """Count one step."""
        self.loss += loss
        self.correct += correct
        self.faces += faces
        self.batches += 1
        self.input_seconds += input_seconds
        self.seconds += seconds
        former = loss if self.smooth is None else self.smooth
        self.smooth = SMOOTHING * former + (1 - SMOOTHING) * loss

    @property
    def speed(self) -> float:
        """Faces a second."""
        return self.faces / max(self.seconds, 1e-9)

    @property
    def input_share(self) -> float:
        """Share of the time that went into making batches."""
        return self.input_seconds / max(self.seconds, 1e-9)

    def means(self) -> dict[str, float]:
        """The epoch's part of its line in metrics.jsonl."""
        return {
            "train_loss": self.loss / max(1, self.batches),
            "train_accuracy": self.correct / max(1, self.faces),
            "seconds": self.seconds,
            "faces_per_second": self.speed,
            "input_share": self.input_share,
        }

    def state(self) -> dict[str, Any]:
        """What last.pt keeps."""
        names = ("loss", "correct", "faces", "batches", "input_seconds", "seconds", "smooth")
        return {name: getattr(self, name) for name in names}
