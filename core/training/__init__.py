"""Runs: their configuration, folders and training.  Only `run_training` loads torch."""

from typing import TYPE_CHECKING, Any

from core.training.config import FLIP_ONLY, Augmentation, RunConfig
from core.training.presets import TABLE_ROWS, preset, preset_names
from core.training.run_folder import RunFolder

if TYPE_CHECKING:
    from core.training.run import run_training

__all__ = [
    "FLIP_ONLY",
    "TABLE_ROWS",
    "Augmentation",
    "RunConfig",
    "RunFolder",
    "preset",
    "preset_names",
    "run_training",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - module attribute
    if name == "run_training":
        from core.training.run import run_training

        return run_training
    raise AttributeError(name)
