"""Everything about the parts of one face: evidence, measured effects, textbook, sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.action_units import Agreement, agreement
from core.explain.explainer import explain
from core.explain.hiding import HiddenRegions, RegionGame, hide_regions, region_game
from core.explain.regions import (
    BACKGROUND,
    LEAST_CELLS,
    Masks,
    RegionEvidence,
    region_evidence,
)
from core.explain.sentence import sentence
from core.types import Explanation

FINE_METHOD = "hires_cam"  # its cells carry signed evidence, and there are enough of them


@dataclass(frozen=True, slots=True, eq=False)
class RegionReport:
    """What the parts of a face do to the answer.

    Attributes:
        predicted: The class answered.
        runner_up: The second-best class.
        explanation: The map behind `evidence`, of at least 16x16 cells.
        evidence: Descriptive: how the map is spread, one entry a region.
        hidden: Measured: answers with each region hidden.
        game: Measured: all sets of regions; None unless asked for.
        textbook: Plausibility, not faithfulness; None for a class without a pattern.
        sentence: Built from `hidden` and `game` alone.
    """

    predicted: str
    runner_up: str
    explanation: Explanation
    evidence: tuple[RegionEvidence, ...]
    hidden: HiddenRegions
    game: RegionGame | None
    textbook: Agreement | None
    sentence: str


def region_report(
    model: nn.Module,
    batch: Tensor,
    masks: Masks,
    labels: Sequence[str],
    *,
    explanation: Explanation | None = None,
    all_sets: bool = False,
    game: RegionGame | None = None,
    temperature: float = 1.0,
) -> RegionReport:
    """Measure and describe the regions of one face.

    Args:
        model: In eval mode.
        batch: float32 (1, C, S, S), normalised by Preprocess.
        masks: bool (S, S) a region, from `fit_masks`.
        labels: Class names in the order of the logits.
        explanation: Of the same face; one with too few cells is replaced by HiResCAM.
        all_sets: Whether all 128 sets of regions are measured, for Shapley values and the smallest
            deciding set; otherwise each region by itself, nine pictures.
        game: All sets of regions of this face, where they were measured before.
        temperature: Divisor of the logits wherever probabilities are told, from the card.

    Raises:
        ExplainError: The masks do not fit, or the labels do not.
    """
    if len(labels) < 2:
        raise ExplainError("Regions are compared between classes; expected at least two labels.")
    if explanation is None or min(explanation.maps.shape[1:]) < LEAST_CELLS:
        explanation = explain(model, batch, labels, FINE_METHOD)
    hidden = hide_regions(model, batch, masks, temperature)
    if game is None and all_sets:
        game = region_game(model, batch, masks)
    order = np.argsort(-hidden.whole, kind="stable")
    predicted, second = labels[int(order[0])], labels[int(order[1])]
    return RegionReport(
        predicted=predicted,
        runner_up=second,
        explanation=explanation,
        evidence=tuple(region_evidence(explanation, masks, predicted, second)),
        hidden=hidden,
        game=game,
        textbook=_textbook(predicted, int(order[0]), hidden, game),
        sentence=sentence(labels, hidden, game),
    )


def _textbook(
    label: str, index: int, hidden: HiddenRegions, game: RegionGame | None
) -> Agreement | None:
    """Compare the best measurement there is with the textbook pattern."""
    if game is not None:
        return agreement(label, game.regions, game.shapley[:, index])
    kept = [place for place, name in enumerate(hidden.regions) if name != BACKGROUND]
    effects: NDArray[np.float64] = hidden.drop(index)[kept]
    return agreement(label, tuple(hidden.regions[place] for place in kept), effects)
