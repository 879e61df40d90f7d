"""The networks by name: those of the papers, ours, and any classifier of torchvision and timm."""

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from typing import Any

from torch import nn

from core.errors import ConfigError
from core.models.face_resnet import FACE_MEAN, FACE_STD, FaceResNet
from core.models.gimefive import GiMEFiVE
from core.models.mini_xception import MiniXception
from core.models.residual import GiMEFiVERes, ResNet
from core.models.slim_resnet import FaceAndSlim, SlimResNet
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


RGB = 3  # channels of a library's network, unless it is told otherwise
LIBRARIES = ("torchvision", "timm")  # "LIBRARY:NAME" is a network of theirs


class _Networks(Registry[ModelSpec]):
    """Those listed here and, without being listed, those of `LIBRARIES`."""

    def __getitem__(self, name: str) -> ModelSpec:
        """Return the entry.

        Raises:
            ConfigError: No network has this name, or its library is not installed.
        """
        library, mark, inner = name.partition(":")
        if mark and library in LIBRARIES:
            return _of_library(library, inner)
        if not super().__contains__(name):
            raise ConfigError(
                f"There is no model {name!r}. Choose one of: {', '.join(self)}, or a classifier of "
                "torchvision or timm, for example torchvision:resnet18."
            )
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and bool(self[name])
        except ConfigError:
            return False


FACES = Preprocess(size=96, crop=96, mean=FACE_MEAN, std=FACE_STD)  # as dlib's network wants them
MODELS: Registry[ModelSpec] = _Networks("model")


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
_add(
    ModelSpec(
        "face_resnet",
        "ResNet28 (face recognition)",
        "+RB",
        FaceResNet,
        preprocess=FACES,
    )
)
_add(
    ModelSpec(
        "face_and_slim",
        "ResNet28 (face recognition) and ResNet14 (slim)",
        "+RB",
        FaceAndSlim,
        preprocess=FACES,
    )
)


def _of_library(library: str, name: str) -> ModelSpec:
    """The row of a library's classifier.

    Raises:
        ConfigError: It is not installed, or has none of this name.
    """
    if find_spec(library) is None:
        raise ConfigError(
            f"{library}:{name} needs the package {library}, which is not installed. Run: "
            f"pip install {library}"
        )
    if library == "timm":
        import timm

        known, found = timm.list_models(), timm.is_model(name)
    else:
        from torchvision import models

        known = models.list_models(module=models)
        found = name in known
    if not found:
        near = get_close_matches(name, known, 5) or known[:5]
        raise ConfigError(
            f"{library} has no classifier {name!r} among its {len(known)}. Near it: "
            f"{', '.join(near)}."
        )
    factory = partial(_build_of_library, library, name)
    return ModelSpec(f"{library}:{name}", name, library, factory)


def _build_of_library(library: str, name: str, classes: int = 6, *, channels: int = 3) -> nn.Module:
    """Build a library's classifier with fresh weights, no ReLU of which works in place.

    Args:
        library: One of `LIBRARIES`.
        name: As it calls the network.
        classes: Number of outputs.
        channels: Of the input, 3 or 1.
    """
    model: nn.Module
    if library == "timm":
        import timm

        model = timm.create_model(name, pretrained=False, num_classes=classes, in_chans=channels)
    else:
        from torchvision.models import get_model

        # These two else warn of their own slow start, which a stored state replaces anyway.
        quick = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        model = get_model(name, weights=None, num_classes=classes, **quick)
        if channels != RGB:
            _replace_stem(model, channels)
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False  # type: ignore[assignment]  # explanations read what is before
    return model


def _replace_stem(model: nn.Module, channels: int) -> None:
    """Let the first convolution take so many channels in."""
    name, stem = next((n, m) for n, m in model.named_modules() if isinstance(m, nn.Conv2d))
    place, _, leaf = name.rpartition(".")
    facts = ("kernel_size", "stride", "padding", "dilation", "padding_mode")
    options = {fact: getattr(stem, fact) for fact in facts}
    fresh = nn.Conv2d(channels, stem.out_channels, bias=stem.bias is not None, **options)
    setattr(model.get_submodule(place), leaf, fresh)


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
