"""Faces taken together: means, intervals, blanks."""

import json

import numpy as np
import pytest
from scipy.stats import bootstrap

from core.faces import REGIONS
from core.global_view.evidence import (
    FaceEvidence,
    Group,
    group_json,
    mean_and_ends,
)

R = len(REGIONS)


def face(mouth: float, *, blank: bool = False, drop: float = 0.1) -> FaceEvidence:
    """Evidence split between mouth and nose; every region as large as the others."""
    shares = np.zeros(R)
    shares[REGIONS.index("mouth")], shares[REGIONS.index("nose")] = mouth, 1 - mouth
    drops = np.full(R, drop)
    heat = None if blank else np.ones((2, 2))
    return FaceEvidence(0, heat, None if blank else shares, np.full(R, 1 / R), drops)


def test_means_and_counts_are_those_of_the_faces() -> None:
    group = Group(2)
    group.add(face(0.2), np.array([[0.0, 1.0], [2.0, 3.0]]))
    group.add(face(0.6, drop=0.3), np.array([[2.0, 1.0], [0.0, 1.0]]))
    group.add(face(0.0, blank=True, drop=0.2), None)

    found = group_json(group)

    assert found["n"] == 3
    assert found["blank"] == 1
    assert found["map"] == [[1.0, 1.0], [1.0, 2.0]]
    mouth = found["regions"]["mouth"]
    assert mouth["area"] == pytest.approx(1 / R)
    assert mouth["share"][0] == pytest.approx(0.4)  # blank faces have no shares
    assert mouth["lift"][0] == pytest.approx(0.4 * R)
    assert mouth["drop"][0] == pytest.approx(0.2)  # but hiding was measured on them too
    assert found["regions"]["chin"]["share"] == [0, 0, 0]


def test_intervals_agree_with_scipy() -> None:
    values = np.random.default_rng(0).normal(0.3, 0.1, (60, 1))

    found = mean_and_ends(values)

    expected = bootstrap(
        (values[:, 0],), np.mean, n_resamples=9999, method="percentile", rng=1
    ).confidence_interval
    assert found is not None
    assert found[0] == pytest.approx([values.mean(), expected.low, expected.high], abs=3e-3)


def test_figures_stay_those_of_the_stored_views() -> None:
    """Another seed, number of resamples or way to draw would change every file a little."""
    values = np.arange(12.0).reshape(6, 2) ** 1.5

    found = mean_and_ends(values, np.arange(12.0, 0.0, -1.0).reshape(6, 2))

    assert found == [[1.8994, 0.4714, 5.087], [2.7605, 0.7751, 7.8835]]


def test_a_ratio_of_means_is_resampled_together() -> None:
    areas = np.random.default_rng(0).uniform(0.1, 0.3, (40, 1))

    found = mean_and_ends(3 * areas, areas)  # three times the area in every face: no doubt left

    assert found == [[3.0, 3.0, 3.0]]


def test_a_region_without_area_has_no_lift() -> None:
    assert mean_and_ends(np.zeros((4, 1)), np.zeros((4, 1))) == [None]


def test_one_face_has_no_interval_and_none_no_map() -> None:
    single, empty = Group(2), Group(2)
    single.add(face(1.0), np.ones((2, 2)))

    assert group_json(single)["regions"]["mouth"]["share"] is None
    assert group_json(empty)["map"] is None
    assert group_json(empty)["n"] == 0
    json.dumps([group_json(single), group_json(empty)], allow_nan=False)
