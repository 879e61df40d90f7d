"""Native objects that may serve one thread at a time, lent to many."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """Builds an object when none is idle, lends it to one thread, and keeps it afterwards.

    As many objects exist as were ever in use at once. A thread-local would build anew for every
    thread, and a web server starts one for each rerun of a page.

    Args:
        build: Makes one object; called on first use, never at import.
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._idle: list[T] = []
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self) -> Iterator[T]:
        """Lend an object for a `with` block; nobody else has it meanwhile."""
        with self._lock:
            item = self._idle.pop() if self._idle else None
        if item is None:
            item = self._build()
        try:
            yield item
        finally:
            with self._lock:
                self._idle.append(item)
