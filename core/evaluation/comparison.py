"""Two runs on the same images: is one better, or was it luck?"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.errors import DataError
from core.evaluation.bootstrap import paired_difference
from core.evaluation.predictions import Predictions
from core.labels import EMOTIONS

SIGNIFICANT = 0.05  # p-value below which a difference is not called luck


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired test of two runs.

    Attributes:
        n: Images both runs answered.
        left_out: Images only one of them answered.
        both: Right in both runs.
        only_first: Right in the first alone.
        only_second: Right in the second alone.
        neither: Wrong in both.
        p_value: Exact McNemar test: how often luck alone would part the two as far.
        low: Lower end of the 95 % interval of the difference in accuracy (Newcombe, 1998), -1 to 1.
        high: Its upper end.
    """

    n: int
    left_out: int
    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Accuracy of the first less that of the second, -1 to 1."""
        return (self.only_first - self.only_second) / self.n

    def in_words(self, first: str, second: str) -> tuple[str, str]:
        """Which of the two is better, if not by luck; and by how much.

        Args:
            first: Name of the first run.
            second: Name of the second.

        Returns:
            A clause without its full stop, and what follows it.
        """
        better, worse = (first, second) if self.difference >= 0 else (second, first)
        if self.p_value < SIGNIFICANT:
            verdict = f"{better} is right more often than {worse}"
        else:
            verdict = "The difference between the two may be luck"
        chance = "below 0.0001" if self.p_value < 1e-4 else f"{self.p_value:.4f}"
        are = "image that only one of the two was measured on is"
        if self.left_out != 1:
            are = "images that only one of the two was measured on are"
        left = f" {self.left_out:,} {are} left out." if self.left_out else ""
        return verdict, (
            f": by {100 * abs(self.difference):.2f} percentage points on "
            f"{self.n:,} image{'s' * (self.n != 1)} "
            f"(first less second: {100 * self.low:+.2f} to {100 * self.high:+.2f}, 95 % interval). "
            f"Only the first is right on {self.only_first:,}, only the second on "
            f"{self.only_second:,}; exact McNemar test, p = {chance}.{left}"
        )


def shared_classes(known: Sequence[Sequence[str]], *, six: bool = False) -> tuple[str, ...]:
    """The classes between which runs choose when they are compared.

    Args:
        known: Of each run, the classes that it knows.
        six: Whether runs that know the same are asked about the paper's six alone.

    Returns:
        All classes of runs that know the same, else those of the six that all know.

    Raises:
        DataError: They have no two in common.
    """
    first, *others = known
    if not six and all(set(labels) == set(first) for labels in others):
        return tuple(first)
    shared = tuple(label for label in EMOTIONS if all(label in labels for labels in known))
    if len(shared) < 2:
        raise DataError("These networks have no two of the six expressions in common.")
    return shared


def mcnemar(first: Predictions, second: Predictions) -> Comparison:
    """The exact McNemar test (McNemar, 1947) of two runs' answers to the same images.

    Images are matched by source, part and pixels; copies of a picture by their order.

    Raises:
        DataError: No image was answered by both.
    """
    from scipy.stats import binomtest  # slow to import, and needed for a comparison alone

    keys = ["source", "part", "pixel_hash", "copy"]
    pairs = _keyed(first).merge(_keyed(second), on=keys, suffixes=("_first", "_second"))
    if pairs.empty:
        raise DataError(
            "The two runs have no image in common. Choose a split that both were evaluated on."
        )
    one, two = pairs["right_first"].to_numpy(bool), pairs["right_second"].to_numpy(bool)
    n = len(pairs)
    only_first, only_second = int((one & ~two).sum()), int((~one & two).sum())
    both, neither = int((one & two).sum()), int((~one & ~two).sum())
    parted = only_first + only_second
    _, (low, high) = paired_difference(both, only_first, only_second, neither)
    return Comparison(
        n=n,
        left_out=len(first) + len(second) - 2 * n,
        both=both,
        only_first=only_first,
        only_second=only_second,
        neither=neither,
        p_value=float(binomtest(only_first, parted).pvalue) if parted else 1.0,
        low=low,
        high=high,
    )


def _keyed(predictions: Predictions) -> pd.DataFrame:
    """Source, part, pixel_hash, number of the copy, and whether the answer is right."""
    table = predictions.table[["source", "part", "pixel_hash"]].assign(right=predictions.correct)
    return table.assign(copy=table.groupby(["source", "part", "pixel_hash"]).cumcount())
