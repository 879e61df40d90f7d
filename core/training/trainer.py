"""The training loop: resumable to the bit on a CPU in float32, stoppable at any batch border."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from lightning_fabric import Fabric
from sklearn.metrics import f1_score
from torch import Tensor, nn

from core.errors import TrainingError
from core.files import replacing
from core.models import MODELS, Card, build, library_versions, save_weights
from core.training.batches import BatchMaker, Faces, step_seed
from core.training.config import RunConfig
from core.training.optimise import WeightAverage, build_optimiser, learning_rate
from core.training.run_folder import RunFolder

logger = logging.getLogger(__name__)

VALIDATION_BATCH = 128
PROGRESS_SECONDS = 1.0
SMOOTHING = 0.95  # of the per-batch loss that is shown


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a run learns from and is chosen on.

    Attributes:
        train: Training part.
        valid: Validation part, disjoint from the test part and its twins.
        facts: Name, hash, split and counts for the card.
    """

    train: Faces
    valid: Faces
    facts: dict[str, Any]


class Stopped(Exception):  # noqa: N818 - an order, not an error
    """The run was asked to stop."""


class Trainer:
    """One run from its first or last saved step to its end.

    Args:
        config: The run's settings.
        data: Faces in memory.
        folder: Where everything is written.
        stop: Asked before every batch; true ends the run in state "stopped".
        on_progress: Called about once a second and after every epoch with what progress.json holds.
    """

    def __init__(
        self,
        config: RunConfig,
        data: TrainingData,
        folder: RunFolder,
        *,
        stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[dict[str, Any]], None] = lambda progress: None,
    ) -> None:
        self.config, self.data, self.folder = config, data, folder
        self.stop, self.on_progress = stop, on_progress
        self.fabric = Fabric(
            accelerator=config.accelerator,
            devices=config.devices,
            num_nodes=config.machines,
            precision=config.precision,
        )
        self.fabric.launch()
        self.fabric.seed_everything(config.seed, verbose=False)
        self.preprocess = MODELS[config.model].preprocess
        self.batches = BatchMaker(data.train, config, self.preprocess)
        model = build(config.model, len(config.labels), **config.model_options)
        model = model.to(memory_format=torch.channels_last)
        self.average = WeightAverage(model, config.ema) if config.ema else None
        self.model, self.optimiser = self.fabric.setup(model, build_optimiser(model, config))
        self.epoch, self.step = 0, 0
        self.best: dict[str, Any] = {}
        self.sums = _EpochSums()

    @property
    def network(self) -> nn.Module:
        """The bare network behind Fabric's wrapper."""
        module: nn.Module = self.model.module
        return module

    def fit(self) -> None:
        """Train to the end, early stopping or a stop request.

        Raises:
            Stopped: A stop was asked for; everything is saved.
            TrainingError: The loss is no number any more.
        """
        order = self.batches.order(self.epoch)
        saved = time.monotonic()
        while self.epoch < self.config.epochs:
            for step in range(self.step, self.batches.steps):
                if self.stop():
                    self.save()
                    raise Stopped
                self._one_step(step, order)
                self.step = step + 1
                if time.monotonic() - saved > 60 * self.config.save_minutes:
                    self.save()
                    saved = time.monotonic()
            self._end_epoch()
            saved = time.monotonic()
            order = self.batches.order(self.epoch)
            if self._patience_is_over():
                logger.info("No better epoch for %d epochs: stopped early", self.config.patience)
                return

    def _one_step(self, step: int, order: Tensor) -> None:
        started = time.perf_counter()
        inputs, targets, weights = self.batches.batch(self.epoch, step, order)
        prepared = time.perf_counter()
        share = slice(self.fabric.global_rank, None, self.fabric.world_size)
        inputs = inputs[share].contiguous(memory_format=torch.channels_last)
        inputs, targets, weights = self.fabric.to_device((inputs, targets[share], weights[share]))
        total_steps = self.batches.steps * self.config.epochs
        rate = learning_rate(
            self.config, self.epoch * self.batches.steps + step, total_steps, self.epoch
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        # Dropout draws from the global generator; its seed depends on the step alone.
        torch.manual_seed(step_seed(self.config.seed + 1, self.epoch, step))
        self.model.train()
        logits = self.model(inputs).float()
        losses = F.cross_entropy(logits, targets, reduction="none")
        loss = (losses * weights).mean()
        value = float(loss.detach())
        if value != value:
            raise TrainingError(
                f"The loss is no number in epoch {self.epoch + 1}, step {step + 1}. Lower the "
                f"learning rate ({rate:g}) or use precision 32-true, then resume."
            )
        self.optimiser.zero_grad()
        self.fabric.backward(loss)
        if self.config.gradient_clip:
            self.fabric.clip_gradients(
                self.model, self.optimiser, max_norm=self.config.gradient_clip
            )
        self.optimiser.step()
        if self.average is not None:
            self.average.update(self.network)
        correct = int((logits.argmax(1) == targets.argmax(1)).sum())
        now = time.perf_counter()
        self.sums.add(value, correct, len(logits), prepared - started, now - started)
        self._report_progress(rate, value)

    def _report_progress(self, rate: float, loss: float) -> None:
        sums = self.sums
        sums.smooth = (
            loss if sums.smooth is None else SMOOTHING * sums.smooth + (1 - SMOOTHING) * loss
        )
        if time.monotonic() - sums.reported < PROGRESS_SECONDS or not self.fabric.is_global_zero:
            return
        sums.reported = time.monotonic()
        done = self.epoch * self.batches.steps + self.step + 1
        total = self.batches.steps * self.config.epochs
        speed = sums.faces / max(sums.seconds, 1e-9) * self.fabric.world_size
        progress = {
            "epoch": self.epoch + 1,
            "epochs": self.config.epochs,
            "step": self.step + 1,
            "steps": self.batches.steps,
            "share": done / total,
            "loss": sums.smooth,
            "learning_rate": rate,
            "faces_per_second": speed,
            "input_share": sums.input_seconds / max(sums.seconds, 1e-9),
            "eta_seconds": (total - done) * self.config.batch_size / max(speed, 1e-9),
            "time": time.time(),
        }
        self.folder.set_progress(**progress)
        self.on_progress(progress)

    def _end_epoch(self) -> None:
        line = {"epoch": self.epoch + 1, **self.sums.means(), **self.validate()}
        line["learning_rate"] = self.optimiser.param_groups[0]["lr"]
        line["side"] = self.batches.side(self.epoch)
        key = (line["valid_accuracy"], -line["valid_loss"])
        if not self.best or key > (self.best["valid_accuracy"], -self.best["valid_loss"]):
            self.best = dict(line)
            if self.fabric.is_global_zero:
                save_weights(self.kept_state(), self.folder.weights)
                self.card().save(self.folder.card)
        self.epoch, self.step, self.sums = self.epoch + 1, 0, _EpochSums()
        self.save()
        if self.fabric.is_global_zero:
            self.folder.append_metrics(line)
        logger.info(
            "Epoch %d of %d: train loss %.4f accuracy %.4f, valid loss %.4f accuracy %.4f "
            "macro-F1 %.4f, %.0f faces/s",
            line["epoch"], self.config.epochs, line["train_loss"], line["train_accuracy"],
            line["valid_loss"], line["valid_accuracy"], line["valid_macro_f1"],
            line["faces_per_second"],
        )  # fmt: skip

    def _patience_is_over(self) -> bool:
        waited = self.epoch - int(self.best["epoch"])
        return self.config.patience > 0 and waited >= self.config.patience

    def kept_state(self) -> dict[str, Tensor]:
        """The state that is validated and kept: the average, or the network itself."""
        return self.network.state_dict() if self.average is None else self.average.state

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss, accuracy and macro-F1 of the kept state on the validation part."""
        network = build(self.config.model, len(self.config.labels), **self.config.model_options)
        network.load_state_dict(self.kept_state())
        network = network.to(self.fabric.device).to(memory_format=torch.channels_last).eval()
        valid = self.data.valid
        logits = []
        for start in range(0, len(valid.labels), VALIDATION_BATCH):
            images = valid.images[start : start + VALIDATION_BATCH]
            if images.shape[1] != self.preprocess.size:
                images = self.batches.resized(images)
            batch = torch.from_numpy(self.preprocess.normalise(images)).to(self.fabric.device)
            with self.fabric.autocast():
                logits.append(network(batch).float().cpu())
        scores = torch.cat(logits)
        labels = torch.from_numpy(valid.labels)
        predicted = scores.argmax(1)
        classes = range(len(self.config.labels))
        return {
            "valid_loss": float(F.cross_entropy(scores, labels)),
            "valid_accuracy": float((predicted == labels).float().mean()),
            "valid_macro_f1": float(
                f1_score(labels, predicted, labels=classes, average="macro", zero_division=0.0)
            ),
        }

    def card(self) -> Card:
        """The card of the kept weights."""
        return Card(
            model=self.config.model,
            model_options=self.config.model_options,
            labels=self.config.labels,
            preprocess=self.preprocess,
            data=self.data.facts,
            metrics=self.best,
            training=self.config.to_json(),
            versions=library_versions(),
        )

    def save(self) -> None:
        """Write last.pt: all that is needed to go on from here."""
        if not self.fabric.is_global_zero:
            return
        state = {
            "model": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": None if self.average is None else self.average.state,
            "average_steps": 0 if self.average is None else self.average.steps,
            "epoch": self.epoch,
            "step": self.step,
            "best": self.best,
            "sums": self.sums.state(),
        }
        with replacing(self.folder.last) as temporary:
            torch.save(state, temporary)

    def restore(self) -> None:
        """Go on where last.pt was written; without one, start at the beginning.

        Raises:
            TrainingError: The file does not fit this configuration.
        """
        if not self.folder.last.exists():
            self.folder.forget_after(0)
            return
        path: Path = self.folder.last
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            if self.average is not None:
                for key, value in state["average"].items():
                    self.average.state[key].copy_(value)
                self.average.steps = state["average_steps"]
        except (RuntimeError, KeyError, ValueError, EOFError) as error:
            raise TrainingError(
                f"{path.name} of {self.folder.name} does not fit the run ({error}). Start it anew "
                "under another name."
            ) from error
        self.epoch, self.step = int(state["epoch"]), int(state["step"])
        self.best = dict(state["best"])
        self.sums = _EpochSums(**state["sums"])
        self.folder.forget_after(self.epoch)
        logger.info("Resumed at epoch %d, step %d", self.epoch + 1, self.step)


@dataclass(slots=True)
class _EpochSums:
    """Running totals of the epoch in progress."""

    loss: float = 0.0
    correct: int = 0
    faces: int = 0
    batches: int = 0
    input_seconds: float = 0.0
    seconds: float = 0.0
    smooth: float | None = None
    reported: float = 0.0

    def add(
        self, loss: float, correct: int, faces: int, input_seconds: float, seconds: float
    ) -> None:
        self.loss += loss
        self.correct += correct
        self.faces += faces
        self.batches += 1
        self.input_seconds += input_seconds
        self.seconds += seconds

    def means(self) -> dict[str, float]:
        return {
            "train_loss": self.loss / max(1, self.batches),
            "train_accuracy": self.correct / max(1, self.faces),
            "seconds": self.seconds,
            "faces_per_second": self.faces / max(self.seconds, 1e-9),
            "input_share": self.input_seconds / max(self.seconds, 1e-9),
        }

    def state(self) -> dict[str, Any]:
        names = ("loss", "correct", "faces", "batches", "input_seconds", "seconds", "smooth")
        return {name: getattr(self, name) for name in names}
