"""The paired test, against values worked out by hand."""

import pytest
from grey_faces import answers

from core.errors import DataError
from core.evaluation import Predictions, mcnemar


def right_and_wrong(flags: str, **columns: str | list[str]) -> Predictions:
    """One answer a character, `r` for right and `w` for wrong."""
    probabilities = [[0.9, 0.1] if flag == "r" else [0.1, 0.9] for flag in flags]
    return answers([0] * len(flags), probabilities, ("happiness", "fear"), **columns)


def test_the_exact_p_value_is_twice_the_binomial_tail() -> None:
    found = mcnemar(right_and_wrong("rrrrrrrwwrw"), right_and_wrong("rrwwwwwrwww"))

    # only the first right: 6; only the second: 1; p = 2 * (1 + 7) / 2**7
    assert (found.both, found.only_first, found.only_second, found.neither) == (2, 6, 1, 2)
    assert found.p_value == pytest.approx(2 * (1 + 7) / 2**7)
    assert found.difference == pytest.approx(5 / 11)


def test_the_interval_of_the_difference_is_the_one_of_paired_shares() -> None:
    first, second = "r" * 60 + "w" * 40, "r" * 50 + "w" * 50

    found = mcnemar(right_and_wrong(first), right_and_wrong(second))

    # differences of 0 and 1: mean 0.1, variance 0.1 - 0.01, standard error 0.03
    assert found.low == pytest.approx(0.1 - 1.96 * 0.03, abs=1e-4)
    assert found.high == pytest.approx(0.1 + 1.96 * 0.03, abs=1e-4)


def test_equal_runs_do_not_differ() -> None:
    found = mcnemar(right_and_wrong("rrw"), right_and_wrong("rrw"))

    assert (found.difference, found.p_value, found.low, found.high) == (0.0, 1.0, 0.0, 0.0)


def test_images_are_matched_by_pixels_not_by_order() -> None:
    first = right_and_wrong("rw", pixel_hash=["a", "b"])
    second = right_and_wrong("wr", pixel_hash=["b", "a"])

    found = mcnemar(first, second)

    assert (found.both, found.neither, found.left_out) == (1, 1, 0)


def test_copies_of_a_picture_are_matched_once_each() -> None:
    first = right_and_wrong("rrr", pixel_hash=["a", "a", "b"])
    second = right_and_wrong("rwr", pixel_hash=["a", "a", "c"])

    found = mcnemar(first, second)

    assert (found.n, found.left_out) == (2, 2)


def test_runs_without_a_common_image_are_an_error() -> None:
    with pytest.raises(DataError, match="no image in common"):
        mcnemar(right_and_wrong("r"), right_and_wrong("r", source="fer2013"))
