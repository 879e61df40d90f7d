"""A run from start to end: begin, resume, record."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data import Dataset, Subset, load_dataset, load_frames, vote_shares
from core.errors import ConfigError, DataError, ExplainError, TrainingError
from core.explain import keep_reference
from core.labels import NEUTRAL
from core.paths import data_root, is_first_process
from core.training.batches import Faces, TrainingData
from core.training.config import RunConfig
from core.training.distillation import taught
from core.training.optimise import check_accelerator
from core.training.records import Records
from core.training.run_folder import RunFolder
from core.training.trainer import Trainer
from core.types import Image

logger = logging.getLogger(__name__)
PARTS = ("train", "valid")
# Settings that say what a run's weights are and what they have seen; its card has them once.
FIXED = (
    "initial", "optimiser", "decay_all", "model", "model_options", "class_set", "split", "sources",
    "teacher", "teacher_share", "rater_share",
)  # fmt: skip
SMALLEST_PART = 2  # faces; fewer cannot be trained on or chosen by


def training_data(config: RunConfig) -> TrainingData:
    """Load the parts a run needs into memory.

    Raises:
        DataError: The folder, the split or a part of it is missing.
    """
    folder = Path(config.data)
    folder = folder if folder.is_absolute() else data_root() / folder
    dataset = load_dataset(folder).of_classes(config.labels)
    validating = dataset.validating(config.split, config.sources)
    sources = {"train": config.sources or None, "valid": validating}
    subsets = {part: dataset.part(config.split, part, sources[part]) for part in PARTS}
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
    votes = {}
    if config.rater_share > 0:
        shares = vote_shares(dataset, subsets["train"].ids, config.labels)
        train = replace(train, votes=shares)
        votes = {"rater_votes": int(np.isfinite(shares[:, 0]).sum())}
        logger.info("Votes of raters are known for %d training faces", votes["rater_votes"])
    facts = {
        **votes,
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
    known[np.arange(len(subset)), subset.labels] = True  # of validation, where none is in train
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
        config: The run's settings; with `resume` they may differ from the stored ones, but not in
            what is over by then, as in `initial`.
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
    if resume:
        _refuse_without_save(folder)
    records = Records(folder)
    kept = resume and folder.last.exists()  # then the settings stay until it takes the new ones
    if kept:
        _refuse_late(config, folder)
    with (
        records.claimed(new=new),
        records.begun(None if kept else config, keep_stop) as is_asked,
    ):

        def is_stopped() -> bool:
            return is_asked() or stop()

        check_accelerator(config)
        data = training_data(config) if data is None else data
        trainer = Trainer(
            config,
            taught(data, config, is_stopped) if config.teacher else data,
            folder,
            resume=resume,
            stop=is_stopped,
            on_progress=on_progress,
            on_epoch=on_epoch,
        )
        if resume:
            trainer.restore()
        if kept and is_first_process():
            folder.create(config)
            records.going()
        trainer.fit()
        if is_first_process():
            _keep_reference(folder, data.train.images)
    return records.state


def _refuse_without_save(folder: RunFolder) -> None:
    """Refuse to go on where what there was to go on from is gone, and to begin anew over a run."""
    lines = len(list(folder.history()))  # none where weights were only joined
    is_whole = lines > 1 or (lines == 1 and folder.status()["state"] == "finished")
    if is_whole and not folder.last.exists():
        raise TrainingError(
            f"{folder.name} has no last.pt, from which it would go on; from its start it would "
            f"overwrite what it has learned. Start another run, with --set initial={folder.name} "
            "where its weights are there."
        )


def _refuse_late(config: RunConfig, folder: RunFolder) -> None:
    """Refuse other settings of what is over, or learnt, by the time a run is gone on with."""
    before = folder.config()
    for name in FIXED:
        old, new = getattr(before, name), getattr(config, name)
        if old != new:
            raise ConfigError(
                f"{name} of {folder.name} cannot become {new!r} now: it has begun with {old!r}. "
                "Start another run with it."
            )


def _keep_reference(folder: RunFolder, images: Image) -> None:
    """Keep what explanations need to know of other faces; without it other methods explain."""
    try:
        keep_reference(folder.path, images)
    except ExplainError as error:
        logger.info("No reference for Expected CAM: %s", error)
