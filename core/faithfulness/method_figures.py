"""All figures of one method over many faces, and whether its maps can be read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.explain import EXPLAINERS, SLOW_PASSES, MapMaker, enlarged, smoothed
from core.faithfulness.insertion_deletion import (
    Curves,
    Ends,
    curve_ends,
    curves,
    other_faces,
    pixel_ranks,
)
from core.faithfulness.masking import Masked, masked, road
from core.faithfulness.randomisation import changed_faces, mean_or_none, spearman, stability
from core.faithfulness.scorer import Scorer
from core.types import BLANK

SEED = 20240229

COSTLY = 8  # passes from which on every further map counts
OWN = "own"  # occasion: the network as it is, and the faces as they are
STRONGEST = 0.1  # share of the pixels that are called the strongest
LEAST_PLACE = 1 / 1024  # of the pixels: 4 of 64x64, below which an eye sees no place


@dataclass(frozen=True, slots=True, eq=False)
class Legibility:
    """What was measured of maps at the size of the face.

    Attributes:
        likeness: float64 (N,), Pearson's correlation of a map with itself blurred by a sixteenth of
            the side, -1 to 1; NaN for a constant map.
        places: int64 (N,), connected places (8 neighbours) that the strongest tenth forms; 0 for a
            constant map.
    """

    likeness: NDArray[np.float64]
    places: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many faces each measurement takes; slow methods get fewer.

    Attributes:
        others: With another face's map as a control.
        slow: For methods of 20 passes and more.
        checks: For ROAD, randomisation and stability.
        slow_checks: For randomisation and stability of methods of `COSTLY` passes and more.
        references: For the reference of a network with random weights.
        inner: Points of a curve between its ends.
    """

    others: int = 64
    slow: int = 24
    checks: int = 32
    slow_checks: int = 3
    references: int = 32
    inner: int = 5


@dataclass(frozen=True, slots=True, eq=False)
class SampleSet:
    """The faces of a report and what all methods share.

    Attributes:
        model: In eval mode.
        batch: float32 (N, C, S, S).
        targets: int64 (N,), the classes the network answers.
        scorer: Scores changed faces.
        ends: Both ends of every curve.
        random_networks: By stage, the same for every method.
        changed: The first faces mirrored, moved and noisy.
        layers: The layer of every method.
        maker: Makes and remembers maps.
        sizes: How many faces each measurement takes.
    """

    model: nn.Module
    batch: Tensor
    targets: Tensor
    scorer: Scorer
    ends: Ends
    random_networks: Sequence[tuple[str, nn.Module]]
    changed: Mapping[str, Tensor]
    layers: Mapping[str, str]
    maker: MapMaker
    sizes: Sizes

    def curves(self, maps: Tensor) -> Curves:
        """Insertion and deletion by maps of the first faces."""
        count = len(maps)
        ranks = pixel_ranks(maps, self.batch.shape[-1], _dice())
        return curves(
            self.scorer.score,
            self.batch[:count],
            self.targets[:count],
            ranks,
            self.ends,
            self.sizes.inner,
        )


@dataclass(frozen=True, slots=True, eq=False)
class MethodFigures:
    """What was measured of one method, by face.

    Attributes:
        layer: The layer explained.
        curves: Of the method's own maps.
        other: float64 (m,), the gap with another face's map, for the first m faces.
        masked: Average drop and increase in confidence.
        blank: bool (N,), maps without positive evidence.
        legibility: Of the method's own maps.
        road: float64 (n,).
        randomisation: Mean Spearman correlation by stage.
        stability: Mean Spearman correlation by change.
    """

    layer: str
    curves: Curves
    other: NDArray[np.float64]
    masked: Masked
    blank: NDArray[np.bool_]
    legibility: Legibility
    road: NDArray[np.float64]
    randomisation: dict[str, float | None]
    stability: dict[str, float | None]


def sample_set(
    model: nn.Module,
    batch: Tensor,
    scorer: Scorer,
    random_networks: Sequence[tuple[str, nn.Module]],
    layers: Mapping[str, str],
    sizes: Sizes,
) -> SampleSet:
    """Score the faces as they are and wholly blurred."""
    batch = batch.contiguous(memory_format=torch.channels_last)  # a third faster on CPUs
    targets = scorer.score(batch).argmax(dim=1)
    return SampleSet(
        model=model,
        batch=batch,
        targets=targets,
        scorer=scorer,
        ends=curve_ends(scorer.score, batch, targets),
        random_networks=random_networks,
        changed=changed_faces(batch[: sizes.checks], _dice()),
        layers=layers,
        maker=MapMaker(layers),
        sizes=sizes,
    )


def measure_method(given: SampleSet, method: str) -> MethodFigures:
    """Measure one method at its layer.

    Raises:
        ExplainError: The method does not apply to this network.
    """
    sizes = given.sizes
    slow = EXPLAINERS[method].passes >= SLOW_PASSES
    count = min(len(given.batch), sizes.slow if slow else len(given.batch))
    batch, targets = given.batch[:count], given.targets[:count]
    maps = given.maker.maps(OWN, method, given.model, batch, targets)
    score = given.scorer.score
    costly = EXPLAINERS[method].passes >= COSTLY
    checks = min(count, sizes.slow_checks if costly else sizes.checks)
    return MethodFigures(
        layer=given.layers[method],
        curves=given.curves(maps),
        other=given.curves(other_faces(maps[: sizes.others])).gap,
        masked=masked(score, batch, targets, maps, given.ends.whole[:count]),
        blank=(maps.amax(dim=(1, 2)) <= BLANK).numpy(),
        legibility=legibility(maps, batch.shape[-1]),
        road=road(
            score,
            batch[: sizes.checks],
            targets[: sizes.checks],
            pixel_ranks(maps[: sizes.checks], batch.shape[-1], _dice()),
        ),
        randomisation=dict(_randomisation(given, method, maps[:checks])),
        stability=stability(
            maps[:checks],
            lambda change, faces: given.maker.maps(
                change, method, given.model, faces[:checks], targets[:checks]
            ),
            given.changed,
        ),
    )


def _randomisation(
    given: SampleSet, method: str, original: Tensor
) -> Iterator[tuple[str, float | None]]:
    """Likeness of the original maps and those of networks with random weights."""
    count = len(original)
    faces, targets = given.batch[:count], given.targets[:count]
    for stage, network in given.random_networks:
        maps = given.maker.maps(f"random {stage}", method, network, faces, targets)
        yield stage, mean_or_none(spearman(original, maps))


def _dice() -> torch.Generator:
    """The same chances for every method, so that their figures are comparable."""
    return torch.Generator().manual_seed(SEED)


def legibility(maps: Tensor, side: int) -> Legibility:
    """Measure maps as they are shown.

    Args:
        maps: float32 (N, h, w).
        side: Of the face, in pixels.
    """
    shown = enlarged(maps, side).double()
    soft = smoothed(shown[:, None])[:, 0]
    flat, blurred = (
        one.flatten(1) - one.flatten(1).mean(dim=1, keepdim=True) for one in (shown, soft)
    )
    norms = flat.norm(dim=1) * blurred.norm(dim=1)
    constant = shown.amax(dim=(1, 2)) - shown.amin(dim=(1, 2)) <= BLANK
    likeness = torch.where(constant, torch.nan, (flat * blurred).sum(dim=1) / norms)
    places = [
        0 if blank else _places(one)
        for one, blank in zip(shown.numpy(), constant.tolist(), strict=True)
    ]
    return Legibility(likeness.numpy(), np.array(places, dtype=np.int64))


def _places(values: NDArray[np.float64]) -> int:
    strongest = values > np.quantile(values, 1 - STRONGEST)
    _, _, facts, _ = cv2.connectedComponentsWithStats(strongest.astype(np.uint8), connectivity=8)
    sizes = facts[1:, cv2.CC_STAT_AREA]  # the first is what lies outside
    return int((sizes >= LEAST_PLACE * values.size).sum())
