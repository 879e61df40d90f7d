"""Start, resume and end a run: data in, a run folder out, and a status that always tells."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data import Dataset, load_dataset, load_frames
from core.errors import CoreError, DataError
from core.paths import data_root
from core.training.batches import Faces
from core.training.config import RunConfig
from core.training.records import Records, sentence, stop_signal
from core.training.run_folder import RunFolder
from core.training.teacher import taught
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
    if dataset.labels != config.labels:
        raise DataError(
            f"{folder.name} holds the classes {', '.join(dataset.labels)}; the run learns "
            f"{', '.join(config.labels)}. Choose the other class_set, or prepare the data for it."
        )
    parts = {}
    for part in ("train", "valid"):
        subset = dataset.part(config.split, part, sources=config.sources or None)
        if len(subset.labels) < SMALLEST_PART:
            raise DataError(
                f"Split {config.split!r} of {folder.name} has {len(subset.labels)} {part} images "
                f"of {', '.join(config.sources) or 'all sources'}; expected some. Choose other "
                "sources or another split."
            )
        reframed = part == "train" and config.augment.reframe > 0
        frames = _frames_of(dataset, subset.ids) if reframed else None
        parts[part] = Faces(subset.images, subset.labels, frames)
    facts = {
        "name": folder.name,
        "data_hash": dataset.data_hash,
        "split": config.split,
        "sources": list(config.sources),
        "train": len(parts["train"].labels),
        "valid": len(parts["valid"].labels),
    }
    return TrainingData(parts["train"], parts["valid"], facts)


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
        keep_stop: Whether a stop asked for before now counts, as it does for a queued run.
        data: The parts it needs, where they are loaded already.
        stop: Asked before every batch, besides the folder's own file.
        on_progress: Called about once a second.
        on_epoch: Called after every epoch; may raise `Stopped` with a reason.

    Returns:
        The final state, "finished" or "stopped".

    Raises:
        CoreError: The run failed; status.json says why as well.
    """
    records = Records(folder)
    records.begin(config, keep_stop=keep_stop)
    with records.log_file(), stop_signal() as signalled:
        records.set("running")

        def is_asked() -> bool:
            return bool(signalled) or folder.stop_request.exists() or stop()

        try:
            data = training_data(config) if data is None else data
            trainer = Trainer(
                config,
                taught(data, config, is_asked) if config.teacher else data,
                folder,
                stop=is_asked,
                on_progress=on_progress,
                on_epoch=on_epoch,
            )
            if resume:
                trainer.restore()
            trainer.fit()
        except Stopped as stopped:
            records.set("stopped", str(stopped) or "Stopped on request; it can be resumed.")
            folder.stop_request.unlink(missing_ok=True)
            return "stopped"
        except Exception as error:
            logger.exception("The run failed")
            records.set("failed", sentence(error))
            if isinstance(error, CoreError):
                raise
            raise CoreError(sentence(error)) from error
        records.set("finished")
        return "finished"
