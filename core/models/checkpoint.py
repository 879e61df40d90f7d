"""Weights in and out: safetensors beside a card, never unpickled code."""

import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from torch import Tensor, nn

from core.checkpoints import WEIGHTS
from core.errors import CheckpointError
from core.files import replacing
from core.models.card import Card
from core.models.catalogue import build

State = dict[str, Tensor]
SMALL, HUGE = 64, 4096  # options up to the first are free; none is larger than the second
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


def put_state(network: nn.Module, state: Mapping[str, Tensor], *, strict: bool = True) -> None:
    """Put tensors into a network, as `load_state_dict` does for the state of a module.

    A module's state also marks the versions of its parts, which files of tensors do not keep and
    which some networks ask for (MNASNet of torchvision): they are the network's own.

    Args:
        network: Is changed.
        state: Parameters and buffers by name.
        strict: Whether names may neither be missing nor be left over.

    Raises:
        RuntimeError: Names or shapes do not fit.
    """
    marked = OrderedDict(state)
    marked._metadata = network.state_dict()._metadata  # type: ignore[attr-defined]
    network.load_state_dict(marked, strict=strict)


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
    _check_size(state, card, folder.name)
    if ":" not in card.model:  # a library's name bounds its network, and not all are built so
        with torch.device("meta"):  # shapes alone: nothing is laid out before they fit
            _check_shapes(_built(card, folder.name), state, card, folder.name)
    model = _built(card, folder.name)
    state = {
        name: value.float() if value.is_floating_point() else value for name, value in state.items()
    }
    _check_shapes(model, state, card, folder.name)
    put_state(model, state)
    model.eval()
    model.requires_grad_(False)
    _check_answer(model, state, card, folder.name)
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


def _built(card: Card, name: str) -> nn.Module:
    """The network of a card with fresh weights.

    Raises:
        CheckpointError: There is none of this name, or its options cannot be.
    """
    try:
        return build(card.model, len(card.labels), **card.model_options)
    except Exception as error:  # whatever options of a stranger make of a network's code
        said = str(error).split("\n")[0]
        raise CheckpointError(f"The card of {name} cannot be used: {said}") from error


def _check_size(state: Mapping[str, Tensor], card: Card, name: str) -> None:
    """Refuse a card whose numbers are larger than anything in the weights.

    A side of a tensor bounds every width and number of classes, their count every depth.
    """
    sides = [side for value in state.values() if value.numel() for side in value.shape]
    largest = max(SMALL, min(max(sides, default=0), HUGE), len(state))
    for what, number in (("labels", len(card.labels)), *_numbers("", card.model_options)):
        if not abs(number) <= largest:
            raise CheckpointError(
                f"The weights of {name} do not fit its card, which has {what} {number:,}; no side "
                f"of a tensor is larger than {largest:,}. Restore the card or the weights from the "
                "run that made them."
            )


def _numbers(name: str, value: object) -> Iterator[tuple[str, float]]:
    """The numbers inside plain values, by the name they stand under."""
    if isinstance(value, int | float):
        yield name, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _numbers(str(key), one)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from _numbers(name, one)


def _check_answer(model: nn.Module, state: Mapping[str, Tensor], card: Card, name: str) -> None:
    """Refuse weights that are no numbers, and a network that does not take the card's pictures."""
    bad = next((key for key, value in state.items() if not value.isfinite().all()), None)
    if bad is not None:
        raise CheckpointError(
            f"The weights of {name} hold values in {bad} that are no numbers. Restore them from "
            "the run that made them."
        )
    preprocess = card.preprocess
    blank = torch.zeros(1, preprocess.channels, preprocess.crop, preprocess.crop)
    try:
        with torch.inference_mode():
            answer = tuple(model(blank).shape)
    except Exception as error:  # whatever a picture of another form makes of a network's code
        said = str(error).split("\n")[0]
        raise CheckpointError(
            f"The network of {name} does not take the pictures of its card, {preprocess.channels} "
            f"channels of {preprocess.crop} x {preprocess.crop} pixels ({said}). Restore the card "
            "from the run that made it."
        ) from error
    if answer != (1, len(card.labels)):
        raise CheckpointError(
            f"The network of {name} answers with shape {answer}; expected (1, {len(card.labels)}), "
            "a number a class. Restore the card from the run that made it."
        )


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
