"""Starting from the weights of other runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.checkpoints import find_checkpoint
from core.errors import ConfigError, TrainingError
from core.files import file_hash
from core.models import (
    MODELS,
    Card,
    FaceAndSlim,
    FaceResNet,
    SlimResNet,
    face_recognition_file,
    load_model,
    put_state,
    read_dlib_faces,
)
from core.preprocess import Preprocess
from core.training.config import FACE_START, RunConfig

FACE_START_ABOUT = (
    "face recognition: dlib's residual network by Davis King, public domain, learned from about "
    "3 million faces of 7,485 people"
)

KINDS = ("face_resnet", "resnet14")  # whose weights a face_and_slim joins, in this order


@dataclass(frozen=True, slots=True)
class Parent:
    """A checkpoint that is read.

    Attributes:
        name: Its folder's name.
        network: In evaluation mode.
        card: What belongs to the weights.
    """

    name: str
    network: nn.Module
    card: Card


def load_parents(names: str) -> list[Parent]:
    """Read checkpoints.

    Args:
        names: Runs or shipped checkpoints, joined by "+".

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
    """
    found = []
    for name in names.split("+"):
        folder = find_checkpoint(name)
        found.append(Parent(folder.name, *load_model(folder)))
    return found


def origin(parents: list[Parent]) -> dict[str, Any]:
    """What a card keeps of them.

    Returns:
        Their names; data set, data hash and split, None where they differ; and the sources that
        they, or what they began with, learned from, empty for all of the data set.
    """
    facts: dict[str, Any] = {"checkpoint": "+".join(parent.name for parent in parents)}
    for key in ("name", "data_hash", "split"):
        values = [parent.card.data.get(key) for parent in parents]
        facts[key] = values[0] if all(value == values[0] for value in values) else None
    learned = [
        data.get("sources", ())
        for parent in parents
        for data in (parent.card.data, parent.card.data.get("initial"))
        if data is not None
    ]
    facts["sources"] = sorted(set().union(*learned)) if all(learned) else []
    return facts


def start_from(
    network: nn.Module, config: RunConfig, some_inputs: Callable[[], Tensor]
) -> dict[str, Any]:
    """Copy the weights of `config.initial` into a network.

    `FACE_START` stands for dlib's face recognition network; the run's head is new.  Where a
    checkpoint tells only the first of the run's classes apart, the outputs of the others start as
    the mean of its own.  Several checkpoints, joined by "+", each fill one column of a network
    built with the option `columns`, or a face_resnet and a resnet14 the two parts of a
    face_and_slim.  Where each is of the run's own network and options, the start is the mean of
    their weights, batch norms' statistics included (a model soup: Wortsman et al., 2022), in which
    one that is named twice counts twice; they must stem from each other for that to be any good.

    Args:
        network: Freshly built from the same configuration.
        config: The run's settings.
        some_inputs: Gives unvaried training faces, float32 (N, C, S, S).

    Returns:
        Facts for the card: `initial` of checkpoints, `start` of a network that learned something
        else before, be it the parents' own.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
        TrainingError: Its network, classes or input are not those of the run.
        ConfigError: There are not as many checkpoints as columns or parts.
    """
    if config.initial == FACE_START:
        return _start_from_faces(network, some_inputs)
    parents = load_parents(config.initial)
    own = (config.model, config.model_options)
    mixed = len(parents) > 1 and any(
        (parent.card.model, parent.card.model_options) != own for parent in parents
    )
    kinds = {parent.card.model for parent in parents}
    if mixed and isinstance(network, FaceAndSlim) and config.model not in kinds:
        return _joined(network, config, parents)
    options = config.model_options
    if mixed:
        options = {name: value for name, value in options.items() if name != "columns"}
    for parent in parents:
        card = parent.card
        found = (card.model, card.model_options, card.labels)
        first = config.labels[: len(card.labels)]
        if found != (config.model, options, first):
            raise TrainingError(
                f"The run trains {_words(config.model, options, config.labels)}, and its initial "
                f"checkpoint {parent.name!r} is {_words(*found)}. Choose a checkpoint of the same "
                "network, options and classes."
            )
    _refuse_other_inputs(config, parents)
    full = len(config.labels)
    states = [_with_outputs(parent, full) for parent in parents]
    facts = _facts(parents)
    if mixed and isinstance(network, SlimResNet):  # no other has columns
        network.join(states)
        return facts
    put_state(network, _mean(states))
    return facts if len(states) == 1 else facts | {"initial": facts["initial"] | {"averaged": True}}


def _refuse_other_inputs(config: RunConfig, parents: Sequence[Parent]) -> None:
    """Refuse networks that have learned from pictures of another size or scale."""
    given = MODELS[config.model].preprocess
    for parent in parents:
        own = parent.card.preprocess
        if own != given:
            raise TrainingError(
                f"The run gives {config.model} {_input(given)}, and its initial checkpoint "
                f"{parent.name!r} has learned from {_input(own)}: its weights would answer wrongly."
                " Choose a checkpoint of the same input."
            )


def _input(preprocess: Preprocess) -> str:
    mean, std = (" ".join(f"{value:g}" for value in part)
                 for part in (preprocess.mean, preprocess.std))  # fmt: skip
    size = str(preprocess.crop)
    if preprocess.size != preprocess.crop:
        size = f"the middle {preprocess.crop} of {preprocess.size}"
    kind = "coloured" if preprocess.colour else "grey"
    return f"{kind} pictures of {size} pixels (mean {mean}, standard deviation {std})"


def _mean(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Of the weights of networks of one kind; counters are the first one's."""
    found = {}
    for name, first in states[0].items():
        values = torch.stack([state[name] for state in states])
        found[name] = values.double().mean(0).to(first) if first.is_floating_point() else first
    return found


def _joined(network: FaceAndSlim, config: RunConfig, parents: list[Parent]) -> dict[str, Any]:
    if len(parents) != len(KINDS):
        raise ConfigError(
            f"There are {len(parents)} checkpoints for a {config.model}. Name two, joined by "
            f'"+": one of {" and one of ".join(KINDS)}.'
        )
    face, slim = parents
    first = config.labels[: len(slim.card.labels)]
    if (face.card.labels, slim.card.labels) != (config.labels, first):
        raise TrainingError(
            f"The run tells {', '.join(config.labels)} apart; {face.name!r} and {slim.name!r} do "
            f"{', '.join(face.card.labels)} and {', '.join(slim.card.labels)}. The first must tell "
            "all of them apart, the second the first of them."
        )
    try:
        network.join(face.network, slim.network)
    except RuntimeError as error:  # of other sizes
        raise TrainingError(
            f"{face.name!r} and {slim.name!r} do not fit into the options of this {config.model}. "
            "Set model_options.columns and model_options.width as the second has them."
        ) from error
    return _facts(parents)


def _facts(parents: list[Parent]) -> dict[str, Any]:
    starts = [parent.card.data["start"] for parent in parents if "start" in parent.card.data]
    return {"initial": origin(parents), **({"start": starts[0]} if starts else {})}


def _with_outputs(parent: Parent, count: int) -> Mapping[str, Tensor]:
    """Its state with so many outputs; new ones are the mean of those it has."""
    state, own = dict(parent.network.state_dict()), len(parent.card.labels)
    if own == count:
        return state
    head = [module for module in parent.network.modules() if isinstance(module, nn.Linear)][-1]
    places = {id(value): name for name, value in parent.network.named_parameters()}
    for value in head.parameters():
        more = value.mean(dim=0, keepdim=True).expand(count - own, *value.shape[1:])
        state[places[id(value)]] = torch.cat([value, more])
    return state


def _start_from_faces(network: nn.Module, some_inputs: Callable[[], Tensor]) -> dict[str, Any]:
    if not isinstance(network, FaceResNet):
        raise TrainingError(
            f"initial={FACE_START} fits the network face_resnet alone. Set model=face_resnet, or "
            "name a checkpoint of this run's network."
        )
    path = face_recognition_file()
    network.start_from_faces(read_dlib_faces(path).layers, some_inputs())
    start = {"name": FACE_START, "about": FACE_START_ABOUT, "sha256": file_hash(path)}
    return {"start": start}


def _words(model: str, options: dict[str, object], labels: tuple[str, ...]) -> str:
    chosen = ", ".join(f"{name}={value}" for name, value in options.items())
    return f"{model}{f' ({chosen})' if chosen else ''} with {len(labels)} classes"
