"""A test with a known answer: does a map find the mark that alone decides the class?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ExplainError
from core.explain import (
    EXPLAINERS,
    class_maps,
    enlarged,
    give_reference,
    layer_of,
    measure_reference,
)
from core.models import SlimResNet

SEED = 20240229
MARK_SHARE = 5 / 16  # of the side: 20 of 64 pixels, a tenth of the face
LARGEST_SHARE = 1 / 2  # of the side; a larger mark is found by chance
CELLS = 5  # of the mark's checkerboard, a side
WITHOUT, WITH = 0, 1  # the two classes
STEPS, EVERY = 600, 50  # training steps at most, and from one look at held-out faces to the next
ROWS, RATE = 32, 2e-3
LEARNT = 0.98  # accuracy on held-out faces from which on the mark counts as learnt


@dataclass(frozen=True, slots=True, eq=False)
class PlantedCue:
    """What was found.

    Attributes:
        mark: Side of the mark in pixels.
        area: The mark's share of the face, which is what a map that knows nothing reaches.
        accuracy: Of the network on held-out faces, with and without the mark.
        shares: By method, float64 (N,): the share of a face's positive evidence that lies on the
            mark, 0 to 1; 0 for a blank map.
        refused: By method, why it does not apply.
    """

    mark: int
    area: float
    accuracy: float
    shares: dict[str, NDArray[np.float64]]
    refused: dict[str, str]


def planted_cue(
    training: Tensor, faces: Tensor, methods: Sequence[str], *, mark: int | None = None
) -> PlantedCue:
    """Train a small network to tell faces with a mark from faces without, and explain it.

    The mark, a checkerboard of the face's darkest and brightest value, lies anywhere in the face,
    so only the mark can tell the classes apart and the right map is known: all of its evidence is
    on the mark (as in the pointing game with planted artefacts of Adebayo et al. 2020, arXiv
    2011.05429, section 4).

    Args:
        training: float32 (M, C, S, S), normalised.
        faces: float32 (N, C, S, S), other faces; every one is explained with a mark.
        methods: Registry names.
        mark: Side of the mark in pixels; None for five sixteenths of the face's.

    Raises:
        ExplainError: The mark is too large or small, there is no face, or the network did not learn
            it.
    """
    mark = checked_mark(mark, faces.shape[-1])
    if not len(training) or not len(faces):
        raise ExplainError("There is no face to plant a mark in. Choose another data set.")
    training, faces = _three_planes(training), _three_planes(faces)
    generator = torch.Generator().manual_seed(SEED)
    marked, places = _marked(faces, mark, generator)
    network, accuracy = _trained(training, faces, marked, mark, generator)
    both = torch.cat([training, _marked(training, mark, generator)[0]])
    shares: dict[str, NDArray[np.float64]] = {}
    refused: dict[str, str] = {}
    targets = torch.full((len(marked),), WITH)
    for method in methods:
        try:
            if EXPLAINERS[method].default_layer == "reference":
                give_reference(network, measure_reference(network, both))
            layer = layer_of(network, marked[:1], EXPLAINERS[method], None)
            maps = class_maps(network, marked, targets, method, layer)
        except ExplainError as error:
            refused[method] = str(error)
            continue
        shares[method] = share_inside(maps, places)
    area = (mark / faces.shape[-1]) ** 2
    return PlantedCue(mark, area, accuracy, shares, refused)


def checked_mark(mark: int | None, side: int) -> int:
    """The side of the mark in pixels.

    Args:
        mark: As asked for; None for five sixteenths of the face's.
        side: Of the face, in pixels.

    Raises:
        ExplainError: The mark is too large or small.
    """
    found = round(side * MARK_SHARE) if mark is None else mark
    if not CELLS <= found <= side * LARGEST_SHARE:
        raise ExplainError(
            f"The mark has {found} pixels a side and the face {side}; expected {CELLS} to "
            f"{int(side * LARGEST_SHARE)}, so that most of the face lies outside."
        )
    return found


def share_inside(maps: Tensor, places: Tensor) -> NDArray[np.float64]:
    """Share of the positive evidence that lies in places, float64 (N,); 0 for a blank map.

    Args:
        maps: float32 (N, h, w).
        places: bool (N, S, S).
    """
    positive = enlarged(maps, places.shape[-1]).clamp(min=0).double()
    total = positive.sum(dim=(1, 2))
    inside = (positive * places).sum(dim=(1, 2))
    return torch.where(total > 0, inside / total.clamp(min=1e-300), 0.0).numpy()


def _three_planes(faces: Tensor) -> Tensor:
    """Faces as the small network takes them, float32 (N, 3, S, S), also those of a grey plane."""
    return faces if faces.shape[1] == 3 else faces[:, :1].expand(-1, 3, -1, -1).contiguous()


def _marked(faces: Tensor, mark: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Faces with a mark each, and where it lies, bool (N, S, S)."""
    count, _, side, _ = faces.shape
    corners = torch.randint(0, side - mark + 1, (2, count, 1), generator=generator)
    rows, columns = torch.arange(side) - corners[0], torch.arange(side) - corners[1]  # (N, S)
    inside_rows, inside_columns = ((one >= 0) & (one < mark) for one in (rows, columns))
    places = inside_rows[:, :, None] & inside_columns[:, None, :]
    bright = ((rows * CELLS // mark)[:, :, None] + (columns * CELLS // mark)[:, None, :]) % 2 == 0
    low, high = (
        reduce(faces, dim=(1, 2, 3))[:, None, None, None] for reduce in (torch.amin, torch.amax)
    )
    pattern = torch.where(bright[:, None], high, low)
    return torch.where(places[:, None], pattern, faces), places


def _trained(
    training: Tensor, faces: Tensor, marked: Tensor, mark: int, generator: torch.Generator
) -> tuple[nn.Module, float]:
    """The network in eval mode, and its accuracy on held-out faces."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False):
        torch.manual_seed(SEED)
        network = SlimResNet(2, blocks=(1, 1, 1), width=16, head_dropout=0.0)
        optimiser = torch.optim.AdamW(network.parameters(), lr=RATE)
        accuracy = 0.0
        for step, (batch, labels) in enumerate(_batches(training, mark, generator), start=1):
            with torch.enable_grad():
                loss = functional.cross_entropy(network.train()(batch), labels)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if step % EVERY == 0:
                accuracy = _accuracy(network.eval(), faces, marked)
            if accuracy >= LEARNT or step == STEPS:
                break
    if accuracy < LEARNT:
        raise ExplainError(
            f"The small network tells faces with the mark from faces without in {accuracy:.0%} of "
            f"cases; {LEARNT:.0%} are needed for a known answer. Choose a larger mark."
        )
    return network.requires_grad_(False), accuracy


def _batches(
    training: Tensor, mark: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Half of each batch has the mark, at a new place every time."""
    labels = torch.arange(ROWS) % 2
    while True:
        chosen = training[torch.randint(0, len(training), (ROWS,), generator=generator)]
        marked, _ = _marked(chosen, mark, generator)
        yield torch.where(labels[:, None, None, None] == WITH, marked, chosen), labels


def _accuracy(network: nn.Module, faces: Tensor, marked: Tensor) -> float:
    with torch.inference_mode():
        right = [network(faces).argmax(1) == WITHOUT, network(marked).argmax(1) == WITH]
    return float(torch.cat(right).float().mean())
