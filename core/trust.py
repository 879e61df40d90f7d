"""How far a run's explanations can be trusted: measured on its test faces, kept in its folder."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoints import find_checkpoint
from core.errors import DataError
from core.files import write_json
from core.types import Image

FILE = "faithfulness.json"
FACES = 300
SEED = 20240229  # which faces: the same for every run on the same data
BATCH = 256

# (measured so far, to be measured, what comes next)
Progress = Callable[[int, int, str], None]


def measure_trust(
    run: str | Path,
    *,
    data: Path | None = None,
    faces: int = FACES,
    methods: Sequence[str] | None = None,
    on_progress: Progress = lambda done, total, name: None,
) -> dict[str, Any]:
    """Measure every explanation method of a run on test faces that it answers rightly.

    Args:
        run: Run name, folder, or "default".
        data: Prepared folder; None finds the run's own below the data root.
        faces: How many, drawn by a fixed chance.
        methods: Registry names; None for all.
        on_progress: Called before each method.

    Returns:
        The report, as `faithfulness.json` in the run's folder keeps it once all methods are
        measured.

    Raises:
        CheckpointError: The run cannot be used.
        DataError: Its data are not prepared, or hold too few such faces.
        ConfigError: No such method.
    """
    import torch

    from core.data import load_dataset
    from core.evaluation import own_folder
    from core.explain import faithfulness_report
    from core.models import load_model

    folder = find_checkpoint(run)
    model, card = load_model(folder)
    dataset = load_dataset(data if data is not None else own_folder(card, folder.name))
    sources = tuple(str(name) for name in card.data.get("sources", ())) or None
    subset = dataset.part("published", "test", sources if data is None else None)
    pixels, right = [], 0
    order = np.random.default_rng(SEED).permutation(len(subset))
    numbers = np.array([card.labels.index(name) if name in card.labels else -1
                        for name in dataset.labels])  # fmt: skip
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        squares = _at_size(subset.images[chosen], card.preprocess.size, card.preprocess.pixels)
        with torch.inference_mode():
            answers = model(torch.from_numpy(card.preprocess.normalise(squares))).argmax(1)
        kept: NDArray[np.bool_] = answers.numpy() == numbers[subset.labels[chosen]]
        pixels.append(squares[kept])
        right += int(kept.sum())
        if right >= faces:
            break
    if right < min(faces, 2):
        raise DataError(
            f"{folder.name} answers {right} of {len(subset)} test faces rightly; at least 2 are "
            "needed. Choose another run or data set."
        )
    batch = torch.from_numpy(card.preprocess.normalise(np.concatenate(pixels)[:faces]))
    report = {
        "checkpoint": folder.name,
        "split": "test",
        "selection": "test faces the network answers as they are labelled",
        "data_hash": dataset.data_hash,
        **faithfulness_report(model, batch, methods=methods, on_progress=on_progress),
    }
    if methods is None:
        write_json(folder / FILE, report)
    return report


def stored_trust(folder: Path) -> dict[str, Any] | None:
    """The report kept in a run's folder; None where none was made or it cannot be read."""
    try:
        report: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and "methods" in report else None


def _at_size(images: Image, size: int, fit: Callable[[Image], Image]) -> Image:
    """Grey squares uint8 (n, S, S) at the size the network's preprocessing asks for."""
    return images if images.shape[1] == size else np.stack([fit(image) for image in images])
