"""What a search may change: the values of Table 3, a space of our own, or a JSON file."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError
from core.training.config import RunConfig

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting that takes one of some values."""

    values: tuple[Value, ...]

    def to_json(self) -> list[Value]:
        return list(self.values)


@dataclass(frozen=True, slots=True)
class Range:
    """A setting that takes any number between two.

    Attributes:
        log: Whether each factor of ten is as likely as the next.
        whole: Whether only whole numbers count.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def to_json(self) -> dict[str, Value]:
        return {"low": self.low, "high": self.high, "log": self.log, "whole": self.whole}


Space = dict[str, Choice | Range]
_OF_THE_DATA = ("data", "split", "sources", "class_set")

# Paper, Table 3. Its activation has one value, ReLU; early stopping "no" is a patience of 0.
TABLE_3: Space = {
    "learning_rate": Choice((1e-2, 1e-3, 1e-4)),
    "batch_size": Choice((8, 16, 32, 64)),
    "model_options.head_dropout": Choice((0.2, 0.5)),
    "model_options.depth": Choice((4, 5, 6)),
    "model_options.fc_depth": Choice((1, 2, 3)),
    "model_options.batch_norm": Choice((True, False)),
    "model_options.pooling": Choice(("max", "average")),
    "optimiser": Choice(("adam", "adamw", "sgd")),
    "epochs": Choice((10, 20, 40, 80)),
    "patience": Choice((0, 5, 10, 15)),
}
RECIPE: Space = {
    "learning_rate": Range(5e-3, 0.2, log=True),
    "weight_decay": Range(1e-5, 1e-2, log=True),
    "label_smoothing": Range(0.0, 0.3),
    "class_weighting": Range(0.0, 1.0),
    "model_options.block_dropout": Range(0.0, 0.4),
    "model_options.head_dropout": Range(0.0, 0.7),
    "augment.rotation": Range(0.0, 25.0),
    "augment.scale": Range(0.0, 0.4),
    "augment.erasing": Range(0.0, 0.6),
    "augment.mixup": Choice((0.0, 0.1, 0.2, 0.4)),
}
SPACES: dict[str, Space] = {"table3": TABLE_3, "recipe": RECIPE}


def find_space(name_or_file: str) -> Space:
    """A space by name, or from a JSON file of the form that `space_from_json` reads.

    Raises:
        ConfigError: There is no such space, or the file holds none.
    """
    if name_or_file in SPACES:
        return dict(SPACES[name_or_file])
    path = Path(name_or_file)
    if path.suffix != ".json":
        raise ConfigError(
            f"There is no search space {name_or_file!r}. Choose {' or '.join(SPACES)}, or name a "
            "JSON file."
        )
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a search space: {error}.") from error
    return space_from_json(content)


def space_from_json(content: object) -> Space:
    """Read `{"epochs": [10, 20], "learning_rate": {"low": 1e-4, "high": 0.1, "log": true}}`.

    Raises:
        ConfigError: It has another form.
    """
    if not isinstance(content, dict) or not content:
        raise ConfigError("A search space is an object with a list or a range for each setting.")
    return {str(name): _dimension(str(name), one) for name, one in content.items()}


def _dimension(name: str, content: object) -> Choice | Range:
    if isinstance(content, list) and content:
        if all(isinstance(value, str | int | float) for value in content):
            return Choice(tuple(content))
    elif isinstance(content, dict):
        try:
            found = Range(**content)
            if found.low < found.high and (found.low > 0 or not found.log):
                return found
        except TypeError:
            pass
    raise ConfigError(
        f"The search space has {content!r} for {name}; expected a list of values, or "
        '{"low": number, "high": larger number} with "log" (above 0) and "whole" if wanted.'
    )


def grid_size(space: Space) -> int | None:
    """Number of combinations; None where a range makes them countless."""
    sizes = [len(one.values) for one in space.values() if isinstance(one, Choice)]
    return math.prod(sizes) if len(sizes) == len(space) else None


def configured(base: RunConfig, chosen: Mapping[str, Value]) -> RunConfig:
    """The base with the chosen values.

    Raises:
        ConfigError: A name is unknown or a value is out of range.
    """
    return base.with_settings({name: json.dumps(value) for name, value in chosen.items()})


def check_space(space: Space, base: RunConfig) -> None:
    """Try every bound and value once, so that no trial fails for a slip of the pen.

    Raises:
        ConfigError: A setting does not exist, a value is out of range, or trials would be judged
            on different pictures.
    """
    if kept := [name for name in space if name in _OF_THE_DATA]:
        raise ConfigError(
            f"{kept[0]} cannot be searched: trials would be judged on different pictures. Give it "
            f"to the base, as --set {kept[0]}=..., and begin one search for each."
        )
    for name, one in space.items():
        for value in _ends(one):
            configured(base, {name: value})


def check_networks(space: Space, base: RunConfig) -> None:
    """Build a network for every bound and value of its options, before a search is begun.

    Raises:
        ConfigError: A network does not exist, or none that is tried takes such an option.
    """
    from core.models import MODELS
    from core.training.optimise import check_network  # loads torch

    models = space.get("model", Choice((base.model,)))
    bases = [configured(base, {"model": name}) for name in _ends(models)]
    for tried in bases:
        MODELS[tried.model]  # refuses an unknown name
    for name, one in space.items():
        if not name.startswith("model_options."):
            continue
        for value in _ends(one):
            refused = []
            for tried in bases:
                try:
                    check_network(configured(tried, {name: value}))
                except ConfigError as error:
                    refused.append(error)
            if len(refused) == len(bases):
                raise refused[0]


def _ends(one: Choice | Range) -> tuple[Value, ...]:
    if isinstance(one, Choice):
        return one.values
    return tuple(int(value) if one.whole else value for value in (one.low, one.high))
