"""The shapes that files of run and data folders must have: keys, types and ranges.

Read by `core.stored`; what was measured has its own in `core.measured_shapes`.

More keys than these are no fault, other versions write them; what a reader cannot do without, it
asks for itself.
"""

from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

MOST_CLASSES, LONGEST_NAME, LONGEST_TEXT = 10_000, 200, 20_000
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0, le=1e6)]
Number = Annotated[float, Meta(ge=-1e300, le=1e300)]  # finite
Time = Annotated[float, Meta(ge=0, le=1e11)]  # seconds since the epoch
Count = Annotated[int, Meta(ge=0, le=2**53)]
Name = Annotated[str, Meta(max_length=LONGEST_NAME)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
# No markup in it: class names are drawn everywhere.
Label = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f`*~$:<>|\[\]\\!&]+$")
]
Classes = Annotated[list[Label], Meta(min_length=2, max_length=MOST_CLASSES)]
Interval = Annotated[list[Number], Meta(min_length=2, max_length=2)]


class StatusFile(TypedDict, total=False):
    """status.json of a run or search."""

    state: Name
    reason: Text
    time: Time
    pid: Annotated[int, Meta(ge=0, lt=2**31)]
    created: Time
    host: Text


class Progress(TypedDict, total=False):
    """progress.json of a run at work, or of a search."""

    epoch: Count
    epochs: Count
    step: Count
    steps: Count
    share: Share
    loss: float | None
    learning_rate: float
    faces_per_second: Number
    input_share: Number
    eta_seconds: Number
    time: Time
    done: Count
    trials: Count
    best: float | None


class EpochLine(TypedDict):
    """A line of metrics.jsonl."""

    epoch: Count
    valid_accuracy: NotRequired[Share]
    valid_macro_f1: NotRequired[Share]
    valid_loss: NotRequired[float]
    train_loss: NotRequired[float]
    train_accuracy: NotRequired[Share]
    learning_rate: NotRequired[Number]
    seconds: NotRequired[Number]
    faces_per_second: NotRequired[Number]
    input_share: NotRequired[Number]
    side: NotRequired[Count]


class StepLine(TypedDict):
    """A line of steps.jsonl."""

    at: Annotated[float, Meta(ge=0, le=1e9)]
    loss: float | None
    learning_rate: Number


class PreprocessPart(TypedDict):
    """`preprocess` of a card."""

    size: Annotated[int, Meta(ge=8, le=1024)]
    crop: Annotated[int, Meta(ge=8, le=1024)]
    mean: Annotated[list[Number], Meta(min_length=1, max_length=16)]
    std: Annotated[list[Positive], Meta(min_length=1, max_length=16)]
    colour: NotRequired[bool]


class OriginPart(TypedDict):
    """`initial` and `teacher` in the data of a card."""

    checkpoint: Text
    name: NotRequired[Text | None]
    data_hash: NotRequired[Text | None]
    split: NotRequired[Name | None]
    sources: NotRequired[list[Name]]
    averaged: NotRequired[bool]


class StartPart(TypedDict, total=False):
    """`start` in the data of a card: of what the first weights were."""

    about: Text


class DataPart(TypedDict, total=False):
    """`data` of a card."""

    name: Text
    data_hash: Text
    split: Name
    sources: list[Name]
    train: Count | None
    valid: Count | None
    imported: Text
    unknown_classes: dict[Name, list[Label]]
    rater_votes: Count
    start: StartPart
    initial: OriginPart | None
    teacher: OriginPart | None


class FiguresPart(TypedDict, total=False):
    """`metrics` of a card: those of the kept epoch."""

    epoch: Count
    valid_accuracy: Share
    valid_macro_f1: Share
    valid_loss: float


class KeptFile(TypedDict, total=False):
    """card.json, where only the figures of the kept epoch are asked for."""

    metrics: FiguresPart


class CardFile(TypedDict, total=False):
    """card.json of a checkpoint."""

    model: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
    labels: Classes
    preprocess: PreprocessPart
    model_options: dict[Name, Any]
    data: DataPart
    metrics: FiguresPart
    training: dict[str, Any]
    versions: dict[Name, Text]
    temperature: Positive
    threshold: Share
    flip_average: bool
    title: Name
    licence: Text


class ConfigFile(TypedDict, total=False):
    """config.json of a run: types of what has no range; `RunConfig` checks names and numbers."""

    model: Name
    model_options: dict[Name, Any]
    data: Text
    split: Name
    sources: list[Name]
    nesterov: bool
    decay_all: bool
    compile: bool
    augment: dict[Name, Any]


class JobFile(TypedDict):
    """job.json of a run or search in the queue."""

    added: Time
    evaluate: NotRequired[bool]
    vanished: NotRequired[Count]
    mark: NotRequired[Time]


class StudyFile(TypedDict):
    """study.json of a search."""

    space: Annotated[dict[Name, Any], Meta(min_length=1)]
    base: ConfigFile
    sampler: NotRequired[Name]
    trials: NotRequired[Count]
    pruner: NotRequired[Name]
    goal: NotRequired[Name]
    storage: NotRequired[Text]
    seed: NotRequired[Count]


class SourcePart(TypedDict):
    """A source in dataset.json."""

    key: Name
    root: Text
    images: NotRequired[Count]


class DatasetFile(TypedDict):
    """dataset.json of a prepared folder."""

    format: Count
    labels: Classes
    counts: dict[Name, dict[Name, dict[Name, Count]]]
    data_hash: Text
    images: NotRequired[Count]
    skipped: NotRequired[Count]
    skipped_by_reason: NotRequired[dict[Text, Count]]
    request: NotRequired[Text]
    frame_step: NotRequired[Count | None]
    exclude: NotRequired[Text]
    sources: NotRequired[list[SourcePart]]
    preprocess: NotRequired[PreprocessPart]
