"""The training loop: resumable to the bit on a CPU in float32, stoppable at any batch border."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from lightning_fabric import Fabric
from torch import Tensor, nn

from core.errors import TrainingError
from core.files import replacing
from core.models import MODELS, Card, build, library_versions, put_state, save_weights
from core.paths import processes_here
from core.training.batches import BatchMaker, TrainingData, masked, step_seed
from core.training.config import RunConfig
from core.training.fine_tuning import start_from
from core.training.optimise import (
    WeightAverage,
    build_optimiser,
    clipped,
    learning_rate,
    may_fuse,
    precision,
    take_up,
)
from core.training.progress import EpochSums, Reporter, StepFacts, Unread, figures, refuse_infinite
from core.training.run_folder import RunFolder

logger = logging.getLogger(__name__)

VALIDATION_BATCH = 128
VALID = "valid loss %(valid_loss).4f accuracy %(valid_accuracy).4f macro-F1 %(valid_macro_f1).4f"


class Stopped(Exception):  # noqa: N818 - an order, not an error
    """The run was asked to stop."""


class Trainer:
    """One run from its first or last saved step to its end.

    Args:
        config: The run's settings.
        data: Faces in memory.
        folder: Where everything is written.
        resume: Whether `restore` follows: a network that was saved is not begun anew.
        stop: Asked before every batch; true ends the run in state "stopped".
        on_progress: Called about once a second with what progress.json holds.
        on_epoch: Called after every epoch with its line of metrics.jsonl, in the first process.

    Several processes, started by Fabric (`devices`) or torchrun, share every batch; whatever they
    must agree on (loss, stop, early stopping) is exchanged, so that none waits for another.
    """

    def __init__(
        self,
        config: RunConfig,
        data: TrainingData,
        folder: RunFolder,
        *,
        resume: bool = False,
        stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[dict[str, Any]], None] = lambda progress: None,
        on_epoch: Callable[[dict[str, Any]], None] = lambda line: None,
    ) -> None:
        self.config, self.data, self.folder = config, data, folder
        self.stop, self.on_epoch = stop, on_epoch
        devices, machines = processes_here(config.devices, config.machines)
        self.fabric = Fabric(
            accelerator=config.accelerator, devices=devices, num_nodes=machines,
            precision=precision(config),
        )  # fmt: skip
        self.fabric.launch()
        self.fabric.seed_everything(config.seed, verbose=False)
        self.preprocess = MODELS[config.model].preprocess
        device = self.fabric.device
        self.batches = BatchMaker(data.train, config, self.preprocess, device)
        model = self._built()
        self.origin = {} if resume and folder.last.exists() else self._start(model)
        model = model.to(memory_format=torch.channels_last)
        if config.compile:
            model.compile()
        optimiser = build_optimiser(model, config, fused=may_fuse(config, device))
        self.model, self.optimiser = self.fabric.setup(model, optimiser)
        self.average = WeightAverage(self.network, config.ema) if config.ema else None
        self.epoch, self.step = 0, 0
        self.best: dict[str, Any] = {}
        self.sums = EpochSums()
        self.unread = Unread(self.batches.steps, device, self._summed)
        self.reporter = Reporter(
            folder, config.epochs, self.batches.steps, config.batch_size, on_progress
        )

    def _built(self) -> nn.Module:
        return build(self.config.model, len(self.config.labels), **self.config.model_options)

    def _start(self, model: nn.Module) -> dict[str, Any]:
        """Put the initial weights into a network, where the run has some; what they are."""
        return start_from(model, self.config, self.batches.sample) if self.config.initial else {}

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
        try:
            self._learn()
        except Stopped:
            self._leave()
            raise
        self._leave()

    def _leave(self) -> None:
        """Leave the other processes; Gloo's threads may abort one that ends within their group."""
        if self.fabric.world_size > 1:
            torch.distributed.destroy_process_group()

    def _learn(self) -> None:
        if "initial" in self.origin and not self.best and (self.epoch, self.step) == (0, 0):
            self._keep_start()
        order = self.batches.order(self.epoch)
        saved = time.monotonic()
        while self.epoch < self.config.epochs:
            for step in range(self.step, self.batches.steps):
                if self.unread.is_empty and self._stop_is_asked():
                    self.save()
                    raise Stopped
                self.one_step(step, order)
                self.step = step + 1
                is_time = time.monotonic() - saved > 60 * self.config.save_minutes
                if is_time and self.unread.is_empty:
                    self.save()
                    saved = time.monotonic()
            self._end_epoch()
            saved = time.monotonic()
            order = self.batches.order(self.epoch)
            if self._patience_is_over():
                logger.info("No better epoch for %d epochs: stopped early", self.config.patience)
                return

    def _keep_start(self) -> None:
        """Keep the initial weights as epoch 0, until an epoch is better."""
        line = self._line(0)
        if line is None:
            raise Stopped
        self._keep(line)
        logger.info("Start from %s: %s", self.config.initial, VALID % line)

    def one_step(self, step: int, order: Tensor) -> None:
        """Learn from one batch of the present epoch.

        Args:
            step: Its number in the epoch.
            order: int64 (N,), this epoch's permutation of the training part.

        Raises:
            TrainingError: The loss is no number any more.
        """
        started = time.perf_counter()
        inputs, targets, weights, known = self.batches.batch(self.epoch, step, order)
        prepared = time.perf_counter()
        rank, world = self.fabric.global_rank, self.fabric.world_size
        share, whole = slice(rank, None, world), len(inputs)
        inputs = inputs[share].contiguous(memory_format=torch.channels_last)
        inputs, targets, weights, known = self.fabric.to_device(
            (inputs, targets[share], weights[share], known[share])
        )
        total_steps = self.batches.steps * self.config.epochs
        rate = learning_rate(
            self.config, self.epoch * self.batches.steps + step, total_steps, self.epoch
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        # Dropout draws from the global generator; its seed depends on step and process alone.
        torch.manual_seed(step_seed(self.config.seed + 1 + rank, self.epoch, step))
        self.model.train()
        logits = masked(self.model(inputs).float(), known)
        # Gradients are averaged over processes, whose shares may differ by one face.
        losses = F.cross_entropy(logits, targets, reduction="none")
        loss = (losses * weights).sum() * (world / whole)
        right = (logits.argmax(1) == targets.argmax(1)).sum()
        self.optimiser.zero_grad()
        self.fabric.backward(loss)
        norm = clipped(self.fabric, self.model, self.optimiser, self.config)
        self.optimiser.step()
        if self.average is not None:
            self.average.update(self.network)
        now = time.perf_counter()
        parts = (loss.detach() / world, right.float(), norm)
        facts = StepFacts(step, rate, whole, prepared - started, now - started)
        self.unread.add(torch.stack(parts), facts)
        if self.unread.is_due:
            self.unread.read(self.sums, self.epoch)
            if self.fabric.is_global_zero:
                self.reporter.step(self.epoch, step, self.sums, rate)

    def _summed(self, values: Tensor) -> list[list[float]]:
        """Sums of a table of numbers over all processes."""
        if self.fabric.world_size > 1:
            values = self.fabric.all_reduce(values, reduce_op="sum")  # type: ignore[assignment]
        return values.tolist()

    def _stop_is_asked(self) -> bool:
        """Whether any process was asked to stop; all get the same answer."""
        return self._summed(torch.tensor([[float(self.stop())]]))[0][0] > 0

    def _line(self, epoch: int) -> dict[str, Any] | None:
        """Figures of an epoch, 0 for the start, the same in all processes; None after a stop."""
        line: dict[str, Any] | None = None
        if self.fabric.is_global_zero:
            with suppress(Stopped):
                line = {"epoch": epoch, **(self.sums.means() if epoch else {}), **self.validate()}
        return self.fabric.broadcast(line)

    def _end_epoch(self) -> None:
        line = self._line(self.epoch + 1)
        if line is None:
            self.step = self.batches.steps  # a resumed run validates again, and trains no step
            self.save()
            raise Stopped
        rate, side = self.optimiser.param_groups[0]["lr"], self.batches.side(self.epoch)
        refuse_infinite(line, rate)
        line |= {"learning_rate": rate, "side": side}
        key = (line["valid_accuracy"], -line["valid_loss"])
        if not self.best or key > (self.best["valid_accuracy"], -self.best["valid_loss"]):
            self._keep(line)
        smooth = self.sums.smooth
        self.epoch, self.step = self.epoch + 1, 0
        self.sums = EpochSums(smooth=smooth)
        try:  # told before it is saved: who is killed in between tells it again, and loses none
            if self.fabric.is_global_zero:
                self.reporter.epoch(line, smooth)
                self.on_epoch(line)
        finally:
            self.save()
        logger.info(
            "Epoch %d of %d: train loss %.4f accuracy %.4f, %s, %.0f faces/s",
            line["epoch"], self.config.epochs, line["train_loss"], line["train_accuracy"],
            VALID % line, line["faces_per_second"],
        )  # fmt: skip

    def _keep(self, line: dict[str, Any]) -> None:
        self.best = dict(line)
        if self.fabric.is_global_zero:
            save_weights(self.kept_state(), self.folder.weights)
            self.card().save(self.folder.card)

    def _patience_is_over(self) -> bool:
        waited = self.epoch - int(self.best["epoch"])
        return self.config.patience > 0 and waited >= self.config.patience

    def kept_state(self) -> dict[str, Tensor]:
        """The state that is validated and kept: the average, or the network itself."""
        return self.network.state_dict() if self.average is None else self.average.state

    def validate(self) -> dict[str, float]:
        """Loss, accuracy and macro-F1 of the kept state on the validation part; see `figures`.

        Raises:
            Stopped: A stop was asked for; nothing is saved yet.
        """
        network = self._built()
        put_state(network, self.kept_state())
        network = network.to(self.fabric.device).to(memory_format=torch.channels_last).eval()
        valid, logits = self.data.valid, []
        for batch in self.batches.inputs(valid.images, VALIDATION_BATCH):
            if self.stop():
                raise Stopped
            with torch.no_grad(), self.fabric.autocast():
                logits.append(network(batch.to(self.fabric.device)).float().cpu())
        answers = masked(torch.cat(logits), valid.known)
        return figures(answers, torch.from_numpy(valid.labels), self.kept_state())

    def card(self) -> Card:
        """The card of the kept weights."""
        return Card(
            model=self.config.model,
            model_options=self.config.model_options,
            labels=self.config.labels,
            preprocess=self.preprocess,
            data=self.data.facts | self.origin,
            metrics=self.best,
            training=self.config.to_json() | {"device": self.fabric.device.type},
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
            "epoch": self.epoch, "step": self.step, "best": self.best, "origin": self.origin,
            "sums": self.sums.state(), "data_hash": self.data.facts.get("data_hash"),
        }  # fmt: skip
        # Opened by Python, so that a full disk is an OSError and not torch's own text.
        with replacing(self.folder.last) as temporary, temporary.open("wb") as file:
            torch.save(state, file)

    def restore(self) -> None:
        """Go on where last.pt was written; without one, start at the beginning.

        Raises:
            TrainingError: The file does not fit this configuration.
        """
        if not self.folder.last.exists():
            self._forget_after(0.0)
            return
        try:
            state = torch.load(self.folder.last, map_location="cpu", weights_only=True)
            put_state(self.network, state["model"])
            take_up(self.optimiser, state["optimiser"])
            if self.average is not None:
                self.average.restore(state["average"] or self.network.state_dict())
                self.average.steps = state["average_steps"]
            epoch, step, best = int(state["epoch"]), int(state["step"]), dict(state["best"])
            sums = EpochSums(**state["sums"])
        except OSError:
            raise
        except Exception as error:  # torch's own words would have the user switch its safety off
            raise TrainingError(
                f"last.pt of {self.folder.name} is damaged, or does not fit the run "
                f"({type(error).__name__}). Start it anew under another name."
            ) from error
        if state.get("data_hash") not in (None, self.data.facts.get("data_hash")):
            raise TrainingError(f"The data set of {self.folder.name} has changed. Start it anew.")
        self.epoch, self.step, self.best, self.sums = epoch, step, best, sums
        self.origin = state["origin"] if "origin" in state else self._start(self._built())
        self._forget_after(self.epoch + self.step / self.batches.steps)
        logger.info("Resumed at epoch %d, step %d", self.epoch + 1, self.step)

    def _forget_after(self, at: float) -> None:
        if self.fabric.is_global_zero:
            self.folder.forget_after(at)
