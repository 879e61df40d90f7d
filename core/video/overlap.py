"""Work that overlaps: a source that runs ahead of its use, and a sink that runs behind it."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
AHEAD = 8  # things that wait; more would only cost memory
_PATIENCE = 0.05  # seconds from one look at whether to end to the next
_MANY = 4  # cores, from which on steps that overlap leave one for a second thread of the network


def network_threads() -> int:
    """Threads that the network should use while other steps overlap; 0 for its own choice.

    On two cores a second thread takes from the others more than it gains: a film takes a tenth
    longer.
    """
    return 0 if (os.cpu_count() or 1) >= _MANY else 1


@contextmanager
def ahead(source: Iterable[T], depth: int = AHEAD) -> Iterator[Iterator[T]]:
    """Give the things of a source, which a thread of its own takes out before they are asked for.

    When the block ends, the source is left where it is, and its thread has ended.

    Args:
        source: Whatever it raises is raised where its next thing is asked for.
        depth: How many things may wait.
    """
    waiting: Queue[tuple[T | None, BaseException | None]] = Queue(depth)
    unwanted = Event()

    def take_out() -> None:
        try:
            for thing in source:
                waiting.put((thing, None))
                if unwanted.is_set():
                    return
            waiting.put((None, None))
        except BaseException as error:  # noqa: BLE001 - raised where the source is used
            waiting.put((None, error))

    def things() -> Iterator[T]:
        while True:
            thing, error = waiting.get()
            if error is not None:
                raise error
            if thing is None:
                return
            yield thing

    thread = Thread(target=take_out, name="ahead", daemon=True)
    thread.start()
    try:
        yield things()
    finally:
        unwanted.set()
        while thread.is_alive():
            _thrown_away(waiting)
            thread.join(_PATIENCE)


@contextmanager
def behind(work: Callable[[T], None], depth: int = AHEAD) -> Iterator[Callable[[T], None]]:
    """Give a function that takes things which a thread of its own works on, one after the other.

    When the block ends well, all are done; when it raises, those that wait are left out. What the
    work raises is raised by the next call, or where the block ends.

    Args:
        work: Done with each thing.
        depth: How many things may wait; a call waits while there are more.
    """
    waiting: Queue[T | None] = Queue(depth)
    errors: list[BaseException] = []
    broken = Event()

    def work_off() -> None:
        while (thing := waiting.get()) is not None:
            if broken.is_set():
                continue
            try:
                work(thing)
            except BaseException as error:  # noqa: BLE001 - raised where things are brought
                errors.append(error)
                broken.set()

    def bring(thing: T) -> None:
        if errors:
            raise errors[0]
        waiting.put(thing)

    thread = Thread(target=work_off, name="behind", daemon=True)
    thread.start()
    try:
        yield bring
    except BaseException:
        broken.set()
        raise
    finally:
        waiting.put(None)
        thread.join()
    if errors:
        raise errors[0]


def _thrown_away(waiting: Queue[T]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except Empty:
            return
