"""The audit of the real data that the repository ships, for machines without data.

Figures and mean faces only: means over fewer than two hundred pictures are left out, so that no
person can be recognised.
"""

import json
from importlib.resources import files
from typing import Any

import numpy as np

from core.data.dataset import Dataset
from core.data.statistics import class_means, read_means
from core.files import replacing, write_json
from core.paths import PROJECT_ROOT
from core.types import Image

FEWEST = 200  # pictures in a mean that is shipped
_FOLDER = "shipped"


def shipped_audit() -> dict[str, Any]:
    """The audit of the six downloaded sets, in the form of `audit`, and `class_sizes`."""
    text = files("core.data").joinpath(_FOLDER, "audit.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


def shipped_means() -> dict[str, Image]:
    """Mean faces by "source/label" and "all/label", uint8 (64, 64)."""
    with files("core.data").joinpath(_FOLDER, "class_means.npz").open("rb") as file:
        return read_means(file)


def write_shipped(dataset: Dataset, audit: dict[str, Any]) -> None:
    """Renew the shipped files from prepared data; for developers, from the repository.

    Args:
        dataset: The prepared data.
        audit: What `core.data.audit` says of it.
    """
    folder = PROJECT_ROOT / "core" / "data" / _FOLDER
    folder.mkdir(exist_ok=True)
    means = class_means(dataset.images, dataset.manifest)
    values = audit | {"class_sizes": {name: count for name, (_, count) in means.items()}}
    write_json(folder / "audit.json", values)
    arrays: dict[str, Any] = {name: mean for name, (mean, n) in means.items() if n >= FEWEST}
    with replacing(folder / "class_means.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
