"""Weights in and out: safetensors beside a card, never unpickled code."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from torch import Tensor, nn

from core.checkpoints import WEIGHTS
from core.errors import CheckpointError, ConfigError
from core.files import replacing
from core.models.card import Card
from core.models.catalogue import build


def save_weights(state: Mapping[str, Tensor], path: Path, *, half: bool = True) -> None:
    """Write a state dictionary.

    Args:
        state: Parameters and buffers by name.
        path: Target file, replaced at once.
        half: Store matrices and kernels as float16; vectors (biases, batch-norm statistics) stay
            float32, since a small variance would lose its digits.
    """
    tensors = {}
    for name, value in state.items():
        value = value.detach().cpu()
        narrow = half and value.is_floating_point() and value.ndim >= 2
        tensors[name] = (value.half() if narrow else value).contiguous().clone()
    # Written by Python, so that a full disk is an OSError and not the library's own text.
    with replacing(path) as temporary:
        temporary.write_bytes(serialised(tensors))


def load_model(folder: Path) -> tuple[nn.Module, Card]:
    """Build the network of a run folder in eval mode, float32, on the CPU.

    Args:
        folder: Holds card.json and weights.safetensors.

    Raises:
        CheckpointError: A file is missing, damaged, or does not fit the other.
    """
    card = Card.load(folder / "card.json")
    path = folder / WEIGHTS
    try:
        state = load_file(path)
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder.name} has no weights.safetensors. Choose another checkpoint, or train this "
            "run to its end."
        ) from None
    except SafetensorError as error:
        raise CheckpointError(
            f"{path.name} of {folder.name} is damaged ({error}). Copy it again."
        ) from error
    try:
        model = build(card.model, len(card.labels), **card.model_options)
    except ConfigError as error:
        raise CheckpointError(f"The card of {folder.name} cannot be used: {error}") from error
    state = {
        name: value.float() if value.is_floating_point() else value for name, value in state.items()
    }
    _check_shapes(model, state, card, folder.name)
    model.load_state_dict(state)
    model.eval()
    model.requires_grad_(False)
    return model, card


def _check_shapes(model: nn.Module, state: Mapping[str, Tensor], card: Card, name: str) -> None:
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in state.items()}
    if expected == found:
        return
    key = sorted(set(expected.items()) ^ set(found.items()))[-1][0]
    raise CheckpointError(
        f"The weights of {name} do not fit its card (model {card.model}, {len(card.labels)} "
        f"classes): {key} has shape {found.get(key, 'none')}, expected "
        f"{expected.get(key, 'none')}. Restore the card or the weights from the run that made them."
    )


def library_versions() -> dict[str, str]:
    """Versions that decide whether a run can be repeated."""
    return {"torch": str(torch.__version__)}
