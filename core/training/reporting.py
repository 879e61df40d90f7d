"""What a run tells while an epoch goes on: progress.json for the moment, steps.jsonl for curves."""

import time
from collections.abc import Callable
from typing import Any

from core.training.epoch_sums import EpochSums
from core.training.run_folder import RunFolder

PROGRESS_SECONDS = 1.0
STEP_LINES = 2000  # of steps.jsonl, at most, however long the run


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
