"""What is steadied over time: points, labels, the resting face."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from core.video.pipeline import DEFAULT_SMOOTHING, PAPER_REFRESH
from core.video.smoothing import NeutralBaseline, OneEuro, SteadyLabel

FRAME = 1 / 25
REST = np.array([1.0, 0.0, 2.0, 3.0, 0.0, 0.0])


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


def mixed(first: float, second: float) -> NDArray[np.float64]:
    """Six probabilities, the first two as given, the rest shared evenly."""
    values = np.full(6, (1 - first - second) / 4)
    values[:2] = first, second
    return values


def noisy(
    base: NDArray[np.float64], noise: float, dice: np.random.Generator
) -> NDArray[np.float64]:
    powers = base * np.exp(dice.normal(0, noise, len(base)))
    return np.asarray(powers / powers.sum(), np.float64)


def test_the_first_answer_is_shown_at_once() -> None:
    keeper = SteadyLabel(0.0)

    assert keeper.update(mixed(0.3, 0.5), FRAME, smoothing=1.0) == 1


def test_a_lead_of_half_takes_over_when_its_surplus_adds_up() -> None:
    keeper = SteadyLabel(0.0)
    keeper.update(mixed(0.6, 0.1), 0.01, smoothing=0.5)

    shown = [keeper.update(mixed(0.1, 0.6), 0.01, smoothing=0.5) for _ in range(20)]

    # Surplus 0.5 - 0.4 / 2 = 0.3 a second; above 0.1 / 2 after 17 steps of 0.01 s.
    assert shown.index(1) == 16


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fps", [10, 25, 30])
def test_a_still_but_noisy_face_keeps_its_label(seed: int, fps: int) -> None:
    dice, keeper = np.random.default_rng(seed), SteadyLabel(0.0)
    answers = [noisy(mixed(0.42, 0.36), 0.3, dice) for _ in range(60 * fps)]

    own = [int(np.argmax(answer)) for answer in answers]
    shown = [keeper.update(one, 1 / fps, smoothing=DEFAULT_SMOOTHING) for one in answers]

    assert changes(own) > 60  # what would be seen without steadying
    assert changes(shown) <= 1


def changes(labels: Sequence[int | None]) -> int:
    return sum(one != other for one, other in pairwise(labels))


@pytest.mark.parametrize("every", [1, PAPER_REFRESH])
@pytest.mark.parametrize("seed", range(5))
def test_a_change_of_face_shows_within_300_ms(seed: int, every: int) -> None:
    dice, keeper = np.random.default_rng(seed), SteadyLabel(0.0)
    keeper.update(mixed(0.8, 0.05), FRAME, smoothing=DEFAULT_SMOOTHING)
    for _ in range(60 + seed):
        keeper.update(noisy(mixed(0.8, 0.05), 0.3, dice), FRAME, smoothing=DEFAULT_SMOOTHING)

    waited = next(
        step
        for step in range(1, 100)
        if keeper.update(
            noisy(mixed(0.05, 0.8), 0.3, dice),
            FRAME,
            smoothing=DEFAULT_SMOOTHING,
            look=(step + seed) % every == 0,
        )
        == 1
    )

    assert waited * FRAME <= 0.3


def test_without_smoothing_each_frame_speaks_for_itself() -> None:
    keeper = SteadyLabel(0.0)
    keeper.update(mixed(0.41, 0.40), FRAME, smoothing=0.0)

    assert keeper.update(mixed(0.40, 0.41), FRAME, smoothing=0.0) == 1


def test_the_label_changes_only_when_it_may() -> None:
    keeper = SteadyLabel(0.0)
    keeper.update(mixed(0.9, 0.02), 1.0, smoothing=0.5)

    waiting = keeper.update(mixed(0.02, 0.9), 1.0, smoothing=0.5, look=False)
    looking = keeper.update(mixed(0.02, 0.9), 1.0, smoothing=0.5, look=True)

    assert (waiting, looking) == (0, 1)


def test_an_answer_below_the_threshold_becomes_unclear_and_a_sure_one_ends_it() -> None:
    keeper = SteadyLabel(0.6)
    keeper.update(mixed(0.9, 0.02), FRAME, smoothing=0.5)

    vague = [keeper.update(mixed(0.35, 0.3), FRAME, smoothing=0.5) for _ in range(25)]
    sure = [keeper.update(mixed(0.02, 0.95), FRAME, smoothing=0.5) for _ in range(25)]

    assert vague[-1] is None
    assert sure[-1] == 1


def test_at_the_threshold_the_answer_does_not_flicker() -> None:
    dice, keeper = np.random.default_rng(3), SteadyLabel(0.6)
    answers = [noisy(mixed(0.6, 0.1), 0.2, dice) for _ in range(25 * 60)]

    shown = [keeper.update(answer, FRAME, smoothing=DEFAULT_SMOOTHING) for answer in answers]

    assert changes([int(answer.max() < 0.6) for answer in answers]) > 60
    assert changes(shown) <= 1


def test_answers_are_unchanged_while_collecting() -> None:
    resting = NeutralBaseline(1.0)

    np.testing.assert_array_equal(resting.apply(REST, 0.4), REST)
    assert (resting.progress, resting.ready) == (0.4, False)


def test_the_resting_face_itself_scores_all_classes_alike() -> None:
    resting = NeutralBaseline(1.0)
    resting.apply(REST + 0.5, 0.5)
    resting.apply(REST - 0.5, 0.5)

    corrected = resting.apply(REST, 0.1)

    np.testing.assert_allclose(corrected, np.full(6, REST.mean()))


def test_what_differs_from_rest_remains() -> None:
    resting = NeutralBaseline(1.0)
    resting.apply(REST, 1.0)
    smile = np.array([4.0, 0.0, 0.0, 0.0, 0.0, 0.0])

    np.testing.assert_allclose(resting.apply(REST + smile, 0.1) - REST.mean(), smile)
