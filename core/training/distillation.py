"""Distillation (Hinton et al., 2015): answers of trained networks to the training faces."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import TrainingError
from core.training.batches import TrainingData
from core.training.config import RunConfig
from core.training.fine_tuning import Parent, load_parents, origin
from core.training.optimise import precision
from core.training.trainer import Stopped
from core.types import Image

logger = logging.getLogger(__name__)

BATCH = 128


def taught(
    data: TrainingData, config: RunConfig, stop: Callable[[], bool] = lambda: False
) -> TrainingData:
    """Ask the teachers once, before training, about every training face as it is stored.

    Args:
        data: The parts of the run.
        config: Its settings, with a teacher.
        stop: Asked before every batch.

    Returns:
        The same parts; the training faces come with the mean of the teachers' probabilities, and
        the facts with who they are.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
        TrainingError: A teacher tells other classes apart than the run.
        Stopped: A stop was asked for.
    """
    started = time.monotonic()
    teachers = load_parents(config.teacher)
    for teacher in teachers:
        if teacher.card.labels != config.labels:
            raise TrainingError(
                f"The run learns {', '.join(config.labels)}, and its teacher {teacher.name!r} "
                f"answers {', '.join(teacher.card.labels)}. Choose a teacher of the same classes."
            )
    logger.info("Asking %s about %d faces", config.teacher, len(data.train.labels))
    half = precision(config) != "32-true"
    answers = np.mean(
        [_answers(teacher, data.train.images, stop, half=half) for teacher in teachers], axis=0
    )
    agree = float((answers.argmax(1) == data.train.labels).mean())
    logger.info(
        "%s answered %d faces in %.0f s and names the label of %.1f %% of them",
        config.teacher, len(answers), time.monotonic() - started, 100 * agree,
    )  # fmt: skip
    facts = data.facts | {"teacher": origin(teachers)}
    return replace(data, train=replace(data.train, answers=answers), facts=facts)


def _answers(
    teacher: Parent, images: Image, stop: Callable[[], bool], *, half: bool
) -> NDArray[np.float32]:
    """Probabilities float32 (N, K), the logits averaged over a picture and its mirror image."""
    network = teacher.network.to(memory_format=torch.channels_last)
    preprocess = teacher.card.preprocess
    parts = []
    for start in range(0, len(images), BATCH):
        if stop():
            raise Stopped
        faces = preprocess.squares(images[start : start + BATCH])
        inputs = torch.from_numpy(preprocess.normalise(faces))
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(inputs).float() + network(inputs.flip(3)).float()
        parts.append(torch.softmax(logits / 2, dim=1).numpy())
    return np.concatenate(parts)
