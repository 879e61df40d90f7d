"""The demo, prepared with fewer drawings than a user gets: enough to read, split and learn from."""

from pathlib import Path

import pytest

from core.data import prepare

TRAIN, TEST = 20, 5  # a class


def prepare_few(folder: Path, class_set: str = "six") -> Path:
    """Prepare the drawings in a new folder, which is returned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.data.demo.COUNTS", {"train": TRAIN, "test": TEST})
        prepare(["demo"], folder, class_set=class_set, workers=1)
    return folder
