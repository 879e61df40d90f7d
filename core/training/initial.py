"""Weights that a run starts from: fine-tuning what another run has learnt."""

from typing import Any

from torch import nn

from core.checkpoints import find_checkpoint
from core.errors import TrainingError
from core.models import SlimResNet, load_model
from core.training.config import RunConfig


def start_from(network: nn.Module, config: RunConfig) -> dict[str, Any]:
    """Copy the weights of `config.initial` into a network.

    Several checkpoints, joined by "+", each fill one column of a network built with the option
    `columns`.

    Args:
        network: Freshly built from the same configuration.
        config: The run's settings.

    Returns:
        What the card keeps of their origin: name, data set, data hash, split; None where several
        checkpoints differ.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
        TrainingError: Its network or classes are not those of the run.
        ConfigError: There are not as many checkpoints as columns.
    """
    names = config.initial.split("+")
    options = config.model_options
    if len(names) > 1:
        options = {name: value for name, value in options.items() if name != "columns"}
    folders = [find_checkpoint(name) for name in names]
    states, origins = [], []
    for name, folder in zip(names, folders, strict=True):
        source, card = load_model(folder)
        found = (card.model, card.model_options, card.labels)
        if found != (config.model, options, config.labels):
            raise TrainingError(
                f"The run trains {_words(config.model, options, config.labels)}, and its initial "
                f"checkpoint {name!r} is {_words(*found)}. Choose a checkpoint of the same "
                "network, options and classes."
            )
        states.append(source.state_dict())
        origins.append({key: card.data.get(key) for key in ("name", "data_hash", "split")})
    if len(names) == 1:
        network.load_state_dict(states[0])
    elif isinstance(network, SlimResNet):
        network.join(states)
    else:
        raise TrainingError(
            f"{config.model} has no columns to fill with {len(names)} checkpoints. Name one."
        )
    shared = {
        key: value if all(origin[key] == value for origin in origins) else None
        for key, value in origins[0].items()
    }
    return {"checkpoint": "+".join(folder.name for folder in folders), **shared}


def _words(model: str, options: dict[str, object], labels: tuple[str, ...]) -> str:
    chosen = ", ".join(f"{name}={value}" for name, value in options.items())
    return f"{model}{f' ({chosen})' if chosen else ''} with {len(labels)} classes"
