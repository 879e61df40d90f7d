"""What computing in 8 bits costs on the clean validation faces of a run's own data."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.evaluation.collecting import at_size
from core.evaluation.prepared import own_dataset, own_sources
from core.models import Card

if TYPE_CHECKING:
    from core.inference import Quantisation


def measure_quantisation(folder: Path, data: Path | None = None) -> "Quantisation":
    """Measure the ranges of 8 bits and store them with their cost beside the weights.

    Args:
        folder: Checkpoint folder; its quantisation.json is written.
        data: Prepared data; else the run's own below the data root.

    Raises:
        CheckpointError: The run cannot be loaded.
        DataError: No prepared data of the run's classes and sources is found.
    """
    from core.inference import calibrate  # loads a runtime

    card = Card.load(folder / "card.json")
    dataset = own_dataset(card, folder.name, data)
    known = set(dataset.manifest["source"])
    sources = [name for name in own_sources(card, dataset.info) if name in known]
    subset = dataset.part("clean", "valid", sources or None)
    return calibrate(folder, at_size(np.asarray(subset.images), card.preprocess), subset.labels)
