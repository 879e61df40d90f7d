"""What an explanation says of its own maps."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Explanation, evidence_scale, evidence_scales


def explanation(*maps: NDArray[np.floating], signed: bool = True) -> Explanation:
    labels = ("happiness", "fear", "anger")[: len(maps)]
    return Explanation("any", "any", labels, np.stack(maps).astype(np.float32), signed=signed)


def test_the_scale_is_the_99th_percentile_of_either_sign() -> None:
    ascending = np.arange(101, dtype=np.float32).reshape(1, 101)  # 99 of 100 steps: 99
    assert evidence_scale(ascending) == 99
    assert evidence_scale(-ascending) == 99
    assert evidence_scale(np.array([[0.0, 1.0]], dtype=np.float32)) == pytest.approx(0.99)


def test_the_scale_is_numpys_percentile() -> None:
    maps = np.random.default_rng(0).normal(size=(4, 13, 17)).astype(np.float32)

    expected = np.percentile(np.abs(maps).reshape(4, -1), 99, axis=1)
    np.testing.assert_allclose(evidence_scales(maps), expected, rtol=1e-6)


def test_one_hot_pixel_does_not_pale_the_others() -> None:
    evidence = np.full((32, 32), 2.0, dtype=np.float32)
    evidence[7, 9] = 1000.0

    assert evidence_scale(evidence) == 2.0


@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_where_nearly_nothing_holds_evidence_its_largest_counts(noise: float) -> None:
    evidence = np.full((32, 32), noise, dtype=np.float32)
    evidence[3, 4:8] = (0.5, 3.0, 2.0, 1.0)

    assert evidence_scale(evidence) == 3.0


def test_a_blank_map_and_none_at_all_have_the_scale_zero() -> None:
    assert evidence_scale(np.zeros((4, 4), dtype=np.float32)) == 0.0
    assert evidence_scale(np.zeros((0, 4), dtype=np.float32)) == 0.0
    assert evidence_scale(np.full((1, 1), 3.0, dtype=np.float32)) == 3.0


def test_every_class_has_a_scale_and_the_face_the_largest() -> None:
    found = explanation(np.full((4, 4), 1.0), np.full((4, 4), -3.0))

    assert found.scales.tolist() == [1.0, 3.0]
    assert (found.scale_of("happiness"), found.scale_of("fear"), found.scale) == (1.0, 3.0, 3.0)


def test_a_map_against_is_neither_blank_nor_for() -> None:
    against, both = np.full((2, 2), -1.0), np.array([[1.0, -1.0], [0.0, 0.0]])
    found = explanation(against, both, np.zeros((2, 2)))

    assert [found.speaks_only_against(label) for label in found.labels] == [True, False, False]
    assert [found.is_blank(label) for label in found.labels] == [False, False, True]
