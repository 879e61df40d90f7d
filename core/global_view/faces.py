"""Faces warped onto the average face."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import Delaunay

from core.data import PUBLISHED_VALID, WITHOUT_TWINS, Dataset
from core.errors import DataError
from core.evaluation import unlearnt
from core.preprocess import Preprocess

if TYPE_CHECKING:
    from core.models import Card

SEED = 20240229  # which faces: the same for every run on the same data
# Corners and middles of the edges of the unit square.
_FRAME = ((0, 0), (0.5, 0), (1, 0), (1, 0.5), (1, 1), (0.5, 1), (0, 1), (0, 0.5))


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
        DataError: There is no such split, it has no face with one of the labels, or the network
            may have learnt from all of its validation faces.
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
    if split == "valid":
        ids = ids[unlearnt(card, dataset, ids, "The network")]
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


def seen_landmarks(landmarks: NDArray[np.float64], preprocess: Preprocess) -> NDArray[np.float64]:
    """Landmarks in shares of the part of the face that the network sees."""
    margin = (preprocess.size - preprocess.crop) / 2
    return np.asarray((landmarks * preprocess.size - margin) / preprocess.crop)


class MeanShapeWarp:
    """Warps maps so that each face's landmarks fall on those of one shape, piecewise affinely.

    The shape's points and eight on the picture's frame span triangles (Delaunay); inside a triangle
    the map follows its corners, as in active appearance models (Cootes et al. 2001, section 3).

    Args:
        shape: float64 (P, 2), (x, y) in shares of the side, 0 the left or upper edge.
        side: Cells a side of the warped maps.
    """

    def __init__(self, shape: NDArray[np.float64], side: int) -> None:
        self._side = side
        corners = _with_frame(shape)
        triangles = Delaunay(corners)
        centres = (np.arange(side) + 0.5) / side
        targets = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)  # (side**2, 2)
        found = triangles.find_simplex(targets)
        self._corners = triangles.simplices[found]  # (side**2, 3)
        affine = triangles.transform[found]  # (side**2, 3, 2)
        two = np.einsum("nij,nj->ni", affine[:, :2], targets - affine[:, 2])
        self._weights = np.column_stack([two, 1 - two.sum(axis=1)])  # barycentric, (side**2, 3)

    def sources(self, landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where in a face each cell of the warped map comes from.

        Args:
            landmarks: float64 (P, 2) of the face, in shares of the side.

        Returns:
            float64 (side, side, 2), (x, y) in shares of the side.
        """
        corners = _with_frame(landmarks)[self._corners]  # (side**2, 3, 2)
        places: NDArray[np.float64] = np.einsum("nk,nkj->nj", self._weights, corners)
        return places.reshape(self._side, self._side, 2)

    def __call__(
        self, heat: NDArray[np.float64], landmarks: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """One face's map (h, w), warped to (side, side); bilinear, edges continued."""
        if min(heat.shape) > self._side:  # average what is finer than the result
            size = (self._side, self._side)
            heat = cv2.resize(heat, size, interpolation=cv2.INTER_AREA).astype(np.float64)
        height, width = heat.shape
        places = self.sources(landmarks)
        rows, columns = places[..., 1] * height - 0.5, places[..., 0] * width - 0.5
        warped: NDArray[np.float64] = map_coordinates(
            heat, [rows, columns], order=1, mode="nearest"
        )
        return warped


def _with_frame(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points, kept inside the picture, and eight on its frame."""
    # On the frame itself a landmark would double a corner, and triangles would lose their area.
    return np.concatenate([np.clip(points, 0.01, 0.99), np.array(_FRAME)])
