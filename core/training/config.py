"""Everything that decides a training run, as one frozen value that is stored beside it."""

import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from core.errors import ConfigError
from core.labels import CLASS_SETS
from core.shapes import ConfigFile
from core.stored import Unreadable, check_shape

Optimiser = Literal["sgd", "adam", "adamw"]
Schedule = Literal["constant", "cosine", "one_cycle", "exponential"]
FACE_START = "dlib-face-recognition"  # an `initial` that is no checkpoint
WHOLE = ("epochs", "batch_size", "patience", "devices", "machines", "start_side", "seed")
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
Accelerator = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly training pictures are varied; zeros switch a part off.

    Attributes:
        flip: Chance of a horizontal mirror image, 0 to 1.
        rotation: Largest turn to either side, degrees.
        scale: Largest relative zoom in or out, 0.2 for 0.8 to 1.25.
        shift: Largest shift of either axis, as a share of the side.
        shear: Largest shear, as a share of the side.
        reframe: Chance that a picture is shown as the app frames its face, with 5 % less to 20 %
            more around it; of the pictures that `python -m core frame` found a face in.
        perspective: Largest keystone distortion, as a share of the side.
        brightness: Largest additive change on the 0 to 1 scale.
        contrast: Largest relative change of contrast.
        gamma: Largest relative change of gamma.
        low_resolution: Chance that a picture loses sharpness by shrinking and enlarging.
        noise: Largest standard deviation of Gaussian noise on the 0 to 1 scale.
        compression: Chance that a picture is stored as a JPEG of quality 15 to 90 and read again.
        erasing: Chance that a rectangle of 2 to 20 % of the area is blanked.
        mixup: Parameter alpha of the beta distribution that mixes pairs (Zhang et al., 2018).
    """

    flip: float = 0.5
    rotation: float = 12.0
    scale: float = 0.15
    shift: float = 0.08
    shear: float = 0.05
    reframe: float = 0.0
    perspective: float = 0.0
    brightness: float = 0.15
    contrast: float = 0.3
    gamma: float = 0.2
    low_resolution: float = 0.2
    noise: float = 0.03
    compression: float = 0.0
    erasing: float = 0.25
    mixup: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "reframe", "low_resolution", "compression", "erasing"):
            _within(f"augment.{name}", getattr(self, name), 0.0, 1.0)
        for name in ("scale", "shift", "shear", "perspective", "brightness", "contrast", "gamma"):
            _within(f"augment.{name}", getattr(self, name), 0.0, 0.9)
        _within("augment.rotation", self.rotation, 0.0, 180.0)
        _within("augment.noise", self.noise, 0.0, 0.5)
        _within("augment.mixup", self.mixup, 0.0, 10.0)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One training run.

    Attributes:
        model: Registry name of the network.
        model_options: Keyword options of the network (paper, Table 3: depth, dropout, ...).
        initial: Run or shipped checkpoint whose weights are the start (fine-tuning); several,
            joined by "+", fill the columns of a network that has them, or give the mean of their
            weights if they are of the run's own network, and should stem from one another then;
            "dlib-face-recognition" for dlib's network, which knows faces; empty for fresh weights.
        teacher: Run or shipped checkpoint whose answers to the training faces are part of the
            target (distillation); several, joined by "+", give their mean; empty for labels alone.
        teacher_share: Share of the target that is the teacher's answer, the label's is the rest;
            train accuracy counts the class that has most of the target.
        rater_share: Share of the target that is the votes of FER+'s ten raters (Barsoum et al.,
            2016), for training faces of FER2013 that they rated; 0 for labels alone.
        data: Prepared data folder, below the data root or absolute.
        split: Name of the split file, "clean" or "published".
        sources: Sources to train on; empty for all.
        class_set: "six" or "seven".
        epochs: Passes over the training part; 0 keeps what `initial` gives, networks joined as they
            are or their mean.
        batch_size: Faces a step, over all processes.
        optimiser: Update rule.
        learning_rate: Highest learning rate of the schedule.
        momentum: Momentum of SGD; beta1 of Adam and AdamW.
        nesterov: Whether SGD looks ahead.
        weight_decay: L2 penalty; biases and batch norms are spared when `decay_all` is false.
        decay_all: Whether biases and batch norms decay as well, as in the paper's code.
        schedule: How the learning rate moves.
        warmup: Share of all steps in which the rate rises.
        final_rate: Rate at the end as a share of the highest.
        label_smoothing: Probability mass spread over all classes.
        class_weighting: Exponent of the inverse class frequency, 0 none, 1 full.
        ema: Decay of the running average of weights that is validated and kept; 0 for none.
        gradient_clip: Largest gradient norm; 0 for no limit.
        augment: Strengths of augmentation.
        start_side: Side of the pictures in the first epochs; 0 for the full side at once.
        grow_until: Share of the epochs trained at `start_side`.
        patience: Epochs without a better validation accuracy before stopping; 0 for never.
        precision: Number format of the forward pass; "auto" for bfloat16 where the processor
            computes in it, else float32.
        compile: Whether torch.compile fuses the network's operations: meant for accelerators; a CPU
            spends minutes on it and trains no faster.
        seed: Start of every random number.
        save_minutes: Minutes between saves inside an epoch.
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: Processes on this machine.
        machines: Machines taking part.
    """

    model: str = "gimefive"
    model_options: dict[str, Any] = field(default_factory=dict)
    initial: str = ""
    teacher: str = ""
    teacher_share: float = 0.5
    rater_share: float = 0.0
    data: str = "fer-gimefive"
    split: str = "clean"
    sources: tuple[str, ...] = ()
    class_set: str = "six"
    epochs: int = 40
    batch_size: int = 64
    optimiser: Optimiser = "sgd"
    learning_rate: float = 0.05
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    decay_all: bool = False
    schedule: Schedule = "one_cycle"
    warmup: float = 0.2
    final_rate: float = 1e-3
    label_smoothing: float = 0.1
    class_weighting: float = 0.25
    ema: float = 0.999
    gradient_clip: float = 5.0
    augment: Augmentation = field(default_factory=Augmentation)
    start_side: int = 0
    grow_until: float = 0.0
    patience: int = 0
    precision: Precision = "auto"
    compile: bool = False
    seed: int = 0
    save_minutes: float = 5.0
    accelerator: Accelerator = "auto"
    devices: int = 1
    machines: int = 1

    def __post_init__(self) -> None:
        if self.class_set not in CLASS_SETS:
            raise ConfigError(f"class_set is {self.class_set!r}; expected six or seven.")
        for name in ("initial", "teacher"):
            found = getattr(self, name)
            if not isinstance(found, str) or "/" in found:
                raise ConfigError(f"{name} is {found!r}; expected the name of a checkpoint.")
        for name, choices in (
            ("optimiser", get_args(Optimiser)),
            ("schedule", get_args(Schedule)),
            ("precision", get_args(Precision)),
            ("accelerator", get_args(Accelerator)),
        ):
            if getattr(self, name) not in choices:
                found = getattr(self, name)
                raise ConfigError(f"{name} is {found!r}; expected one of {', '.join(choices)}.")
        for name, low, high in (
            ("epochs", 0, 10_000), ("batch_size", 1, 65_536), ("learning_rate", 1e-8, 10.0),
            ("momentum", 0.0, 0.9999), ("weight_decay", 0.0, 1.0), ("warmup", 0.0, 0.9),
            ("final_rate", 0.0, 1.0), ("label_smoothing", 0.0, 0.9), ("class_weighting", 0.0, 1.0),
            ("ema", 0.0, 0.999999), ("gradient_clip", 0.0, 1e6), ("grow_until", 0.0, 1.0),
            ("patience", 0, 10_000), ("save_minutes", 0.01, 1e6), ("devices", 1, 1024),
            ("machines", 1, 1024), ("start_side", 0, 1024), ("seed", 0, 2**31 - 1),
            ("teacher_share", 0.0, 1.0), ("rater_share", 0.0, 1.0),
        ):  # fmt: skip
            _within(name, getattr(self, name), low, high)
            if name in WHOLE and not isinstance(getattr(self, name), int):
                found = getattr(self, name)
                raise ConfigError(f"{name} is {found!r}; expected a whole number.")

        if not self.epochs and self.initial in ("", FACE_START):
            raise ConfigError(
                "epochs is 0; expected at least 1, unless initial names checkpoints, which are "
                "then kept as they are."
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the network's outputs."""
        return CLASS_SETS[self.class_set]

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the order of the fields."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "RunConfig":
        """Read what `to_json` wrote; missing keys take their defaults.

        Raises:
            ConfigError: A key is unknown or a value is out of range.
        """
        if isinstance(values, dict):  # the shape says so of all others
            values = {
                key: list(one) if isinstance(one, tuple) else one for key, one in values.items()
            }
        try:
            check_shape(values, ConfigFile)
        except Unreadable as error:
            raise ConfigError(f"The configuration has {error}.") from error
        augment = values.pop("augment", {})
        if "sources" in values:
            values["sources"] = tuple(values["sources"])
        _refuse_unknown(values, cls, "")
        _refuse_unknown(augment, Augmentation, "augment.")
        try:
            return cls(**values, augment=Augmentation(**augment))
        except TypeError as error:
            raise ConfigError(
                f"The configuration has a value of the wrong type: {error}."
            ) from error

    def with_settings(self, settings: dict[str, str]) -> "RunConfig":
        """Change fields by name, as `--set key=value` on the command line does.

        Args:
            settings: Texts by field name; `augment.rotation` and `model_options.depth` reach
                inside. Values are read as JSON, and as plain text where they are none.

        Raises:
            ConfigError: A name is unknown or a value is out of range.
        """
        values = self.to_json()
        for key, text in settings.items():
            place, _, inner = key.partition(".")
            if inner and place in ("augment", "model_options"):
                values[place] = {**values[place], inner: _parse(text)}
            else:
                values[key] = _parse(text)
        if isinstance(values["sources"], str):
            values["sources"] = [name for name in values["sources"].split(",") if name]
        return type(self).from_json(values)

    def replaced(self, **changes: Any) -> "RunConfig":  # noqa: ANN401 - any field
        """A copy with some fields changed and all checked again."""
        return replace(self, **changes)


def _parse(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    try:
        return float(text)  # ".5", which JSON refuses
    except ValueError:
        return text


def _within(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{name} is {value!r}; expected a number from {low:g} to {high:g}.")


def _refuse_unknown(values: dict[str, Any], owner: type, prefix: str) -> None:
    known = {entry.name for entry in fields(owner)}
    for key in values:
        if key not in known:
            raise ConfigError(
                f"The configuration has no setting {prefix + key!r}. "
                f"Known are: {', '.join(prefix + name for name in sorted(known))}."
            )


FLIP_ONLY = Augmentation(
    rotation=0.0, scale=0.0, shift=0.0, shear=0.0, brightness=0.0, contrast=0.0, gamma=0.0,
    low_resolution=0.0, noise=0.0, erasing=0.0,
)  # fmt: skip
