"""How far a model carries: each source on its own, and the portrait shortcut of AffectNet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.evaluation.bootstrap import Interval, share_difference
from core.evaluation.predictions import Predictions
from core.evaluation.report_file import SIX

SHORTCUT_CLASS = "happiness"
PORTRAITS = "ffhq"


@dataclass(frozen=True, slots=True)
class SourceScore:
    """A run's figures on one source.

    Attributes:
        source: Name of the source.
        part: The images used: "test", or "valid" where the source has no published test.
        n: How many.
        accuracy: Share of right answers, 0 to 1.
        accuracy_interval: Its 95 % interval.
        macro_f1: Mean F1 of the classes that occur, 0 to 1.
        macro_f1_interval: Its 95 % interval.
        seen: Whether the run, or what it began with, was trained on images of this source; None
            for an imported network, of which that is not known.
    """

    source: str
    part: str
    n: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    seen: bool | None


def by_source(report: dict[str, Any], *, six: bool = False) -> list[SourceScore]:
    """Figures a source: on its published test, or on clean validation where it has none.

    Args:
        report: Content of a run's report.json.
        six: Whether only the answers between the paper's six classes count.
    """
    splits = (report.get(SIX, report) if six else report)["splits"]
    found: dict[str, SourceScore] = {}
    known = report.get("seen", report["sources"])
    for part in ("test", "valid"):
        for name, figures in splits.get(part, {}).get("per_source", {}).items():
            if name not in found:
                found[name] = SourceScore(
                    source=name,
                    part=part,
                    n=figures["n"],
                    accuracy=figures["accuracy"],
                    accuracy_interval=_ends(figures["intervals"]["accuracy"]),
                    macro_f1=figures["macro_f1"],
                    macro_f1_interval=_ends(figures["intervals"]["macro_f1"]),
                    seen=name in known if known else None,
                )
    return list(found.values())


def trained_alike(
    found: Mapping[str, SourceScore], recipes: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    """Networks that never saw an image set, with those that did and were trained the same way.

    Args:
        found: Figures on one image set, by network.
        recipes: Of the networks, as `recipe` gives them; one that is absent is like no other.

    Returns:
        The name of each such network that has others to be compared with, and theirs.
    """
    pairs = []
    for name, one in found.items():
        others = [
            title
            for title, other in found.items()
            if other.seen and name in recipes and recipes.get(title) == recipes[name]
        ]
        if others and one.seen is False:
            pairs.append((name, others))
    return pairs


def _ends(values: list[float]) -> Interval:
    return values[0], values[1]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Recall of happiness among AffectNet's FFHQ portraits and among all other images.

    Almost all happiness images of AffectNet are such portraits and few others are, so a network
    can learn "portrait" instead of "happy": then the first recall is high, the second low, and
    portraits with another label are called happiness.

    Attributes:
        portraits: Recall of happiness among file names with the prefix ffhq_, 0 to 1.
        others: The same among all other images, of any source.
        n_portraits: Happiness images among the portraits.
        n_others: Happiness images among the others.
        false_portraits: Share of the portraits with another label that are called happiness;
            None where there are none.
        low: Lower end of Newcombe's 95 % interval of portraits - others (`share_difference`).
        high: Its upper end.
    """

    portraits: float
    others: float
    n_portraits: int
    n_others: int
    false_portraits: float | None
    low: float
    high: float

    @property
    def gap(self) -> float:
        """Recall among portraits less that among the others."""
        return self.portraits - self.others


def shortcut(predictions: Predictions) -> Shortcut | None:
    """The shortcut on clean validation of all sources; None where a group has no happiness."""
    if SHORTCUT_CLASS not in predictions.labels:
        return None
    rows = predictions.of_split("valid")
    happy = predictions.labels.index(SHORTCUT_CLASS)
    portrait = rows.table["origin"].to_numpy() == PORTRAITS
    called, is_happy = rows.predicted == happy, rows.true == happy
    ours, rest = called[is_happy & portrait], called[is_happy & ~portrait]
    if not len(ours) or not len(rest):
        return None
    _, (low, high) = share_difference((int(ours.sum()), len(ours)), (int(rest.sum()), len(rest)))
    unhappy = called[portrait & ~is_happy]
    return Shortcut(
        portraits=float(ours.mean()),
        others=float(rest.mean()),
        n_portraits=len(ours),
        n_others=len(rest),
        false_portraits=float(unhappy.mean()) if len(unhappy) else None,
        low=low,
        high=high,
    )
