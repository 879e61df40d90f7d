"""The networks by name: those of the papers, with what Table 2 says of them, and ours."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from core.errors import ConfigError
from core.models.gimefive import GiMEFiVE
from core.models.mini_xception import MiniXception
from core.models.residual import GiMEFiVERes, ResNet
from core.models.slim_resnet import SlimResNet
from core.models.vgg import VGG
from core.preprocess import Preprocess
from core.registry import Registry


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """How to build a network and how the table names it.

    Attributes:
        name: Registry name, permanent.
        title: Name in the paper's table.
        architecture: The table's flags: DO dropout, BN batch norm, SE squeeze-excitation, RB
            residual.
        factory: Builds the network from the number of classes and keyword options.
        options: Keyword options that make this row out of the factory.
        preprocess: What a picture must go through first.
        classes: Number of outputs the published parameter count refers to.
    """

    name: str
    title: str
    architecture: str
    factory: Callable[..., nn.Module]
    options: dict[str, Any] = field(default_factory=dict)
    preprocess: Preprocess = field(default_factory=Preprocess)
    classes: int = 6


MODELS: Registry[ModelSpec] = Registry("model")


def _add(spec: ModelSpec) -> None:
    MODELS.register(spec.name)(spec)


_add(
    ModelSpec("gimefive", "GiMEFiVE (Ours)*", "+DO+BN-SE", GiMEFiVE, options={"block_dropout": 0.2})
)
_add(ModelSpec("gimefive_plain", "GiMEFiVE (Ours)", "+BN-SE", GiMEFiVE))
_add(
    ModelSpec(
        "gimefive_se", "GiMEFiVE (Ours)", "+BN+SE", GiMEFiVE, options={"squeeze_excitation": True}
    )
)
_add(
    ModelSpec(
        "gimefive_nobn", "GiMEFiVE (preliminary)", "-BN-SE", GiMEFiVE, options={"batch_norm": False}
    )
)
_add(
    ModelSpec("gimefive_baseline", "GiMEFiVE (Baseline)", "+BN-SE", GiMEFiVE, options={"depth": 4})
)
_add(ModelSpec("gimefive_deep", "GiMEFiVE (Ours)", "+BN-SE", GiMEFiVE, options={"depth": 6}))
_add(ModelSpec("gimefive_res", "GiMEFiVE (Ours)", "+BN+SE+RB", GiMEFiVERes))
_add(ModelSpec("vgg", "VGG", "+BN", VGG))
_add(ModelSpec("resnet18", "ResNet18", "+RB", ResNet, options={"blocks": (2, 2, 2, 2)}))
_add(ModelSpec("resnet34", "ResNet34", "+RB", ResNet, options={"blocks": (3, 4, 6, 3)}))
_add(
    ModelSpec(
        "mini_xception",
        "mini-Xception",
        "separable + residual",
        MiniXception,
        preprocess=Preprocess(size=48, crop=44, mean=(0.5,), std=(0.5,)),
        classes=7,
    )
)
_add(ModelSpec("resnet14", "ResNet14 (slim)", "+RB", SlimResNet))


def build(name: str, classes: int | None = None, **options: Any) -> nn.Module:  # noqa: ANN401 - options differ a model
    """Build a registered network with fresh weights.

    Args:
        name: Registry name.
        classes: Number of outputs; None for the table's own.
        options: Override the row's keyword options, for example `depth=4`.

    Raises:
        ConfigError: The name or an option is unknown, or a value is out of range.
    """
    spec = MODELS[name]
    chosen = {**spec.options, **options}
    try:
        return spec.factory(spec.classes if classes is None else classes, **chosen)
    except TypeError as error:
        raise ConfigError(f"Model {name!r} does not take these options: {error}.") from error


def parameter_count(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(parameter.numel() for parameter in model.parameters())


def describe(name: str) -> dict[str, Any]:
    """One row of the models table: name, layers, architecture, parameters."""
    spec = MODELS[name]
    model = build(name)
    return {
        "name": name,
        "title": spec.title,
        "layers": getattr(model, "layers", None),
        "architecture": spec.architecture,
        "parameters": parameter_count(model),
        "classes": spec.classes,
    }
