"""The card beside a weights file: what is needed to use it, and where it came from.  No torch."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, ConfigError
from core.files import write_json
from core.preprocess import Preprocess
from core.shapes import CardFile
from core.stored import read_shaped

LICENCE = (
    "Weights were learned from research image sets whose licences allow non-commercial research "
    "only; use them likewise. The code is under MIT."
)


@dataclass(frozen=True, slots=True)
class Card:
    """Everything a weights file needs besides its numbers.

    Attributes:
        model: Registry name of the network.
        model_options: Keyword options that differ from the registry's row.
        labels: Class names in the order of the outputs.
        preprocess: What a picture must go through.
        data: Name, hash, split, sources and counts of the data.
        metrics: Validation figures of the kept epoch.
        training: The run's configuration.
        versions: Library versions.
        temperature: Divisor of the logits fitted on clean validation (Clarté et al., 2023).
        threshold: Confidence below which an answer is called unclear; 0 for never.
        flip_average: Whether logits are averaged with those of the mirror image.
        title: Name for people.
        licence: What may be done with the weights.
    """

    model: str
    labels: tuple[str, ...]
    preprocess: Preprocess = field(default_factory=Preprocess)
    model_options: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    temperature: float = 1.0
    threshold: float = 0.0
    flip_average: bool = False
    title: str = ""
    licence: str = LICENCE

    def save(self, path: Path) -> None:
        """Replace the card file at once."""
        write_json(path, asdict(self) | {"preprocess": self.preprocess.to_json()})

    @classmethod
    def load(cls, path: Path) -> "Card":
        """Read a card.

        Raises:
            CheckpointError: The file is missing or says something that cannot be.
        """
        try:
            values = read_shaped(path, CardFile)
            values["preprocess"] = Preprocess.from_json(values["preprocess"])
            values["labels"] = tuple(values["labels"])
            card = cls(**values)
        except FileNotFoundError:
            raise CheckpointError(
                f"{path.parent.name} has no card.json. Choose a folder with card.json and "
                "weights.safetensors."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
            raise CheckpointError(
                f"The card of {path.parent.name} cannot be read ({error}). Restore it from the "
                "run that made it."
            ) from error
        if len(set(card.labels)) != len(card.labels) or not all(card.labels):
            named = ", ".join(card.labels[:10]) + (", ..." if len(card.labels) > 10 else "")
            raise CheckpointError(
                f"The card of {path.parent.name} names the classes {named}; "
                "expected at least two different names."
            )
        return card
