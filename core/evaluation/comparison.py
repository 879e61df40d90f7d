"""Two runs on the same images: is one better, or was it luck?"""

from dataclasses import dataclass

import pandas as pd

from core.errors import DataError
from core.evaluation.bootstrap import paired_difference
from core.evaluation.predictions import Predictions


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
