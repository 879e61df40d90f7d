"""The checkpoints that a run builds upon: where it starts, and who teaches it."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from core.checkpoints import find_checkpoint
from core.models import Card, load_model


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
