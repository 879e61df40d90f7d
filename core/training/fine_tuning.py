"""Starting from the weights of other runs."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from core.checkpoints import find_checkpoint
from core.errors import TrainingError
from core.models import Card, SlimResNet, load_model
from core.training.config import RunConfig


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


def start_from(network: nn.Module, config: RunConfig) -> dict[str, Any]:
    """Copy the weights of `config.initial` into a network.

    Several checkpoints, joined by "+", each fill one column of a network built with the option
    `columns`.

    Args:
        network: Freshly built from the same configuration.
        config: The run's settings.

    Returns:
        What the card keeps of their origin.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
        TrainingError: Its network or classes are not those of the run.
        ConfigError: There are not as many checkpoints as columns.
    """
    parents = load_parents(config.initial)
    options = config.model_options
    if len(parents) > 1:
        options = {name: value for name, value in options.items() if name != "columns"}
    for parent in parents:
        card = parent.card
        found = (card.model, card.model_options, card.labels)
        if found != (config.model, options, config.labels):
            raise TrainingError(
                f"The run trains {_words(config.model, options, config.labels)}, and its initial "
                f"checkpoint {parent.name!r} is {_words(*found)}. Choose a checkpoint of the same "
                "network, options and classes."
            )
    states = [parent.network.state_dict() for parent in parents]
    if len(states) == 1:
        network.load_state_dict(states[0])
    elif isinstance(network, SlimResNet):
        network.join(states)
    else:
        raise TrainingError(
            f"{config.model} has no columns to fill with {len(states)} checkpoints. Name one."
        )
    return origin(parents)


def _words(model: str, options: dict[str, object], labels: tuple[str, ...]) -> str:
    chosen = ", ".join(f"{name}={value}" for name, value in options.items())
    return f"{model}{f' ({chosen})' if chosen else ''} with {len(labels)} classes"
