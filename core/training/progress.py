"""Sums, progress files and validation of an epoch."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from torch import Tensor

from core.errors import TrainingError
from core.training.run_folder import RunFolder

SMOOTHING = 0.95  # of the per-batch loss that is shown
PROGRESS_SECONDS = 1.0
STEP_LINES = 2000  # of steps.jsonl, at most, however long the run
READINGS = 20  # of an epoch's losses, on an accelerator


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


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What is known of a step when it has been asked for.

    Attributes:
        step: Its number in the epoch, from 0.
        rate: Learning rate.
        faces: Over all processes.
        input_seconds: Time that went into making its batch.
        seconds: Time in all, without waiting for an accelerator.
    """

    step: int
    rate: float
    faces: int
    input_seconds: float
    seconds: float


class Unread:
    """Steps whose loss nobody has looked at.

    An accelerator is still at work when Python has asked for a step, and goes on while Python
    prepares the next ones. Whoever reads a number waits for it, so that this is done `READINGS`
    times an epoch; on a CPU, at once.

    Args:
        steps: Of an epoch.
        device: That trains.
        summed: Gives the sums of float32 (R, 3) over all processes, as numbers.
    """

    def __init__(
        self, steps: int, device: torch.device, summed: Callable[[Tensor], list[list[float]]]
    ) -> None:
        self.steps, self.summed = steps, summed
        self.every = 1 if device.type == "cpu" else max(1, steps // READINGS)
        self._figures: list[Tensor] = []
        self._facts: list[StepFacts] = []

    @property
    def is_empty(self) -> bool:
        """Whether every step was read."""
        return not self._facts

    @property
    def is_due(self) -> bool:
        """Whether it is time to read: the same in all processes, and always behind an epoch."""
        done = self._facts[-1].step + 1 if self._facts else 0
        return done % self.every == 0 or done == self.steps

    def add(self, figures: Tensor, facts: StepFacts) -> None:
        """Keep a step.

        Args:
            figures: float32 (3,), this process's part of the mean loss, of the right answers, and a
                norm of the gradient or 0.
            facts: The rest.
        """
        self._figures.append(figures)
        self._facts.append(facts)

    def read(self, sums: EpochSums, epoch: int) -> None:
        """Count all that is kept, and forget it.

        Args:
            sums: Of the epoch.
            epoch: Its number from 0.

        Raises:
            TrainingError: A loss is no number, or a gradient not finite: the weights are lost.
        """
        started = time.perf_counter()
        figures = self.summed(torch.stack(self._figures))
        waited = (time.perf_counter() - started) / len(figures)
        for (loss, correct, norm), facts in zip(figures, self._facts, strict=True):
            if math.isnan(loss) or not math.isfinite(norm):
                what = "loss is no number" if math.isnan(loss) else "gradient is not finite"
                where = f"in epoch {epoch + 1}, step {facts.step + 1}"
                raise TrainingError(f"The {what} {where}. {_remedy(facts.rate)}")
            seconds = facts.seconds + waited
            sums.add(loss, int(correct), facts.faces, facts.input_seconds, seconds)
        self._figures.clear()
        self._facts.clear()


def _remedy(rate: float) -> str:
    return f"Lower the learning rate ({rate:g}) or use precision 32-true, then resume."


def refuse_infinite(line: dict[str, Any], rate: float) -> None:
    """Make sure that an epoch's last step has not lost the weights.

    Args:
        line: Of metrics.jsonl.
        rate: Learning rate of the step.

    Raises:
        TrainingError: The validation loss is not finite.
    """
    if not math.isfinite(line["valid_loss"]):
        what = f"The weights or the validation loss after epoch {line['epoch']}"
        raise TrainingError(f"{what} are not finite. {_remedy(rate)}")


class Reporter:
    """Writes about once a second.

    Args:
        folder: The run's folder.
        epochs: Of the run.
        steps: Of an epoch.
        batch_size: Faces a step.
        on_progress: Called with what progress.json holds.
    """

    def __init__(
        self,
        folder: RunFolder,
        epochs: int,
        steps: int,
        batch_size: int,
        on_progress: Callable[[dict[str, Any]], None],
    ) -> None:
        self.folder, self.on_progress = folder, on_progress
        self.epochs, self.steps, self.batch_size = epochs, steps, batch_size
        self.reported = float("-inf")  # on the monotonic clock
        self.noted = 0  # number of the step last written to steps.jsonl

    def step(self, epoch: int, step: int, sums: EpochSums, rate: float) -> None:
        """Tell of a step that was made, unless the last one is not long ago.

        Args:
            epoch: Number of the epoch from 0.
            step: Number of the step in it from 0.
            sums: Totals of the epoch, with this step.
            rate: Learning rate of the step.
        """
        if time.monotonic() - self.reported < PROGRESS_SECONDS:
            return
        self.reported = time.monotonic()
        done, total = epoch * self.steps + step + 1, self.steps * self.epochs
        progress = {
            "epoch": epoch + 1,
            "epochs": self.epochs,
            "step": step + 1,
            "steps": self.steps,
            "share": done / total,
            "loss": sums.smooth,
            "learning_rate": rate,
            "faces_per_second": sums.speed,
            "input_share": sums.input_share,
            "eta_seconds": (total - done) * self.batch_size / max(sums.speed, 1e-9),
            "time": time.time(),
        }
        self.folder.set_progress(**progress)
        if done - self.noted >= total / STEP_LINES:
            self.noted = done
            self._note(done / self.steps, sums.smooth, rate)
        self.on_progress(progress)

    def epoch(self, line: dict[str, Any], smooth: float | None) -> None:
        """Tell of an epoch that ended: its line of metrics.jsonl and the smoothed batch loss."""
        self.folder.append_metrics(line)
        self._note(line["epoch"], smooth, line["learning_rate"])

    def _note(self, at: float, loss: float | None, rate: float) -> None:
        self.folder.append_step({"at": at, "loss": loss, "learning_rate": rate})


def figures(
    logits: Tensor, labels: Tensor, state: Mapping[str, Tensor] | None = None
) -> dict[str, float]:
    """Loss, accuracy and macro-F1.

    Args:
        logits: float32 (N, K).
        labels: int64 (N,), 0 to K - 1.
        state: Of the network; the loss is infinite where it cannot be stored.

    Returns:
        valid_loss, valid_accuracy and valid_macro_f1, the mean over the classes that occur among
        the labels, as in reports.
    """
    predicted = logits.argmax(1)
    whole = all(_can_be_stored(one) for one in (state or {}).values())
    return {
        "valid_loss": float(F.cross_entropy(logits, labels)) if whole else math.inf,
        "valid_accuracy": float((predicted == labels).float().mean()),
        "valid_macro_f1": macro_f1(labels.numpy(), predicted.numpy()),
    }


def macro_f1(labels: NDArray[np.int64], answers: NDArray[np.int64]) -> float:
    """Mean F1, 0 to 1, of the classes that occur among the labels.

    Args:
        labels: int64 (N,).
        answers: int64 (N,); a class that is never answered has an F1 of 0.
    """
    known = np.unique(labels)
    return float(f1_score(labels, answers, labels=known, average="macro", zero_division=0.0))


def _can_be_stored(value: Tensor) -> bool:
    """Whether it is finite as `save_weights` writes it, matrices in half precision."""
    return bool((value.half() if value.ndim >= 2 else value).isfinite().all())
