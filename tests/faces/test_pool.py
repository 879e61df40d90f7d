"""Lent objects are never shared and always come back."""

import threading

import pytest

from core.faces.detection import Pool


def counting() -> Pool[int]:
    numbers = iter(range(100))
    return Pool(lambda: next(numbers))


def test_an_idle_object_is_lent_again() -> None:
    pool = counting()

    with pool.borrow() as first:
        pass
    with pool.borrow() as second:
        pass

    assert (first, second) == (0, 0)


def test_two_borrowers_have_different_objects() -> None:
    pool = counting()

    with pool.borrow() as first, pool.borrow() as second:
        assert first != second


def test_an_object_comes_back_after_an_error() -> None:
    pool = counting()

    with pytest.raises(RuntimeError), pool.borrow():
        raise RuntimeError

    with pool.borrow() as again:
        assert again == 0


def test_no_more_objects_exist_than_were_in_use_at_once() -> None:
    pool = counting()
    both_inside = threading.Barrier(2)
    seen: list[int] = []

    def work() -> None:
        with pool.borrow() as item:
            both_inside.wait(timeout=5)
            seen.append(item)

    for _ in range(3):
        pair = [threading.Thread(target=work) for _ in range(2)]
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join()

    assert set(seen) == {0, 1}
