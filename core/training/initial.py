"""Weights that a run starts from: fine-tuning what another run has learnt."""

from typing import Any

from torch import nn

from core.checkpoints import find_checkpoint
from core.errors import TrainingError
from core.models import load_model
from core.training.config import RunConfig


def start_from(network: nn.Module, config: RunConfig) -> dict[str, Any]:
    """Copy the weights of `config.initial` into a network.

    Args:
        network: Freshly built from the same configuration.
        config: The run's settings.

    Returns:
        What the card keeps of their origin: name, data set, data hash, split.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
        TrainingError: Its network or classes are not those of the run.
    """
    source, card = load_model(find_checkpoint(config.initial))
    found = (card.model, card.model_options, card.labels)
    if found != (config.model, config.model_options, config.labels):
        raise TrainingError(
            f"The run trains {_words(config.model, config.model_options, config.labels)}, and its "
            f"initial checkpoint {config.initial!r} is {_words(*found)}. Choose a checkpoint of "
            "the same network, options and classes."
        )
    network.load_state_dict(source.state_dict())
    origin = {key: card.data.get(key) for key in ("name", "data_hash", "split")}
    return {"checkpoint": config.initial, **origin}


def _words(model: str, options: dict[str, object], labels: tuple[str, ...]) -> str:
    chosen = ", ".join(f"{name}={value}" for name, value in options.items())
    return f"{model}{f' ({chosen})' if chosen else ''} with {len(labels)} classes"
