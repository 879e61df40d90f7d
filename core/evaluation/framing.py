"""How much a network's accuracy depends on how its faces were cut out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data import framed, load_frames
from core.errors import DataError
from core.evaluation.bootstrap import Interval, accuracy_interval
from core.evaluation.collecting import BATCH, Answers, Progress
from core.evaluation.prepared import own_dataset, unlearnt
from core.types import Image

MARGINS = (0.0, 0.08, 0.16)  # on each side, as a share of the app's frame


@dataclass(frozen=True, slots=True)
class FramingScore:
    """Figures on one source in one framing.

    Attributes:
        source: Name of the source.
        margin: Width added on each side of the app's frame, as a share of it; None for the crops as
            they were published.
        n: Number of faces.
        accuracy: Share of right answers, 0 to 1.
        accuracy_interval: Its 95 % interval.
        macro_f1: Mean F1 of the classes that occur, 0 to 1.
    """

    source: str
    margin: float | None
    n: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float


def framing_scores(
    model: Answers,
    data: Path | None = None,
    *,
    margins: Sequence[float] = MARGINS,
    on_progress: Progress = lambda done, total: None,
) -> list[FramingScore]:
    """Score the clean validation faces as they were published and as the app frames them.

    Args:
        model: The model.
        data: Prepared data; else the run's own below the data root.
        margins: Framings to try besides the published one.
        on_progress: Called with faces done and faces in all.

    Returns:
        One a source and framing, over the same faces: those in which a face was found.

    Raises:
        DataError: There is no data of the model's classes, nobody looked for frames in it, or no
            validation face has one.
    """
    from core.training import macro_f1

    dataset = own_dataset(model.card, model.folder.name, data)
    frames = load_frames(dataset)
    subset = dataset.part("clean", "valid")
    new = unlearnt(model.card, dataset, subset.ids, model.folder.name)
    maps = None if frames is None else frames.maps[subset.ids]
    if maps is None or not (known := new & np.isfinite(maps).all(axis=(1, 2))).any():
        raise DataError(
            f"How the app would frame the validation faces of {dataset.folder.name} is not known. "
            f"Run: python -m core frame {dataset.folder}"
        )
    total, done = int(known.sum()) * (1 + len(margins)), 0
    scores = []
    for source in dict.fromkeys(subset.sources[known]):
        chosen = np.flatnonzero(known & (subset.sources == source))
        for margin in (None, *margins):
            answers = _answers(model, subset.images[chosen], maps[chosen], margin)
            labels = subset.labels[chosen]
            right = answers == labels
            done += len(chosen)
            on_progress(done, total)
            scores.append(
                FramingScore(
                    source=str(source),
                    margin=margin,
                    n=len(chosen),
                    accuracy=float(right.mean()),
                    accuracy_interval=accuracy_interval(right),
                    macro_f1=macro_f1(labels, answers),
                )
            )
    return scores


def _answers(
    model: Answers, images: Image, maps: NDArray[np.float32], margin: float | None
) -> NDArray[np.int64]:
    """Numbers of the most probable classes, int64 (n,)."""
    preprocess = model.card.preprocess
    found = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        if margin is None:
            pixels = preprocess.squares(batch)
        else:
            pairs = zip(batch, maps[start : start + BATCH], strict=True)
            crops = [framed(image, frame, margin) for image, frame in pairs]
            pixels = np.stack([preprocess.pixels(crop) for crop in crops])
        found.append(model.logits(pixels).argmax(axis=1))
    return np.concatenate(found).astype(np.int64)
