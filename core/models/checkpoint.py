"""Weights in and out: safetensors beside a card, never unpickled code."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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

State = dict[str, Tensor]
# In which training programs keep tensors beside an optimiser and counters.
PARTS = ("state_dict", "model_state_dict", "model", "net", "network", "weights")


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


def read_state(path: Path) -> State:
    """Tensors by name out of a file of weights; no code in it is run.

    Raises:
        CheckpointError: The file is missing, or holds no tensors by name.
    """
    try:
        if path.suffix == ".safetensors":
            found: Any = load_file(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what it warns of ends as an error below
                found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist. Give a file of weights.") from None
    except OSError:
        raise
    except Exception as error:  # whatever a file of another kind makes of a reader
        raise CheckpointError(
            f"{path.name} holds no plain tensors ({type(error).__name__}): it is damaged, of "
            "another kind, or a whole network with its code, which is never run here. Save its "
            "tensors with torch.save(model.state_dict(), FILE)."
        ) from error
    state = _tensors(found)
    if not state:
        raise CheckpointError(
            f"{path.name} holds no tensors by name; expected a state dictionary, as "
            "torch.save(model.state_dict(), FILE) writes one."
        )
    bad = next((key for key, value in state.items() if not value.isfinite().all()), None)
    if bad is not None:
        raise CheckpointError(f"{path.name} holds values in {bad} that are no numbers.")
    return state


def _tensors(found: object) -> State:
    """The state dictionary that a file is, or holds beside an optimiser and counters."""
    if not isinstance(found, Mapping):
        return {}
    if found and all(isinstance(value, Tensor) for value in found.values()):
        return {str(key): value.detach() for key, value in found.items()}
    parts = {str(key): _tensors(part) for key, part in found.items() if isinstance(part, Mapping)}
    full = {key: part for key, part in parts.items() if part}
    usual = next((full[key] for key in PARTS if key in full), None)
    return usual or (next(iter(full.values())) if len(full) == 1 else {})


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
