"""A run from start to end: begin, resume, record."""

import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.data import Dataset, Subset, load_dataset, load_frames
from core.errors import (
    DISK_FULL,
    CoreError,
    DataError,
    ExplainError,
    TrainingError,
    refusal,
    sentence_of,
)
from core.explain import keep_reference
from core.labels import NEUTRAL
from core.paths import data_root, is_first_process
from core.process import ProcessId
from core.training.batches import Faces
from core.training.config import RunConfig
from core.training.distillation import taught
from core.training.optimise import check_accelerator
from core.training.run_folder import RunFolder, observe
from core.training.trainer import Stopped, Trainer, TrainingData
from core.types import Image

logger = logging.getLogger(__name__)
PARTS = ("train", "valid")
SMALLEST_PART = 2  # faces; fewer cannot be trained on or chosen by


class Records:
    """What a job leaves in its folder besides the trainer's files; only its first process writes.

    Args:
        folder: Of a run or a search.

    Attributes:
        state: As last set; "unknown" before.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.first = folder, is_first_process()
        self.started, self.state = time.time(), "unknown"

    @contextmanager
    def claimed(self, *, new: bool) -> Iterator[None]:
        """Hold the folder, so that nobody else trains or searches in it.

        Args:
            new: Whether it must hold no job yet.

        Raises:
            TrainingError: Another process holds it.
            ConfigError: It shall be new and holds a job.
        """
        if not self.first:
            yield
            return
        self.folder.path.mkdir(parents=True, exist_ok=True)
        claim = self.folder.claim
        if not claim.acquire():
            holder = ProcessId.from_json(claim.holder())
            raise TrainingError(
                f"{self.folder.name} is running already, in process {holder.pid} of {holder.host}. "
                "Wait for it, or stop it first."
            )
        try:
            self.refuse_company()
            if new:
                self.folder.refuse_taken()
                self.folder.forget_attempt()
            yield
        finally:
            claim.release()

    def refuse_company(self) -> None:
        """Make sure that no other process says that it works on this folder.

        A claim does not reach machines that share a folder without locks.

        Raises:
            TrainingError: One does.
        """
        former = observe(self.folder)
        if former.state == "running" and former.process != ProcessId.of():
            raise TrainingError(
                f"{self.folder.name} is running already, in process {former.process.pid} of "
                f"{former.process.host}. Wait for it, or stop it first."
            )

    def set(self, state: str, reason: str = "") -> None:
        """Replace status.json."""
        self.state = state
        if self.first:
            self.folder.set_status(state, reason, started=self.started)

    @contextmanager
    def begun(self, config: RunConfig, keep_stop: bool) -> Iterator[Callable[[], bool]]:
        """As `at_work` for a run, whose configuration is stored first."""
        if self.first:
            self.folder.create(config)
            if not keep_stop:
                self.folder.stop_request.unlink(missing_ok=True)
        with self.at_work("run") as is_asked:
            yield is_asked

    @contextmanager
    def at_work(self, what: str) -> Iterator[Callable[[], bool]]:
        """Keep status.json true while something works: running, then how it ended, in `state`.

        To be stopped is an end like any other: `Stopped` goes no further.

        Args:
            what: "run" or "search", for the log.

        Yields:
            Whether a stop was asked for, by a signal or by the folder's file.

        Raises:
            CoreError: It failed; status.json says why as well.
        """
        with log_file(self.folder.log) if self.first else nullcontext(), stop_signal() as signalled:
            self.set("running")
            try:
                yield lambda: bool(signalled) or self.folder.stop_request.exists()
            except Stopped as stopped:
                self.set("stopped", str(stopped) or "Stopped on request; it can be resumed.")
                self.folder.stop_request.unlink(missing_ok=True)
            except Exception as error:
                logger.exception("The %s failed", what)
                with suppress(OSError):  # what ended it is what the user must hear of
                    self.set("failed", sentence(error))
                if isinstance(error, CoreError):
                    raise
                raise CoreError(sentence(error)) from error
            else:
                self.set("finished")


def sentence(error: BaseException) -> str:
    """One sentence for a user about anything that can end a run."""
    if isinstance(error, CoreError):
        return str(error)
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    refused = refusal(error)
    if refused is not None and refused.errno in DISK_FULL:
        return f"The disk is full ({text}). Free some space, then resume; the last save is kept."
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "alloc" in text.lower():
        return f"Memory ran out ({text}). Lower the batch size and resume."
    if refused is not None:
        return sentence_of(refused)
    return f"The run ended with {type(error).__name__}: {text}."


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Send this package's log lines to a file as well, for a while."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    owner = logging.getLogger("core")
    level = owner.level
    owner.addHandler(handler)
    owner.setLevel(logging.INFO)
    try:
        yield
    finally:
        owner.removeHandler(handler)
        owner.setLevel(level)
        handler.close()


@contextmanager
def stop_signal() -> Iterator[list[int]]:
    """Collect SIGTERM and SIGINT instead of dying; outside the main thread nothing is changed."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    try:
        former = {kind: signal.signal(kind, note) for kind in (signal.SIGTERM, signal.SIGINT)}
    except ValueError:
        yield received
        return
    try:
        yield received
    finally:
        for kind, handler in former.items():
            signal.signal(kind, handler)


def training_data(config: RunConfig) -> TrainingData:
    """Load the parts a run needs into memory.

    Raises:
        DataError: The folder, the split or a part of it is missing.
    """
    folder = Path(config.data)
    folder = folder if folder.is_absolute() else data_root() / folder
    dataset = load_dataset(folder).of_classes(config.labels)
    subsets = {part: dataset.part(config.split, part, config.sources or None) for part in PARTS}
    for part, subset in subsets.items():
        if len(subset.labels) < SMALLEST_PART:
            raise DataError(
                f"Split {config.split!r} of {folder.name} has {len(subset.labels)} {part} images "
                f"of {', '.join(config.sources) or 'all sources'}; expected some. Choose other "
                "sources or another split."
            )
    if NEUTRAL in config.labels and config.labels.index(NEUTRAL) not in subsets["train"].labels:
        raise DataError(
            f"The training part of {folder.name} has no neutral face, which class_set=seven "
            "learns. Choose class_set=six, or prepare the data with a source that has some."
        )
    unknown = unknown_classes(subsets["train"], config.labels)
    reframed = config.augment.reframe > 0
    train, valid = (
        Faces(subset.images, subset.labels, known=_known(subset, unknown, config.labels))
        for subset in subsets.values()
    )
    if reframed:
        train = replace(train, frames=_frames_of(dataset, subsets["train"].ids))
    facts = {
        "name": folder.name,
        "data_hash": dataset.data_hash,
        "split": config.split,
        "sources": list(config.sources),
        "train": len(train.labels),
        "valid": len(valid.labels),
    }
    if unknown:
        facts["unknown_classes"] = unknown
        logger.info("Left out of the loss: %s", "; ".join(
            f"{', '.join(classes)} for faces of {source}" for source, classes in unknown.items()
        ))  # fmt: skip
    return TrainingData(train, valid, facts)


def unknown_classes(train: Subset, labels: tuple[str, ...]) -> dict[str, list[str]]:
    """Classes that a source does not tell apart: it has no picture of them, and another one has.

    Args:
        train: The training part.
        labels: All classes, in the order of the label numbers.

    Returns:
        Names of classes by source; sources that know all are left out.
    """
    counts = {
        str(source): np.bincount(train.labels[train.sources == source], minlength=len(labels))
        for source in sorted(set(train.sources))
    }
    somewhere = np.sum(list(counts.values()), axis=0) > 0
    lacking = {
        source: [labels[number] for number in np.flatnonzero(somewhere & (count == 0))]
        for source, count in counts.items()
    }
    return {source: classes for source, classes in lacking.items() if classes}


def _known(
    subset: Subset, unknown: Mapping[str, list[str]], labels: tuple[str, ...]
) -> NDArray[np.bool_] | None:
    """The classes each face's source tells apart, bool (N, K); None where each tells all."""
    if not unknown:
        return None
    known = np.ones((len(subset), len(labels)), dtype=bool)
    for source, classes in unknown.items():
        rows = np.flatnonzero(subset.sources == source)
        columns = np.array([labels.index(label) for label in classes])
        known[rows[:, None], columns] = False
    return known


def _frames_of(dataset: Dataset, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    frames = load_frames(dataset)
    if frames is None or not frames.looked[ids].any():
        raise DataError(
            "augment.reframe needs to know how the app would frame the training faces of "
            f"{dataset.folder.name}, which nobody has looked for. Run: "
            f"python -m core frame {dataset.folder}"
        )
    maps = frames.maps[ids]
    found = int(np.isfinite(maps[:, 0, 0]).sum())
    logger.info("The frame of %d of %d training faces is known", found, len(maps))
    return maps


def run_training(
    config: RunConfig,
    folder: RunFolder,
    *,
    resume: bool = False,
    new: bool = False,
    keep_stop: bool = False,
    data: TrainingData | None = None,
    stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[dict[str, Any]], None] = lambda progress: None,
    on_epoch: Callable[[dict[str, Any]], None] = lambda line: None,
) -> str:
    """Train in this process and leave a complete run folder.

    Args:
        config: The run's settings; with `resume` it must be the stored one.
        folder: The run's folder.
        resume: Whether to go on from last.pt.
        new: Whether the folder must hold no job yet.
        keep_stop: Whether a stop asked for before now counts, as it does for a queued run.
        data: The parts it needs, where they are loaded already.
        stop: Asked before every batch, besides the folder's own file.
        on_progress: Called about once a second.
        on_epoch: Called after every epoch; may raise `Stopped` with a reason.

    Returns:
        The final state, "finished" or "stopped".

    Raises:
        CoreError: The run failed; status.json says why as well. Or it did not begin, since another
            process works on the folder.
    """
    records = Records(folder)
    with records.claimed(new=new), records.begun(config, keep_stop) as is_asked:

        def is_stopped() -> bool:
            return is_asked() or stop()

        check_accelerator(config)
        data = training_data(config) if data is None else data
        trainer = Trainer(
            config,
            taught(data, config, is_stopped) if config.teacher else data,
            folder,
            stop=is_stopped,
            on_progress=on_progress,
            on_epoch=on_epoch,
        )
        if resume:
            trainer.restore()
        trainer.fit()
        if is_first_process():
            _keep_reference(folder, data.train.images)
    return records.state


def _keep_reference(folder: RunFolder, images: Image) -> None:
    """Keep what explanations need to know of other faces; without it other methods explain."""
    try:
        keep_reference(folder.path, images)
    except ExplainError as error:
        logger.info("No reference for Expected CAM: %s", error)
