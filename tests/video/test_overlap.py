import os
import threading
from collections.abc import Callable, Iterator

import pytest

from core.video.overlap import ahead, behind, network_threads

LIMIT = 5.0  # seconds; nothing here waits unless something is wrong


def bring_all(bring: Callable[[int], None], count: int) -> None:
    for number in range(count):
        bring(number)


def threads_named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_what_is_read_ahead_comes_in_its_order_and_ends() -> None:
    with ahead(range(100), depth=3) as things:
        assert list(things) == list(range(100))


def test_a_source_runs_while_its_things_are_used() -> None:
    second = threading.Event()

    def source() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    with ahead(source()) as things:
        assert next(things) == 1
        assert second.wait(LIMIT)


def test_what_a_source_raises_is_raised_behind_what_it_gave() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("torn")

    with ahead(source()) as things:
        assert next(things) == 1
        with pytest.raises(ValueError, match="torn"):
            next(things)


def test_a_source_without_end_is_left_when_the_block_ends() -> None:
    def source() -> Iterator[int]:
        while True:
            yield 1

    with ahead(source(), depth=2) as things:
        next(things)
        during = threads_named("ahead")

    assert len(during) == 1
    assert not during[0].is_alive()


def test_all_that_was_brought_is_done_when_the_block_ends() -> None:
    done: list[int] = []

    with behind(done.append, depth=2) as bring:
        for number in range(50):
            bring(number)

    assert done == list(range(50))


def test_what_the_work_raises_is_raised_where_things_are_brought() -> None:
    def work(thing: int) -> None:
        if thing == 3:
            raise ValueError("full")

    with pytest.raises(ValueError, match="full"), behind(work, depth=2) as bring:
        bring_all(bring, 1000)


def test_what_the_last_work_raises_is_raised_when_the_block_ends() -> None:
    def work(thing: int) -> None:
        raise ValueError("full")

    with pytest.raises(ValueError, match="full"), behind(work) as bring:
        bring(1)


def test_after_an_error_in_the_block_what_waits_is_left_out() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), list[int]()

    def work(thing: int) -> None:
        begun.set()
        assert go_on.wait(LIMIT)
        done.append(thing)

    def bring_and_break_off(bring: Callable[[int], None]) -> None:
        bring_all(bring, 5)
        assert begun.wait(LIMIT)
        threading.Timer(0.1, go_on.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), behind(work) as bring:
        bring_and_break_off(bring)

    assert done == [0]


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 0), (64, 0), (None, 1)])
def test_few_cores_are_left_to_the_steps_that_overlap(
    cores: int | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)

    assert network_threads() == threads
