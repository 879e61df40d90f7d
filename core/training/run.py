"""Start, resume and end a run: data in, a run folder out, and a status that always tells."""

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from core.data import load_dataset
from core.errors import CoreError, DataError
from core.paths import data_root
from core.training.batches import Faces
from core.training.config import RunConfig
from core.training.run_folder import RunFolder
from core.training.trainer import Stopped, Trainer, TrainingData

logger = logging.getLogger(__name__)

SMALLEST_PART = 2  # faces; fewer cannot be trained on or chosen by


def training_data(config: RunConfig) -> TrainingData:
    """Load the parts a run needs into memory.

    Raises:
        DataError: The folder, the split or a part of it is missing.
    """
    folder = Path(config.data)
    dataset = load_dataset(folder if folder.is_absolute() else data_root() / folder)
    parts = {}
    for part in ("train", "valid"):
        subset = dataset.part(config.split, part, sources=config.sources or None)
        if len(subset.labels) < SMALLEST_PART:
            raise DataError(
                f"Split {config.split!r} of {folder.name} has {len(subset.labels)} {part} images "
                f"of {', '.join(config.sources) or 'all sources'}; expected some. Choose other "
                "sources or another split."
            )
        parts[part] = Faces(subset.images, subset.labels)
    facts = {
        "name": folder.name,
        "data_hash": dataset.data_hash,
        "split": config.split,
        "sources": list(config.sources),
        "train": len(parts["train"].labels),
        "valid": len(parts["valid"].labels),
    }
    return TrainingData(parts["train"], parts["valid"], facts)


def run_training(
    config: RunConfig,
    folder: RunFolder,
    *,
    resume: bool = False,
    on_progress: Callable[[dict[str, Any]], None] = lambda progress: None,
) -> str:
    """Train in this process and leave a complete run folder.

    Args:
        config: The run's settings; with `resume` it must be the stored one.
        folder: The run's folder.
        resume: Whether to go on from last.pt.
        on_progress: Called about once a second.

    Returns:
        The final state, "finished" or "stopped".

    Raises:
        CoreError: The run failed; status.json says why as well.
    """
    folder.create(config)
    folder.stop_request.unlink(missing_ok=True)
    started = time.time()
    with _log_file(folder.log), _stop_signal() as signalled:
        folder.set_status("running", started=started)
        try:
            trainer = Trainer(
                config,
                training_data(config),
                folder,
                stop=lambda: bool(signalled) or folder.stop_request.exists(),
                on_progress=on_progress,
            )
            if resume:
                trainer.restore()
            trainer.fit()
        except Stopped:
            folder.set_status("stopped", "Stopped on request; it can be resumed.", started=started)
            return "stopped"
        except Exception as error:
            logger.exception("The run failed")
            folder.set_status("failed", sentence(error), started=started)
            if isinstance(error, CoreError):
                raise
            raise CoreError(sentence(error)) from error
        folder.set_status("finished", started=started)
        return "finished"


def sentence(error: BaseException) -> str:
    """One sentence for a user about anything that can end a run."""
    if isinstance(error, CoreError):
        return str(error)
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "alloc" in text.lower():
        return f"Memory ran out ({text}). Lower the batch size and resume."
    if isinstance(error, OSError):
        return f"A file could not be read or written ({text}). Check space and paths, then resume."
    return f"The run ended with {type(error).__name__}: {text}."


@contextmanager
def _log_file(path: Path) -> Iterator[None]:
    """Send this package's log lines to a file as well."""
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
def _stop_signal() -> Iterator[list[int]]:
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
