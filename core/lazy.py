"""Names of a package that are there at once and loaded when they are first asked for."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose modules are slow to import (PEP 562).

    Args:
        package: The package's own `__name__`.
        homes: Names offered, by the module below the package that defines them.

    Returns:
        A function that gives a name's value; an AttributeError for a name that is not offered.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def load(name: str) -> Any:  # noqa: ANN401 - the names of many modules
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home_of[name]}"), name)

    return load
