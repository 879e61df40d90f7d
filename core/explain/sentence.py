"""One sentence about a face, built from measurements only."""

from collections.abc import Sequence

import numpy as np

from core.explain.hiding import HiddenRegions, RegionGame
from core.explain.regions import BACKGROUND

LEAST_DROP = 0.05  # of probability; smaller effects of hiding are not worth a sentence
PLURAL = {"brows", "eyes", "cheeks"}


def sentence(labels: Sequence[str], hidden: HiddenRegions, game: RegionGame | None = None) -> str:
    """What hiding the regions did to the answer, in words.

    Only measured effects are told: no map is read, so nothing depends on whether a map is true.

    Args:
        labels: Class names.
        hidden: Measured by `hide_regions`.
        game: Measured by `region_game`; adds the smallest set that changes the answer.
    """
    best = int(hidden.whole.argmax())
    whole = float(hidden.answer()[best])
    label = labels[best]
    drops = hidden.drop(best)
    kept = [i for i, name in enumerate(hidden.regions) if name != BACKGROUND]
    order = sorted(kept, key=lambda i: -drops[i])
    text = [f"The network answers {label} ({whole:.0%})."]
    if not order or drops[order[0]] < LEAST_DROP:
        points = round(100 * LEAST_DROP)
        text.append(f"Hiding any single part of the face lowers this by less than {points} points.")
    else:
        text.append(_strongest(labels, hidden, order, best))
    text.extend(_helpful(label, hidden, order, drops))
    if game is not None:
        text.append(_deciding(labels, game, label))
    return " ".join(part for part in text if part)


def _strongest(
    labels: Sequence[str], hidden: HiddenRegions, order: Sequence[int], best: int
) -> str:
    """The region whose hiding lowers the answer most, and how far ahead it is."""
    first = order[0]
    probabilities = hidden.probabilities()
    after = int(probabilities[first].argmax())
    left = float(probabilities[first, best])
    text = f"Hiding {_the(hidden.regions[first])} lowers this to {left:.0%}"
    if after != best:
        text += f" and changes the answer to {labels[after]}"
    if len(order) > 1:
        second = float(probabilities[order[1], best])
        text += f"; the next strongest part, {_the(hidden.regions[order[1]])}, to {second:.0%}"
    return text + "."


def _helpful(
    label: str,
    hidden: HiddenRegions,
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
        f"it rises to {raised:.0%}."
    ]


def _deciding(labels: Sequence[str], game: RegionGame, label: str) -> str:
    if game.smallest_hiding is None or game.changed_to is None:
        return f"No set of hidden parts changes the answer from {label}."
    parts = [_the(name) for name in game.smallest_hiding]
    named = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    together = "alone" if len(parts) == 1 else "together"
    return f"Hiding {named} {together} is enough to change it to {labels[game.changed_to]}."


def _the(region: str) -> str:
    return f"the {region}"
