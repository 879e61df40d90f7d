"""Deletion and insertion: what happens to the answer as evidence goes or comes."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.explain.faithfulness.scoring import Score
from core.explain.occlusion import blurred


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Probability of the explained class along the way.

    Attributes:
        fractions: float64 (P,), share of pixels moved, from 0 to 1.
        inserted: float64 (N, P), the most important pixels put onto the blurred face.
        deleted: float64 (N, P), the most important pixels blurred in the face.
    """

    fractions: NDArray[np.float64]
    inserted: NDArray[np.float64]
    deleted: NDArray[np.float64]

    @property
    def insertion(self) -> NDArray[np.float64]:
        """Area under the insertion curve, float64 (N,), 0 to 1; higher is better."""
        return _area(self.inserted, self.fractions)

    @property
    def deletion(self) -> NDArray[np.float64]:
        """Area under the deletion curve, float64 (N,), 0 to 1; lower is better."""
        return _area(self.deleted, self.fractions)

    @property
    def gap(self) -> NDArray[np.float64]:
        """Insertion minus deletion, float64 (N,); 0 is what a random order gets on average."""
        return self.insertion - self.deletion


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """What all curves of the same faces share, computed once.

    Attributes:
        hidden: float32 (N, C, S, S), the blurred faces.
        whole: float64 (N,), probability of the class for the face as it is.
        blank: float64 (N,), for the blurred face.
    """

    hidden: Tensor
    whole: NDArray[np.float64]
    blank: NDArray[np.float64]


def curve_ends(score: Score, batch: Tensor, targets: Tensor) -> Ends:
    """The blurred faces, and the probabilities at both ends of every curve.

    Args:
        score: Probabilities of pictures.
        batch: float32 (N, C, S, S).
        targets: int64 (N,), the classes explained.
    """
    hidden = blurred(batch)
    return Ends(hidden, chosen(score(batch), targets), chosen(score(hidden), targets))


def curves(
    score: Score, batch: Tensor, targets: Tensor, ranks: Tensor, ends: Ends, inner: int
) -> Curves:
    """Insertion and deletion (Petsiuk et al. 2018, arXiv 1806.07421, algorithm 1), blur as filler.

    Args:
        score: Probabilities of pictures.
        batch: float32 (N, C, S, S).
        targets: int64 (N,).
        ranks: float32 (N, S, S) from `pixel_ranks`.
        ends: From `curve_ends`, of at least these faces, in their order.
        inner: Number of points between both ends.
    """
    fractions = np.linspace(0, 1, inner + 2)
    count = len(batch)
    hidden = ends.hidden[:count]
    inserted, deleted = [ends.blank[:count]], [ends.whole[:count]]
    for fraction in fractions[1:-1]:
        moved = (ranks < float(fraction))[:, None]
        pictures = torch.cat([torch.where(moved, batch, hidden), torch.where(moved, hidden, batch)])
        found = chosen(score(pictures), targets.repeat(2))
        inserted.append(found[:count])
        deleted.append(found[count:])
    inserted.append(ends.whole[:count])
    deleted.append(ends.blank[:count])
    return Curves(fractions, np.stack(inserted, axis=1), np.stack(deleted, axis=1))


def chosen(probabilities: Tensor, targets: Tensor) -> NDArray[np.float64]:
    """Probability of each row's class, float64 (N,)."""
    return np.asarray(probabilities.gather(1, targets[:, None])[:, 0].double().numpy())


def _area(heights: NDArray[np.float64], fractions: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.trapezoid(heights, fractions, axis=1), dtype=np.float64)
