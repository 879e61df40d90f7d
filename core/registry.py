"""A dictionary with permanent names, used for models, sources, explainers and detectors."""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from core.errors import ConfigError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Named entries in the order of their registration.

    Args:
        kind: What an entry is, for error texts, for example "model".
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a factory or value so that it is found under `name`.

        Raises:
            ValueError: The name is taken: a programming error, hence no CoreError.
        """

        def keep(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self._kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return keep

    def __getitem__(self, name: str) -> T:
        """Return the entry.

        Raises:
            ConfigError: No entry has this name.
        """
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries)
            raise ConfigError(
                f"There is no {self._kind} {name!r}. Choose one of: {known}."
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
