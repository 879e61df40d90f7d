"""A classifier of one's own becomes a checkpoint: its tensors are read, never its code."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.checkpoints import WEIGHTS
from core.errors import CheckpointError, ConfigError
from core.files import file_hash, replacing
from core.labels import CLASS_SETS, canonical
from core.models.card import Card
from core.models.catalogue import LIBRARIES, MODELS, build
from core.models.checkpoint import State, library_versions, put_state, read_state, save_weights
from core.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess

SKIP = "skip"  # in place of a class: leave this output out
OUTPUTS = "outputs"  # in the sentence on tensors of which all but the last fit
SIDE = 224  # pixels, of the faces that a library's network takes unless told otherwise
CLOSE = 1e-3  # between logits before and after their order is changed, on their own scale
LICENCE = "Imported by its user, who knows its terms; nothing is known here of its training data."


@dataclass(frozen=True, slots=True)
class Description:
    """What a file of weights does not say of itself.

    Attributes:
        model: A name in `MODELS`; without its library where the tensors tell which.
        classes: What the outputs mean, in their order: NAME, or NAME=MEANING with a class or
            `skip`.
        size: Side of the input in pixels; None for what is usual.
        mean: A channel each, or one for all, on the 0 to 1 scale; None for what is usual.
        std: Likewise.
        grey: Whether pictures are made grey; None for colour where the network has three channels.
    """

    model: str
    classes: tuple[str, ...]
    size: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    grey: bool | None = None


def read_description(values: Mapping[str, Any]) -> Description:
    """A description out of a JSON object: `model`, `classes`, and what else it names.

    Args:
        values: `classes` is a list in the order of the outputs, or an object name -> place.

    Raises:
        ConfigError: A key is missing or unknown, or a value of another kind.
    """
    known = ("model", "classes", "size", "mean", "std", "grey")
    unknown = sorted(set(values) - set(known))
    if unknown or not values.get("model") or not values.get("classes"):
        found = f"unknown {', '.join(unknown)}" if unknown else "no model or no classes"
        raise ConfigError(f"The description has {found}; expected {', '.join(known)}.")
    try:
        classes, size, grey = values["classes"], values.get("size"), values.get("grey")
        if isinstance(classes, dict):
            classes = sorted(classes, key=lambda name: int(classes[name]))
        pairs = (values.get("mean"), values.get("std"))
        mean, std = (None if one is None else _numbers(one) for one in pairs)
        return Description(
            model=str(values["model"]),
            classes=tuple(str(name) for name in classes),
            size=None if size is None else int(size),
            mean=mean,
            std=std,
            grey=None if grey is None else bool(grey),
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"The description cannot be read: {error}.") from error


def _numbers(value: float | Sequence[float]) -> tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, Sequence) else (float(value),)


def class_meanings(names: Iterable[str]) -> tuple[str, ...]:
    """The classes that outputs stand for, or `skip`, in the order of the outputs.

    >>> class_meanings(["Angry", "happy", "contempt=skip"])
    ('anger', 'happiness', 'skip')

    Raises:
        ConfigError: A name is unknown, two mean the same, or fewer than two are left.
    """
    known = ", ".join(CLASS_SETS["seven"])
    found: list[str] = []
    for text in names:
        name, mark, meaning = text.strip().partition("=")
        label = SKIP if mark and meaning.strip().lower() == SKIP else canonical(meaning or name)
        if label is None:
            raise ConfigError(
                f"Class {text.strip()!r} is no expression known here: {known}. Say what it means, "
                f"as {name}=anger, or {name}={SKIP} to leave this output out."
            )
        if label != SKIP and label in found:
            raise ConfigError(f"Two outputs are called {label}; expected every class once.")
        found.append(label)
    if len([label for label in found if label != SKIP]) < 2:
        raise ConfigError(
            f"Found {', '.join(found) or 'no class'}; expected at least two classes, in the order "
            f"of the network's outputs: {known}."
        )
    return tuple(found)


def import_weights(path: Path, about: Description, folder: Path) -> Card:
    """Make a checkpoint folder of somebody's weights.

    The outputs are put into the order of the app's classes, and those of no class left out.

    Args:
        path: A state dictionary, as safetensors or as `torch.save` writes one.
        about: What the file does not say.
        folder: To make; it must not exist.

    Raises:
        CheckpointError: The file cannot be read, or its tensors do not fit the network.
        ConfigError: There is no such network, class or preprocessing.
    """
    meanings = class_meanings(about.classes)
    name, channels, model = _fitting(read_state(path), about.model, len(meanings), path.name)
    preprocess = _preprocess(about, name, channels, model)
    order = (*CLASS_SETS["seven"],)
    rows = sorted(
        (row for row, label in enumerate(meanings) if label != SKIP),
        key=lambda row: order.index(meanings[row]),
    )
    options = {"channels": channels} if _is_library(name) and channels != 3 else {}
    state = _with_outputs(model, rows, build(name, len(rows), **options), preprocess, path.name)
    card = Card(
        model=name,
        model_options=options,
        labels=tuple(meanings[row] for row in rows),
        preprocess=preprocess,
        data={"imported": path.name, "file_sha256": file_hash(path)},
        versions=library_versions(),
        title=folder.name,
        licence=LICENCE,
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing(folder) as whole:  # at once: a folder without its card would keep the name
        whole.mkdir()
        save_weights(state, whole / WEIGHTS, half=False)
        card.save(whole / "card.json")
    return card


def _is_library(name: str) -> bool:
    return name.partition(":")[0] in LIBRARIES


def _candidates(model: str) -> list[str]:
    """Full names that a name may stand for.

    Raises:
        ConfigError: None.
    """
    full = [model] if ":" in model else [model, *(f"{library}:{model}" for library in LIBRARIES)]
    found = [name for name in full if name in MODELS]
    return found or [MODELS[model].name]  # which raises


def _fitting(state: State, model: str, classes: int, file: str) -> tuple[str, int, nn.Module]:
    """The full name, channels and network, in eval mode, that tensors fit.

    Raises:
        CheckpointError: They fit none of that name.
        ConfigError: There is none.
    """
    refused: list[str] = []
    for name in _candidates(model):
        for channels in (3, 1) if _is_library(name) else (MODELS[name].preprocess.channels,):
            options = {"channels": channels} if _is_library(name) else {}
            network = build(name, classes, **options)
            renamed = _renamed(state, network.state_dict())
            wrong = _mismatch(renamed, network.state_dict(), classes)
            if wrong is None:
                put_state(network, renamed, strict=False)  # counters may be missing
                return name, channels, network.eval().requires_grad_(False)
            refused.append(f"{name}: {wrong}")
    # The sentence on the outputs says that all else fits.
    best = next((text for text in refused if OUTPUTS in text), refused[0])
    remedy = (
        f"Name every output in its order; NAME={SKIP} leaves one out."
        if OUTPUTS in best
        else "Name the network they were trained in with --model, as torchvision:resnet18."
    )
    raise CheckpointError(f"The tensors of {file} do not fit {best}. {remedy}")


def _renamed(state: State, expected: Mapping[str, Tensor]) -> State:
    """The tensors by the network's names: without a wrapper's prefix, and the last layer by place.

    Tensors outside of the prefix, as a loss may have, are left out.
    """
    first = next(iter(expected))
    prefixes = [key.removesuffix(first) for key in state if f".{key}".endswith(f".{first}")]
    prefix = min(prefixes, key=len, default="")
    inner = {key.removeprefix(prefix): one for key, one in state.items() if key.startswith(prefix)}
    # One who changes the last layer often wraps it: `fc.weight` becomes `fc.1.weight`.
    spare, missing = _by_place(inner.keys() - expected), _by_place(expected.keys() - inner.keys())
    for place, names in missing.items():
        found = spare.get(place, [])
        if len(names) == len(found) == 1:
            inner[names[0]] = inner.pop(found[0])
    return {key: one.float() if one.is_floating_point() else one for key, one in inner.items()}


def _by_place(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by what is left of them without the numbers before the last word."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(re.sub(r"(\.\d+)+(?=\.\w+$)", "", name), []).append(name)
    return found


def _mismatch(state: State, expected: Mapping[str, Tensor], classes: int) -> str | None:
    """What is wrong with tensors for a network, in words; None where nothing is."""
    counters = {key for key in expected if key.endswith("num_batches_tracked")}
    missing = sorted(expected.keys() - state.keys() - counters)
    spare = sorted(state.keys() - expected.keys())
    if missing or spare:
        names = [f"{missing[0]} is missing"] if missing else []
        names += [f"{spare[0]} has no place"] if spare else []
        return f"{' and '.join(names)} ({len(missing)} missing, {len(spare)} too many)"
    shapes = {key: (tuple(state[key].shape), tuple(expected[key].shape)) for key in state}
    wrong = {key: pair for key, pair in shapes.items() if pair[0] != pair[1]}
    heads = {found[0] for found, wanted in wrong.values() if found[1:] == wanted[1:]}
    if (
        wrong
        and len(heads) == 1
        and {pair[1][0] for pair in wrong.values() if pair[1]} == {classes}
    ):
        return f"they have {heads.pop()} {OUTPUTS}, and {classes} classes are named"
    key = next(iter(wrong), None)
    return key and f"{key} has shape {shapes[key][0]}, expected {shapes[key][1]}"


def _preprocess(about: Description, name: str, channels: int, model: nn.Module) -> Preprocess:
    """What is said of the input, completed by what is usual for the network.

    Raises:
        ConfigError: It contradicts the network's channels, or cannot be.
    """
    usual = MODELS[name].preprocess
    if _is_library(name):
        # timm's networks say what they were trained with.
        known: dict[str, Any] = getattr(model, "pretrained_cfg", None) or {}
        size = int(known.get("input_size", (3, SIDE))[-1])
        mean, std = known.get("mean", IMAGENET_MEAN), known.get("std", IMAGENET_STD)
        if channels == 1:
            mean, std = mean[:1], std[:1]
        usual = Preprocess(size, size, tuple(mean), tuple(std), colour=channels > 1)
    if about.grey is False and channels == 1:
        raise ConfigError(f"The first layer of {name} takes one channel; it cannot see colour.")
    chosen = {"mean": about.mean or usual.mean, "std": about.std or usual.std}
    for word, values in chosen.items():
        if len(values) not in (1, channels) or not all(0 <= value <= 1 for value in values):
            raise ConfigError(
                f"--{word} is {', '.join(f'{value:g}' for value in values)}; expected 1 or "
                f"{channels} values from 0 to 1 (divide those of 0 to 255 by 255)."
            )
        chosen[word] = values * (channels // len(values))
    size = about.size or usual.size
    crop = usual.crop if about.size is None else size
    colour = usual.colour if about.grey is None else not about.grey
    return replace(usual, size=size, crop=crop, colour=colour, **chosen)


def _with_outputs(
    model: nn.Module, rows: list[int], narrow: nn.Module, preprocess: Preprocess, file: str
) -> State:
    """The state with these outputs alone, in their order, tried on noise.

    Raises:
        CheckpointError: The network does not take pictures of this size, or its outputs do not come
            out of one layer.
    """
    state = model.state_dict()
    wanted = narrow.state_dict()
    changed = [key for key in state if state[key].shape != wanted[key].shape]
    last = [key for key, one in model.named_modules() if isinstance(one, nn.Linear | nn.Conv2d)][-1]
    for key in changed or [f"{last}.weight", f"{last}.bias"]:
        if key in state:
            state[key] = state[key][rows]
    shape = (2, preprocess.channels, preprocess.crop, preprocess.crop)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    try:
        put_state(narrow, state)
        with torch.inference_mode():
            before, after = model(noise), narrow.eval()(noise)
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        raise CheckpointError(
            f"The network of {file} does not take faces of {preprocess.crop} x {preprocess.crop} "
            f"pixels ({str(error).splitlines()[0]}). Say with --size what it was trained on."
        ) from error
    largest = float(before.abs().max())
    if not torch.allclose(after, before[:, rows], rtol=0, atol=CLOSE * max(largest, 1.0)):
        raise CheckpointError(
            f"The outputs of {file} do not come out of its last layer, so their order cannot be "
            f"changed. Name the classes in this order: {', '.join(CLASS_SETS['seven'])}."
        )
    return state
