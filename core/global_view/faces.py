"""Which faces a global view takes, and where their landmarks are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.data import WITHOUT_TWINS, Dataset
from core.errors import DataError
from core.evaluation import PUBLISHED_VALID
from core.faces import plausible, whole_picture
from core.preprocess import Preprocess
from core.types import Image

if TYPE_CHECKING:
    from core.models import Card

SEED = 20240229  # which faces: the same for every run on the same data


def chosen_ids(
    dataset: Dataset, card: "Card", split: str, faces: int, sources: Sequence[str] | None
) -> tuple[NDArray[np.int64], list[str]]:
    """Ids and labels of at most so many faces of each expression, drawn by a fixed chance.

    Args:
        dataset: Prepared data.
        card: The run's card.
        split: One of `core.evaluation.SPLITS`.
        faces: At most, of each of the card's labels.
        sources: Only these; None for all.

    Raises:
        DataError: There is no such split, or it has no face with one of the labels.
    """
    parts = {
        "test": ("published", "test", sources),
        "test_clean": ("published", WITHOUT_TWINS, sources),
        "valid": ("clean", "valid", sources),
        "published_valid": ("published", "valid", (PUBLISHED_VALID,)),
        "train": (str(card.data.get("split", "clean")), "train", sources),
    }
    if split not in parts:
        raise DataError(f"There is no split {split!r}. Choose one of: {', '.join(parts)}.")
    ids = dataset.ids(*parts[split])
    ids = ids[np.random.default_rng(SEED).permutation(len(ids))]
    labels = dataset.manifest["label"].to_numpy(dtype=object)[ids]
    kept = [ids[labels == label][:faces] for label in card.labels]
    if not sum(map(len, kept)):
        raise DataError(
            f"Split {split} of {dataset.folder.name} has no face labelled "
            f"{', '.join(card.labels)}. Choose another split or data set."
        )
    names = [label for label, some in zip(card.labels, kept, strict=True) for _ in some]
    return np.concatenate(kept), names


def fitted_landmarks(images: Image) -> NDArray[np.float64]:
    """Landmarks of grey squares that each hold one face.

    Args:
        images: uint8 (N, S, S).

    Returns:
        float64 (N, 68, 2) in shares of the side; NaN where what was fitted is no face.

    Raises:
        FaceError: The landmark model cannot run here.
    """
    found = np.full((len(images), 68, 2), np.nan)
    side = images.shape[1]
    for row, image in enumerate(images):
        face = whole_picture(np.repeat(image[:, :, None], 3, axis=2))
        if face.landmarks is not None and plausible(face.landmarks, face.box):
            found[row] = (face.landmarks.astype(np.float64) + 0.5) / side
    return found


def seen_landmarks(landmarks: NDArray[np.float64], preprocess: Preprocess) -> NDArray[np.float64]:
    """Landmarks in shares of the part of the face that the network sees."""
    margin = (preprocess.size - preprocess.crop) / 2
    return np.asarray((landmarks * preprocess.size - margin) / preprocess.crop)
