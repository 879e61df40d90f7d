"""What hiding parts of a face does to the answer: measured, so it relies on no map."""

from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.occlusion import filled
from core.explain.regions import BACKGROUND, Masks, check_masks
from core.explain.trace import frozen_view
from core.preprocess import Preprocess
from core.types import Image

MOST_REGIONS = 8  # all subsets are tried: 256 forward passes

Subset = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RegionOcclusion:
    """Answers with each region hidden by itself.

    Attributes:
        regions: Names, in the order of `logits`.
        whole: float64 (K,), logits of the face as it is.
        logits: float64 (R, K), logits with one region filled from its surroundings.
        pictures: float32 (R, C, S, S), the network's inputs with the region filled.
        temperature: Divisor of the logits before the softmax, from the checkpoint's card.
    """

    regions: tuple[str, ...]
    whole: NDArray[np.float64]
    logits: NDArray[np.float64]
    pictures: NDArray[np.float32]
    temperature: float = 1.0

    def drop(self, label: int) -> NDArray[np.float64]:
        """By how much each hiding lowers the probability of a class, float64 (R,)."""
        lowered: NDArray[np.float64] = self.answer()[label] - self.probabilities()[:, label]
        return lowered

    def answer(self) -> NDArray[np.float64]:
        """Probabilities of the face as it is, float64 (K,)."""
        return _softmax(self.whole / self.temperature)

    def images(self, preprocess: Preprocess) -> Image:
        """The pictures as one sees them, grey uint8 (R, S, S), or RGB (R, S, S, 3) in colour.

        Args:
            preprocess: What the network's inputs were made by.
        """
        scale, shift = preprocess.affine()
        planes = self.pictures.transpose(0, 2, 3, 1)[..., : 3 if preprocess.colour else 1]
        channels = planes.shape[-1]
        values = np.clip((planes - shift[:channels]) / scale[:channels], 0, 255)
        images = np.asarray(np.rint(values), dtype=np.uint8)
        return images if preprocess.colour else images[..., 0]

    def probabilities(self) -> NDArray[np.float64]:
        """Answers with each region hidden, float64 (R, K)."""
        return _softmax(self.logits / self.temperature)


@dataclass(frozen=True, slots=True, eq=False)
class RegionShapley:
    """Answers for every set of visible regions, and each region's fair share of them.

    Attributes:
        regions: Names, R of them; the background stays visible always.
        logits: float64 (2**R, K); bit r of the row's number says whether region r is visible.
        shapley: float64 (R, K): a region's mean contribution to each logit over all orders in which
            regions could be uncovered (Shapley 1953); a column sums to the last row of `logits`
            minus the first.
        smallest_hiding: Names of the smallest set of regions whose hiding changes the answer; of
            equally small ones that which changes it most clearly; None where none does.
        changed_to: Class index answered then; None where nothing changes it.
    """

    regions: tuple[str, ...]
    logits: NDArray[np.float64]
    shapley: NDArray[np.float64]
    smallest_hiding: tuple[str, ...] | None
    changed_to: int | None


def occlude_regions(
    model: nn.Module, batch: Tensor, masks: Masks, temperature: float = 1.0
) -> RegionOcclusion:
    """Measure the answer with each region hidden in turn; one forward pass of R + 1 pictures.

    Args:
        model: In eval mode.
        batch: float32 (1, C, S, S).
        masks: bool (S, S) a region.
        temperature: Divisor of the logits wherever probabilities are told.

    Raises:
        ExplainError: Training mode, or masks that do not fit.
    """
    names = tuple(masks)
    known = ~_stacked(masks, batch)
    pictures = filled(batch.expand(len(names), -1, -1, -1), known)
    logits = _logits(model, torch.cat([batch, pictures]))
    return RegionOcclusion(names, logits[0], logits[1:], pictures.numpy(), temperature)


def region_shapley(model: nn.Module, batch: Tensor, masks: Masks) -> RegionShapley:
    """Exact Shapley values of the regions, and the smallest set that decides the answer.

    All 2**R pictures (128 for seven regions) go through the network in one batch.

    Args:
        model: In eval mode.
        batch: float32 (1, C, S, S).
        masks: bool (S, S) a region; empty ones and the background take no part.

    Raises:
        ExplainError: Training mode, masks that do not fit, or more than eight regions.
    """
    playing = {name: m for name, m in masks.items() if name != BACKGROUND and m.any()}
    if not 1 <= len(playing) <= MOST_REGIONS:
        raise ExplainError(
            f"Found {len(playing)} regions with pixels; expected 1 to {MOST_REGIONS}."
        )
    areas = _stacked(playing, batch)  # (R, S, S)
    count = len(playing)
    visible = torch.tensor([[row >> bit & 1 for bit in range(count)] for row in range(2**count)])
    hidden = torch.einsum("vr,rij->vij", 1.0 - visible.float(), areas.float()) > 0
    pictures = filled(batch.expand(2**count, -1, -1, -1), ~hidden)
    logits = _logits(model, pictures)
    names = tuple(playing)
    subset, answer = _smallest_hiding(logits, count)
    return RegionShapley(
        regions=names,
        logits=logits,
        shapley=_shapley(logits, count),
        smallest_hiding=None if subset is None else tuple(names[bit] for bit in subset),
        changed_to=answer,
    )


def _shapley(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Shapley values float64 (R, K) of a game given for all coalitions, float64 (2**R, K)."""
    coalitions = np.arange(2**count)
    sizes = np.array([int(row).bit_count() for row in coalitions])
    shares = []
    for bit in range(count):
        without = coalitions[(coalitions >> bit & 1) == 0]
        size = sizes[without]
        ways = [factorial(int(s)) * factorial(count - 1 - int(s)) / factorial(count) for s in size]
        gains = values[without | 1 << bit] - values[without]
        shares.append(np.asarray(ways) @ gains)
    return np.stack(shares)


def _smallest_hiding(logits: NDArray[np.float64], count: int) -> tuple[Subset | None, int | None]:
    """The fewest regions to hide for another answer, and that answer."""
    everything = 2**count - 1
    own = int(logits[everything].argmax())
    for size in range(1, count + 1):
        margins: dict[Subset, float] = {}
        for subset in combinations(range(count), size):
            row = logits[everything - sum(1 << bit for bit in subset)]
            margins[subset] = float(np.delete(row, own).max() - row[own])
        best = max(margins, key=lambda subset: margins[subset])
        if margins[best] > 0:
            row = logits[everything - sum(1 << bit for bit in best)]
            return best, int(row.argmax())
    return None, None


def _stacked(masks: Masks, batch: Tensor) -> Tensor:
    """All masks as bool (R, S, S).

    Raises:
        ExplainError: They do not fit the input.
    """
    check_masks(masks)
    areas = torch.from_numpy(np.stack(list(masks.values())))
    if batch.shape[0] != 1 or areas.shape[1:] != batch.shape[2:]:
        raise ExplainError(
            f"Found masks of {tuple(areas.shape[1:])} for an input of {tuple(batch.shape)}; "
            "expected one face, and masks of its size."
        )
    return areas


def _logits(model: nn.Module, pictures: Tensor) -> NDArray[np.float64]:
    with torch.no_grad():
        return np.asarray(frozen_view(model)(pictures).double().numpy())


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(torch.from_numpy(logits).softmax(dim=-1).numpy())
