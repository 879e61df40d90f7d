"""Two ways of doing the same thing, timed in turn, so that a noisy machine is noisy for both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians of both ways.

    Attributes:
        ours: In `unit`.
        baseline: In `unit`; None where it could not be measured.
        ratio: How many times better ours is: ours / baseline for speeds, baseline / ours for times;
            None without a baseline.
        unit: "faces/s", "ms" and the like.
        note: What was compared.
        limit: In `unit`: what the costly parts alone would allow; 0 where none is measured.
        limit_note: What these parts are.
        table: Lines that belong to it, the headings first; empty where there are none.
    """

    ours: float
    baseline: float | None
    ratio: float | None
    unit: str
    note: str
    limit: float = 0.0
    limit_note: str = ""
    table: tuple[tuple[str, ...], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def compare(
    ours: Callable[[], object],
    baseline: Callable[[], object],
    *,
    amounts: tuple[int, int] = (1, 1),
    rounds: int = 5,
    unit: str = "ms",
    note: str = "",
    limit: Callable[[], object] | None = None,
    limit_note: str = "",
) -> Comparison:
    """Time both in turn after one warm-up each; the ratio is the median of the rounds' ratios.

    Args:
        ours: A whole round of our way.
        baseline: A whole round of the other way.
        amounts: Things done in a round of ours and of the baseline.
        rounds: How often each is timed.
        unit: "ms" gives milliseconds a thing, anything else things a second.
        note: What is compared.
        limit: The parts of a round of ours that cannot be left out, and nothing else.
        limit_note: What they are.
    """
    ours()
    baseline()
    pairs, alone = [], []
    for _ in range(rounds):
        pairs.append((seconds(ours) / amounts[0], seconds(baseline) / amounts[1]))
        if limit is not None:
            alone.append(seconds(limit) / amounts[0])
    least = statistics.median(alone) if alone else 0.0
    first = statistics.median(pair[0] for pair in pairs)
    second = statistics.median(pair[1] for pair in pairs)
    ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
    if unit == "ms":
        return Comparison(1000 * first, 1000 * second, ratio, unit, note, 1000 * least, limit_note)
    most = 1 / least if least else 0.0
    return Comparison(1 / first, 1 / second, ratio, unit, note, most, limit_note)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
