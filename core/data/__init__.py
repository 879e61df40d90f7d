"""Data sets: prepare them, audit them, read them. Torch-free; parts load when first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.data.dataset import WITHOUT_TWINS, Dataset, Subset, load_dataset
    from core.data.preparation import prepare
    from core.data.sources import SOURCES, Source

_HOMES = {
    "SOURCES": "core.data.sources",
    "Source": "core.data.sources",
    "WITHOUT_TWINS": "core.data.dataset",
    "Dataset": "core.data.dataset",
    "Subset": "core.data.dataset",
    "load_dataset": "core.data.dataset",
    "prepare": "core.data.preparation",
}

__all__ = ["SOURCES", "WITHOUT_TWINS", "Dataset", "Source", "Subset", "load_dataset", "prepare"]


def __getattr__(name: str) -> Any:
    """Import a public name's module when it is first asked for: pandas and av cost a second."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
