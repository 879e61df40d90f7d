"""What the settings are, for forms and help texts, and named sets of them (presets)."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from core.errors import ConfigError
from core.labels import CLASS_SETS
from core.training.config import FLIP_ONLY, Augmentation, RunConfig

Kind = Literal["choice", "whole", "number", "switch", "text", "names"]

# Texts that take one of a few values, beyond what their types say.
CHOICES: dict[str, tuple[str, ...]] = {
    "class_set": tuple(CLASS_SETS),
}
ENTRY = re.compile(r"^ {4,}(\w+): (.*(?:\n {8,}\S.*)*)", re.MULTILINE)


# Rows of Table 2 by data set, the preliminary and the sibling report's networks, and the slim one.
TABLE_ROWS: dict[str, tuple[str, ...]] = {
    "rafdb": (
        "vgg", "resnet18", "resnet34", "gimefive_baseline", "gimefive_se", "gimefive_plain",
        "gimefive", "gimefive_deep", "gimefive_nobn", "resnet14",
    ),
    "fer2013": (
        "vgg", "resnet18", "resnet34", "gimefive_baseline", "gimefive_plain", "gimefive",
        "gimefive_deep", "mini_xception", "resnet14",
    ),
    "fergimefive": ("vgg", "resnet18", "resnet34", "gimefive", "gimefive_res", "resnet14"),
}  # fmt: skip
SOURCES: dict[str, tuple[str, ...]] = {
    "rafdb": ("raf_db",),
    "fer2013": ("fer2013",),
    "fergimefive": (),
}
PAPER = RunConfig(
    split="published", epochs=80, batch_size=16, learning_rate=1e-3, nesterov=False,
    weight_decay=1e-4, decay_all=True, schedule="constant", warmup=0.0, label_smoothing=0.0,
    class_weighting=0.0, ema=0.0, gradient_clip=0.0, augment=FLIP_ONLY, patience=15,
    precision="32-true",
)  # fmt: skip
MODERN = RunConfig(epochs=28, augment=Augmentation(compression=0.2))
RECIPES = {"paper": PAPER, "modern": MODERN}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: As `--set` takes it, for example "augment.rotation".
        kind: What it takes; "names" is a list of texts.
        default: Its value where nothing is chosen.
        choices: Values of a choice.
        help: One sentence, from the docstring.
    """

    name: str
    kind: Kind
    default: Any
    choices: tuple[str, ...] = ()
    help: str = ""


@cache
def run_settings() -> tuple[Setting, ...]:
    """All settings of a run, in the order of the fields, those of augmentation last."""
    found = []
    for prefix, owner in (("", RunConfig), ("augment.", Augmentation)):
        hints, texts = get_type_hints(owner), documented(owner)
        for field in fields(owner):
            default = field.default
            if default is MISSING and field.default_factory is not MISSING:
                default = field.default_factory()
            kind = _kind(field.name, hints[field.name])
            if kind is not None:
                found.append(_setting(prefix, field.name, kind, hints, default, texts))
    return tuple(found)


def option_settings(
    factory: Callable[..., object], defaults: Mapping[str, Any]
) -> tuple[Setting, ...]:
    """The keyword options of a network.

    Args:
        factory: Its class.
        defaults: Values of the table's row, before those of the signature.
    """
    hints, texts = get_type_hints(getattr(factory, "__init__", factory)), documented(factory)
    found = []
    for name, parameter in inspect.signature(factory).parameters.items():
        kind = _kind(name, hints.get(name))
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY or kind is None:
            continue
        default = defaults.get(name, parameter.default)
        found.append(_setting("model_options.", name, kind, hints, default, texts))
    return tuple(found)


def documented(owner: object) -> dict[str, str]:
    """The entries of a Google docstring, `name: text`, as plain lines."""
    text = inspect.getdoc(owner) or ""
    return {name: " ".join(said.split()) for name, said in ENTRY.findall(text)}


def problem(name: str, value: object, initial: str = "") -> str:
    """Why a run does not take this value for a setting; "" where it does.

    Args:
        name: Of the setting.
        value: To be tried.
        initial: The checkpoints it is to begin with, which may be kept without an epoch.
    """
    place, _, inner = name.partition(".")
    try:
        if place == "augment":
            Augmentation(**{inner: value})  # type: ignore[arg-type]  # checked inside
        elif place != "model_options":
            is_kept = name == "epochs" and not problem("initial", initial)
            RunConfig(initial=initial if is_kept else "").replaced(**{name: value})
    except ConfigError as error:
        return str(error)
    return ""


def values_of(config: RunConfig) -> dict[str, Any]:
    """A configuration by the names of its settings; options of the network only where given."""
    flat = config.to_json()
    for place in ("augment", "model_options"):
        for inner, value in flat.pop(place).items():
            flat[f"{place}.{inner}"] = value
    return flat


def _kind(name: str, hint: object) -> Kind | None:
    if get_origin(hint) is Literal or name in CHOICES:
        return "choice"
    kinds: dict[object, Kind] = {
        bool: "switch", int: "whole", float: "number", str: "text", tuple[str, ...]: "names",
    }  # fmt: skip
    return kinds.get(hint)


def _setting(
    prefix: str,
    name: str,
    kind: Kind,
    hints: Mapping[str, object],
    default: object,
    texts: Mapping[str, str],
) -> Setting:
    choices = CHOICES.get(name) or (get_args(hints[name]) if kind == "choice" else ())
    return Setting(prefix + name, kind, default, choices, texts.get(name, ""))


def preset_names() -> list[str]:
    """All presets, in the order of the paper's table."""
    return [
        f"{data}-{model}-{recipe}"
        for data, models in TABLE_ROWS.items()
        for model in models
        for recipe in RECIPES
    ]


def preset(name: str) -> RunConfig:
    """The configuration of a preset.

    Raises:
        ConfigError: There is no such preset.
    """
    data, _, rest = name.partition("-")
    model, _, recipe = rest.rpartition("-")
    if model not in TABLE_ROWS.get(data, ()) or recipe not in RECIPES:
        raise ConfigError(
            f"There is no preset {name!r}. Presets are named DATA-MODEL-RECIPE, for example "
            "rafdb-gimefive-modern; `python -m core train --list` prints them all."
        )
    config = RECIPES[recipe].replaced(model=model, sources=SOURCES[data])
    if model == "mini_xception" and recipe == "paper":  # its report decays the rate
        config = config.replaced(schedule="exponential", learning_rate=1e-2)
    return config
