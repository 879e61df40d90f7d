"""Insertion and deletion (Petsiuk et al. 2018): order of pixels, curves, one face."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.evaluation import Estimate
from core.explain import blurred, enlarged
from core.faithfulness.scorer import Score, exact_scorer
from core.types import Explanation

RANDOM_MAPS = 8  # averaged, since one face has no other faces to average over
INNER = 7
SEED = 20240229
Verdict = Literal["beats its controls", "does not beat its controls"]
Sanity = Literal["passes", "partly", "fails", "unknown"]
HIGH = 0.5  # of Spearman's correlation: above it two maps are called alike
CELLS = 4  # a side of the random map, as many as the paper's Grad-CAM has
WIDTH = 0.25  # standard deviation of the blob, in sides


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


def pixel_ranks(maps: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Each pixel's place in the order of evidence, divided by the number of pixels.

    Ranking, unlike a threshold at a percentile, takes exactly the wanted number of pixels however
    many have the same value; those are ordered by chance, so a blank map is a random order.

    Args:
        maps: float32 (N, h, w), most important where highest.
        side: Of the input, in pixels.
        generator: Orders pixels of the same value.

    Returns:
        float32 (N, side, side), 0 for the most important pixel, below 1 for the last.
    """
    values = enlarged(maps, side).reshape(len(maps), -1)
    shuffle = torch.randperm(values.shape[1], generator=generator)
    order = shuffle[values[:, shuffle].argsort(dim=1, descending=True, stable=True)]
    ranks = torch.empty_like(values)
    places = torch.arange(values.shape[1], dtype=values.dtype) / values.shape[1]
    ranks.scatter_(1, order, places.expand_as(values))
    return ranks.reshape(len(maps), side, side)


@dataclass(frozen=True, slots=True, eq=False)
class FaceFaithfulness:
    """How one map does on its own face.

    Attributes:
        curves: Of the map, one row.
        gap: Insertion minus deletion, -1 to 1.
        random: Mean gap of random maps on the same face.
        centre: Gap of the fixed centre blob.
        is_blank: Whether the map holds no evidence, so that its pixels were ordered by chance.
    """

    curves: Curves
    gap: float
    random: float
    centre: float
    is_blank: bool


def face_faithfulness(
    model: nn.Module, batch: Tensor, explanation: Explanation, label: str
) -> FaceFaithfulness:
    """Delete and insert by the map of one class, beside random maps and the centre blob.

    Args:
        model: In eval mode.
        batch: float32 (1, C, S, S), the face explained.
        explanation: Of that face.
        label: The class whose map is tested.

    Raises:
        ExplainError: The model is in training mode.
    """
    side = batch.shape[-1]
    generator = torch.Generator().manual_seed(SEED)
    own = torch.from_numpy(explanation.map_of(label).copy())[None]
    knowing_nothing = torch.cat(
        [
            pixel_ranks(centre_blob(side)[None], side, generator),
            pixel_ranks(random_maps(RANDOM_MAPS, generator), side, generator),
        ]
    )
    ranks = torch.cat([pixel_ranks(own, side, generator), knowing_nothing])
    rows = batch.expand(len(ranks), -1, -1, -1)
    targets = torch.full((len(ranks),), explanation.labels.index(label))
    score = exact_scorer(model).score
    ends = curve_ends(score, rows, targets)
    found = curves(score, rows, targets, ranks, ends, INNER)
    gaps: NDArray[np.float64] = found.gap
    return FaceFaithfulness(
        curves=Curves(found.fractions, found.inserted[:1], found.deleted[:1]),
        gap=float(gaps[0]),
        random=float(gaps[2:].mean()),
        centre=float(gaps[1]),
        is_blank=explanation.is_blank(label),
    )


def verdict(gap: Estimate, differences: Mapping[str, Estimate]) -> Verdict:
    """Whether insertion minus deletion is above zero and above every control.

    Args:
        gap: Of the method.
        differences: Of the method minus each control, paired by face.
    """
    lows = [gap.low, *(difference.low for difference in differences.values())]
    return "beats its controls" if min(lows) > 0 else "does not beat its controls"


def sanity(randomisation: Mapping[str, float | None]) -> Sanity:
    """What parameter randomisation says of a method.

    Args:
        randomisation: Mean Spearman correlation with the original map by stage, the last stage
            being the wholly random network; None where maps are blank.

    Returns:
        "fails" where the maps of the wholly random network still look alike, "passes" where those
        of no stage do, "partly" between.
    """
    known = [value for value in randomisation.values() if value is not None]
    if not known:
        return "unknown"
    if known[-1] > HIGH:
        return "fails"
    return "passes" if max(known) <= HIGH else "partly"


def random_maps(count: int, generator: torch.Generator) -> Tensor:
    """Random 4x4 maps, float32 (count, 4, 4)."""
    return torch.rand((count, CELLS, CELLS), generator=generator)


def centre_blob(side: int) -> Tensor:
    """A round blob in the middle, where an aligned face has its nose, float32 (side, side)."""
    offsets = (torch.arange(side) + 0.5) / side - 0.5
    distance = offsets[:, None] ** 2 + offsets[None, :] ** 2
    return torch.exp(-distance / (2 * WIDTH**2))


def other_faces(maps: Tensor) -> Tensor:
    """The same maps, each given to the next face, float32 (N, h, w)."""
    return maps.roll(1, dims=0)
