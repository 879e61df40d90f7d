"""What hiding parts of a face says of a map, in a sentence."""

from collections.abc import Collection, Mapping

from core.explain import LEAST_DROP
from webapp.charts.faithfulness import told


def map_beside_shares(shares: Mapping[str, float], fair: Mapping[str, float]) -> str:
    """Whether all combinations bear out a map: shares of its evidence beside fair ones, logits."""
    first, holds = _most_of(shares, fair)
    if not first:
        return ""
    most = max(fair, key=fair.__getitem__)
    own = told(fair[first], "logits")
    if fair[most] <= 0:
        return f"{holds}, but over all combinations no part speaks for the answer."
    if first == most:
        return f"{holds}, whose fair share is the largest, too ({own}): hiding bears it out."
    other = told(fair[most], "logits")
    return f"{holds}, whose fair share is {own}; the largest is that of the {most} ({other})."


def map_beside_hiding(shares: Mapping[str, float], lost: Mapping[str, float]) -> str:
    """Whether hiding parts bears out a map: shares of its evidence beside the answer's losses."""
    first, holds = _most_of(shares, lost)
    if not first:
        return ""
    worst = max(lost, key=lost.__getitem__)
    effect = _effect("them" if first.endswith("s") else "it", lost[first])
    if lost[first] >= LEAST_DROP:
        more = "" if first == worst else f"; more is lost without the {worst}"
        return f"{holds}, and {effect}: hiding bears it out{more}."
    if lost[worst] < LEAST_DROP:
        cannot = "No part alone decides this answer, so that hiding one cannot test this map"
        return f"{holds}, and {effect}. {cannot}; **All combinations** can."
    other = _effect(f"the {worst}", lost[worst])
    return f"{holds}, but {effect}, and {other}: on this face hiding does not bear the map out."


def _most_of(shares: Mapping[str, float], parts: Collection[str]) -> tuple[str, str]:
    """The part with the largest share of a map, and words for it; "" where none has any."""
    known = [name for name in parts if shares.get(name, 0.0) > 0]
    if not known:
        return "", ""
    first = max(known, key=shares.__getitem__)
    share = told(shares[first], "share")
    return first, f"The map puts the largest share of its evidence on the {first} ({share})"


def _effect(what: str, lost: float) -> str:
    """What hiding a part does to the answer; `lost` is a share of probability, -1 to 1."""
    points = told(lost, "points").lstrip("+-")
    costs = f"hiding {what} costs the answer {points} points"
    return costs if lost >= 0 else f"hiding {what} adds {points} points to the answer"


def share_within(values: Mapping[str, float], parts: Collection[str]) -> float:
    """Share, 0 to 1, of what is above 0 that lies in these parts; 0 where nothing is."""
    inside = sum(max(value, 0.0) for name, value in values.items() if name in parts)
    total = sum(max(value, 0.0) for value in values.values())
    return inside / total if total else 0.0
