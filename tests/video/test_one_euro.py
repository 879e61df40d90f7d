import math

import numpy as np
import pytest

from core.video.smoothing import OneEuro


def test_the_first_value_passes() -> None:
    smooth = OneEuro(1.0, 0.0)

    np.testing.assert_array_equal(smooth(np.array([3.0, -1.0]), 0.04), [3.0, -1.0])


def test_without_beta_it_is_an_exponential_filter_of_that_cutoff() -> None:
    smooth = OneEuro(2.0, 0.0)
    smooth(np.array([0.0]), 0.1)

    once = smooth(np.array([1.0]), 0.1)
    twice = smooth(np.array([1.0]), 0.1)

    turn = 2 * math.pi * 2.0 * 0.1
    share = turn / (1 + turn)
    np.testing.assert_allclose(once, share)
    np.testing.assert_allclose(twice, share + (1 - share) * share)


def test_speed_opens_the_filter_by_beta_times_its_length() -> None:
    smooth = OneEuro(0.5, 0.2)
    smooth(np.array([0.0, 0.0]), 0.1)

    moved = smooth(np.array([3.0, 4.0]), 0.1)  # 50 units a second, of which the filter sees a share

    seen = 2 * math.pi * 0.1 / (1 + 2 * math.pi * 0.1)
    turn = 2 * math.pi * (0.5 + 0.2 * 50 * seen) * 0.1
    np.testing.assert_allclose(moved, np.array([3.0, 4.0]) * turn / (1 + turn))


def test_probabilities_keep_their_sum() -> None:
    dice = np.random.default_rng(1)
    smooth = OneEuro(1.0, 0.5)

    sums = [smooth(dice.dirichlet(np.ones(6)), 0.04).sum() for _ in range(50)]

    np.testing.assert_allclose(sums, 1.0)


def test_after_a_reset_the_past_is_gone() -> None:
    smooth = OneEuro(0.1, 0.0)
    smooth(np.array([0.0]), 0.04)

    smooth.reset()

    assert smooth(np.array([7.0]), 0.04) == pytest.approx(7.0)
