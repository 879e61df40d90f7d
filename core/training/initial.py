"""Weights that a run starts from: fine-tuning what another run has learnt."""

from typing import Any

from torch import nn

from core.errors import TrainingError
from core.models import SlimResNet
from core.training.config import RunConfig
from core.training.parents import load_parents, origin


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
