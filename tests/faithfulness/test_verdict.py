"""Intervals, verdicts and controls."""

import numpy as np
import pytest
import torch

from core.evaluation.bootstrap import Estimate, estimate
from core.faithfulness.insertion_deletion import (
    centre_blob,
    other_faces,
    random_maps,
    sanity,
    verdict,
)


def interval(low: float) -> Estimate:
    return Estimate(low + 0.1, low, low + 0.2, 100)


def test_an_interval_is_that_of_the_normal_distribution_for_many_values() -> None:
    values = np.random.default_rng(0).normal(0.3, 1.0, 2000)

    found = estimate(values)

    half = 1.96 * values.std() / np.sqrt(2000)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)
    assert found.count == 2000
    assert estimate(values) == found


def test_equal_values_have_no_spread() -> None:
    found = estimate(np.full(10, 0.25))

    assert (found.low, found.mean, found.high) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("gap", "worst", "expected"),
    [
        (0.1, 0.01, "beats its controls"),
        (0.1, -0.01, "does not beat its controls"),
        (-0.01, 0.01, "does not beat its controls"),
        (0.0, 0.01, "does not beat its controls"),
    ],
)
def test_a_method_must_beat_zero_and_every_control(gap: float, worst: float, expected: str) -> None:
    differences = {"random": interval(0.3), "centre": interval(worst), "other_face": interval(0.2)}

    assert verdict(interval(gap), differences) == expected


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        # The figures of a trial network, by stage from the last layer to all.
        ([-0.28, 0.0, 0.1, 0.14, 0.1, -0.1], "passes"),
        ([0.75, 0.7, 0.6, 0.5, 0.4, 0.36], "partly"),
        ([0.99, 0.98, 0.95, 0.8, 0.7, 0.54], "fails"),
        ([None, None, None], "unknown"),
        ([0.2, None, None], "passes"),
    ],
)
def test_randomisation_is_judged_by_its_last_and_its_highest_stage(
    stages: list[float | None], expected: str
) -> None:
    named = {str(number): value for number, value in enumerate(stages)}

    assert sanity(named) == expected


def test_the_blob_is_highest_in_the_middle_and_the_same_from_all_sides() -> None:
    blob = centre_blob(64)

    assert blob.argmax() in (31 * 64 + 31, 31 * 64 + 32, 32 * 64 + 31, 32 * 64 + 32)
    torch.testing.assert_close(blob, blob.T)
    torch.testing.assert_close(blob, blob.flip(0))
    # One deviation, a quarter of the side, from the middle.
    assert float(blob[31, 48] / blob.max()) == pytest.approx(np.exp(-0.5), abs=0.03)


def test_other_faces_never_get_their_own_map() -> None:
    maps = torch.arange(3.0)[:, None, None].expand(3, 2, 2)

    assert other_faces(maps)[:, 0, 0].tolist() == [2.0, 0.0, 1.0]


def test_random_maps_differ() -> None:
    maps = random_maps(2, torch.Generator().manual_seed(0))

    assert maps.shape == (2, 4, 4)
    assert not torch.equal(maps[0], maps[1])
