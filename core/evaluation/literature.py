"""What others published: the paper's tables, its preliminary report's, peers, one human rater."""

import json
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("published.json")


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row of a published table of accuracies.

    Attributes:
        dataset: As the table names it.
        model: As the table names it.
        name: Our registry name of the network.
        layers: Number of layers as the table counts them.
        architecture: The table's flags.
        parameters: Number of trainable values.
        train: Accuracy on the training part, %.
        test: Accuracy on the test part, %.
        valid: Accuracy on the published validation set, %.
    """

    dataset: str
    model: str
    name: str
    layers: int
    architecture: str
    parameters: int
    train: float
    test: float
    valid: float


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def published(part: str) -> dict[str, Any]:
    """One part of the file, with its `source`.

    Args:
        part: "paper", "table_1", "table_2", "table_3", "preliminary", "human_agreement", "peers"
            or "elsewhere".
    """
    copied: dict[str, Any] = deepcopy(_content()[part])  # a caller may change what it gets
    return copied


def published_rows(part: str = "table_2") -> tuple[PublishedRow, ...]:
    """The rows of Table 2, or of the preliminary report's table ("preliminary"), in order."""
    return tuple(PublishedRow(**row) for row in _content()[part]["rows"])
