"""From figures to a badge."""

from collections.abc import Mapping
from typing import Literal

from core.explain.faithfulness.intervals import Estimate

Verdict = Literal["beats its controls", "does not beat its controls"]
Sanity = Literal["passes", "partly", "fails", "unknown"]

HIGH = 0.5  # of Spearman's correlation: above it two maps are called alike


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
