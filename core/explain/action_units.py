"""What textbooks expect of each expression, as data, and how a measurement compares with it."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ExplainError


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """One facial movement of the Facial Action Coding System.

    Attributes:
        number: As in the manual.
        name: As in the manual.
        regions: Where the movement shows.
    """

    number: int
    name: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How measured effects of regions compare with the textbook pattern; no test of a map.

    Attributes:
        units: The pattern.
        expected: Regions in which the pattern shows.
        share: Part of all positive effects that falls into them, 0 to 1; 0 where none is positive.
        chance: Part of the regions that are expected: what even effects would give.
        is_consistent: Whether the region with the largest positive effect is among them.
    """

    units: tuple[ActionUnit, ...]
    expected: tuple[str, ...]
    share: float
    chance: float
    is_consistent: bool


def textbook_pattern(label: str) -> tuple[ActionUnit, ...]:
    """Action units of an expression; empty for one without a pattern, such as neutral.

    Raises:
        ExplainError: The data file is damaged.
    """
    table = _table()
    try:
        return tuple(
            ActionUnit(
                number,
                str(table["units"][str(number)]["name"]),
                tuple(table["units"][str(number)]["regions"]),
            )
            for number in table["patterns"].get(label, [])
        )
    except (KeyError, TypeError) as error:
        raise ExplainError(
            f"action_units.json cannot be used: {error!r}. Each number in a pattern needs an entry "
            "with name and regions under units."
        ) from error


def textbook_sources() -> tuple[str, ...]:
    """Where the patterns come from, and the note on their limits."""
    table = _table()
    return (*table["sources"], table["note"])


def agreement(
    label: str, regions: tuple[str, ...], effects: NDArray[np.float64]
) -> Agreement | None:
    """Compare measured effects with the pattern of an expression.

    Args:
        label: The expression.
        regions: Names, without the background.
        effects: float64 (R,), for example Shapley values or drops by hiding.

    Returns:
        None where textbooks have no pattern for the expression.
    """
    units = textbook_pattern(label)
    if not units:
        return None
    named = {region for unit in units for region in unit.regions}
    expected = tuple(region for region in regions if region in named)
    positive = np.maximum(effects, 0)
    inside = float(sum(positive[regions.index(region)] for region in expected))
    total = float(positive.sum())
    return Agreement(
        units=units,
        expected=expected,
        share=inside / total if total > 0 else 0.0,
        chance=len(expected) / len(regions),
        is_consistent=total > 0 and regions[int(effects.argmax())] in expected,
    )


@cache
def _table() -> dict[str, Any]:
    text = (files("core.explain") / "action_units.json").read_text(encoding="utf-8")
    try:
        table: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ExplainError(
            f"action_units.json is no JSON ({error}). Correct it at that place."
        ) from error
    return table
