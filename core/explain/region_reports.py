"""Everything about the parts of one face, and the sentence that says it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.action_units import Agreement, agreement
from core.explain.explainer import explain
from core.explain.region_occlusion import (
    RegionOcclusion,
    RegionShapley,
    occlude_regions,
)
from core.explain.regions import (
    BACKGROUND,
    Masks,
    RegionEvidence,
    region_evidence,
)
from core.types import FINE_CELLS, Explanation

LEAST_DROP = 0.05  # of probability; smaller effects of hiding are not worth a sentence
PLURAL = {"brows", "eyes", "cheeks"}
FINE_METHOD = "hires_cam"  # its cells carry signed evidence, and there are enough of them


def sentence(
    labels: Sequence[str], hidden: RegionOcclusion, game: RegionShapley | None = None
) -> str:
    """What hiding the regions did to the answer, in words.

    Only measured effects are told: no map is read, so nothing depends on whether a map is true.

    Args:
        labels: Class names.
        hidden: Measured by `occlude_regions`.
        game: Measured by `region_shapley`; adds the smallest set that changes the answer.
    """
    best = int(hidden.whole.argmax())
    whole = float(hidden.answer()[best])
    label = labels[best]
    drops = hidden.drop(best)
    kept = [i for i, name in enumerate(hidden.regions) if name != BACKGROUND]
    order = sorted(kept, key=lambda i: -drops[i])
    text = [f"The network answers {label} ({100 * whole:.1f} %)."]
    if not order or drops[order[0]] < LEAST_DROP:
        points = round(100 * LEAST_DROP)
        words = "changes" if _has_small_effects(hidden) else "lowers"
        text.append(
            f"Hiding any single part of the face {words} this by less than {points} points."
        )
    else:
        text.append(_strongest(labels, hidden, order, best))
    text.extend(_helpful(label, hidden, order, drops))
    if game is not None:
        text.append(_deciding(labels, game, label))
    return " ".join(part for part in text if part)


def _has_small_effects(hidden: RegionOcclusion) -> bool:
    drops = hidden.drop(int(hidden.whole.argmax()))
    of_face = [name != BACKGROUND for name in hidden.regions]
    return float(np.abs(drops[of_face]).max(initial=0.0)) < LEAST_DROP


def _strongest(
    labels: Sequence[str], hidden: RegionOcclusion, order: Sequence[int], best: int
) -> str:
    """The region whose hiding lowers the answer most, and how far ahead it is."""
    first = order[0]
    probabilities = hidden.probabilities()
    after = int(probabilities[first].argmax())
    left = float(probabilities[first, best])
    text = f"Hiding {_the(hidden.regions[first])} lowers this to {100 * left:.1f} %"
    if after != best:
        text += f" and changes the answer to {labels[after]}"
    if len(order) > 1:
        name, second = _the(hidden.regions[order[1]]), float(probabilities[order[1], best])
        if hidden.drop(best)[order[1]] >= LEAST_DROP:
            text += f"; the next strongest part, {name}, to {100 * second:.1f} %"
        else:
            text += f"; no other part lowers it by {round(100 * LEAST_DROP)} points"
    return text + "."


def _helpful(
    label: str,
    hidden: RegionOcclusion,
    order: Sequence[int],
    drops: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> list[str]:
    """Name the part that speaks against the answer, where one does."""
    if not order or drops[order[-1]] > -LEAST_DROP:
        return []
    last = order[-1]
    raised = float(hidden.probabilities()[last, int(hidden.whole.argmax())])
    verb = "speak" if hidden.regions[last] in PLURAL else "speaks"
    return [
        f"{_the(hidden.regions[last]).capitalize()} {verb} against {label}: hidden, "
        f"it rises to {100 * raised:.1f} %."
    ]


def _deciding(labels: Sequence[str], game: RegionShapley, label: str) -> str:
    if game.smallest_hiding is None or game.changed_to is None:
        return f"No set of hidden parts changes the answer from {label}."
    parts = game.smallest_hiding
    together = "alone" if len(parts) == 1 else "together"
    label = labels[game.changed_to]
    return f"Hiding {in_words(parts)} {together} is enough to change it to {label}."


def in_words(regions: Sequence[str]) -> str:
    """Regions, one or more, as a list in words: "the eyes, the mouth and the cheeks"."""
    *first, last = map(_the, regions)
    return f"{', '.join(first)} and {last}" if first else last


def _the(region: str) -> str:
    return f"the {region}"


@dataclass(frozen=True, slots=True, eq=False)
class RegionReport:
    """What the parts of a face do to the answer.

    Attributes:
        predicted: The class answered.
        runner_up: The second-best class.
        explanation: The map behind `evidence`, of at least 16x16 cells.
        evidence: Descriptive: how the map is spread, one entry a region.
        hidden: Measured: answers with each region hidden.
        game: Measured: all sets of regions; None where they were not.
        textbook: Plausibility, not faithfulness; None for a class without a pattern.
        sentence: Built from `hidden` and `game` alone.
    """

    predicted: str
    runner_up: str
    explanation: Explanation
    evidence: tuple[RegionEvidence, ...]
    hidden: RegionOcclusion
    game: RegionShapley | None
    textbook: Agreement | None
    sentence: str

    @property
    def has_small_effects(self) -> bool:
        """Whether no part of the face moves the answer's probability by LEAST_DROP."""
        return _has_small_effects(self.hidden)


def region_report(
    model: nn.Module,
    batch: Tensor,
    masks: Masks,
    labels: Sequence[str],
    *,
    explanation: Explanation | None = None,
    game: RegionShapley | None = None,
    temperature: float = 1.0,
) -> RegionReport:
    """Measure and describe the regions of one face.

    Args:
        model: In eval mode.
        batch: float32 (1, C, S, S), normalised by Preprocess.
        masks: bool (S, S) a region, from `fit_masks`.
        labels: Class names in the order of the logits.
        explanation: Of the same face; one with too few cells is replaced by HiResCAM.
        game: All sets of regions of this face, from `region_shapley`, for Shapley values and the
            smallest deciding set; without them, each region by itself, nine pictures.
        temperature: Divisor of the logits wherever probabilities are told, from the card.

    Raises:
        ExplainError: The masks do not fit, or the labels do not.
    """
    if len(labels) < 2:
        raise ExplainError("Regions are compared between classes; expected at least two labels.")
    if explanation is None or min(explanation.maps.shape[1:]) < FINE_CELLS:
        explanation = explain(model, batch, labels, FINE_METHOD)
    hidden = occlude_regions(model, batch, masks, temperature)
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
    label: str, index: int, hidden: RegionOcclusion, game: RegionShapley | None
) -> Agreement | None:
    """Compare the best measurement there is with the textbook pattern."""
    if game is not None:
        return agreement(label, game.regions, game.shapley[:, index])
    kept = [place for place, name in enumerate(hidden.regions) if name != BACKGROUND]
    effects: NDArray[np.float64] = hidden.drop(index)[kept]
    return agreement(label, tuple(hidden.regions[place] for place in kept), effects)
