"""The shapes of what was measured of a checkpoint, as `core.shapes` has those of all else."""

from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from core.shapes import Classes, Count, Interval, Name, Number, Positive, Share, Text


class ClassPart(TypedDict, total=False):
    """A class in a split of a report."""

    recall: Share
    precision: Share
    f1: Share
    support: Count


class ClassIntervals(TypedDict, total=False):
    """95 % intervals of a class."""

    recall: Interval
    precision: Interval
    f1: Interval


class IntervalsPart(TypedDict, total=False):
    """95 % intervals of a split."""

    accuracy: Interval
    macro_f1: Interval
    balanced_accuracy: Interval
    ece: Interval
    per_class: dict[Name, ClassIntervals]


class UnclearPart(TypedDict):
    """What is left where uncertain answers are none."""

    threshold: Share
    coverage: Share
    accuracy_answered: Share | None


class SplitPart(TypedDict, total=False):
    """A split of a report, or one of its image sets."""

    about: Text
    sources: list[Name]
    n: Annotated[int, Meta(ge=1, le=2**53)]
    accuracy: Share
    macro_f1: Share
    balanced_accuracy: Share
    ece: Share
    per_class: dict[Name, ClassPart]
    confusion: list[list[Count]]
    intervals: IntervalsPart
    unclear: UnclearPart
    per_source: dict[Name, Any]


class FitPart(TypedDict, total=False):
    """How the temperature was fitted."""

    fitted: bool
    n: Count
    rule: Text
    ece_before: Share
    ece_after: Share


class SixPart(TypedDict):
    """The answers between the paper's six classes alone, of a network with more."""

    labels: Classes
    splits: dict[Name, SplitPart]


class ReportFile(TypedDict, total=False):
    """report.json of an evaluation."""

    format: int
    checkpoint: Text
    labels: Classes
    sources: list[Name]
    seen: list[Name]
    absent: list[Name]
    trained_on_split: Name | None  # of an imported network it is not known
    data_hash: Text
    date: Name
    temperature: Positive
    threshold: Share
    calibration: FitPart
    weights_sha256: Text
    weights_fingerprint: Text
    splits: dict[Name, SplitPart]
    six: SixPart


class QuantisationFile(TypedDict):
    """quantisation.json of a checkpoint."""

    ranges: Annotated[list[Interval], Meta(max_length=10_000)]
    faces: Count
    accuracy_exact: Share
    accuracy_int8: Share
    agreement: Share
    weights_fingerprint: NotRequired[Text]


class GapPart(TypedDict):
    """A difference with its 95 % interval."""

    gap: Number
    ci: Interval


class PlantedShare(TypedDict):
    """The share of the evidence on a planted mark."""

    share: Number
    ci: Interval


class PlantedPart(TypedDict, total=False):
    """What was found of a planted mark; empty where none was planted."""

    area: Number
    shares: dict[Name, PlantedShare]


class StabilityPart(TypedDict):
    """How alike the maps of a changed picture are."""

    flip: Number | None
    shift: Number | None
    noise: Number | None


class MethodPart(TypedDict):
    """A method in faithfulness.json."""

    layer: Name
    n: Count
    insertion: Number
    deletion: Number
    gap: Number
    ci: Interval
    over_controls: Annotated[dict[Name, GapPart], Meta(min_length=1)]
    average_drop: Number
    increase: Number
    road: GapPart
    blank: Number
    legible: NotRequired[Number | None]
    places: NotRequired[Number | None]
    randomisation: dict[Name, Number | None]
    sanity: Name
    stability: StabilityPart
    verdict: Name
    planted: NotRequired[PlantedShare | None]


class FaithfulnessFile(TypedDict):
    """faithfulness.json of a checkpoint."""

    weights_fingerprint: NotRequired[Text]
    data_hash: NotRequired[Text]
    methods: dict[Name, MethodPart]
    controls: dict[Name, GapPart]
    planted: NotRequired[PlantedPart]


class StratumRow(TypedDict):
    """A stratum of one image set."""

    source: Name
    stratum: Text
    n: Count
    accuracy: Share | None
    accuracy_interval: Interval | None
    difference: Annotated[list[Number], Meta(min_length=3, max_length=3)] | None
    macro_f1: Annotated[list[Number], Meta(min_length=3, max_length=3)] | None
    coverage: Share | None
    coverage_interval: Interval | None
    expected: Share | None
    accuracy_answered: Share | None


class GroupingPart(TypedDict):
    """A way of dividing the faces in strata.json."""

    name: Text
    split: Name
    rows: list[StratumRow]


class StrataFile(TypedDict):
    """strata.json beside predictions."""

    format: Count
    predictions: Text
    groupings: list[GroupingPart]
