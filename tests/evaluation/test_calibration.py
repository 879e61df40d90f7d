"""Calibration against synthetic models whose confidence is known to be right or wrong."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve

from core.evaluation.calibration import (
    bin_numbers,
    expected_calibration_error,
    fit_temperature,
    reliability,
    risk_coverage,
    scaled,
    thinned,
    unclear_threshold,
)


def calibrated_model(n: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 4) and labels drawn from just the probabilities the logits claim."""
    generator = np.random.default_rng(11)
    logits = generator.normal(0, 2, (n, 4))
    chosen = (softmax(logits, axis=1).cumsum(axis=1) > generator.random((n, 1))).argmax(axis=1)
    return logits, chosen


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_temperature_recovers_a_known_scale(scale: float) -> None:
    logits, true = calibrated_model()

    assert fit_temperature(logits * scale, true) == pytest.approx(scale, rel=0.03)


def test_scaling_leaves_the_order_and_repairs_the_error() -> None:
    logits, true = calibrated_model()
    loud = scaled(logits * 3, 1.0)
    mended = scaled(logits * 3, fit_temperature(logits * 3, true))

    assert (loud.argmax(axis=1) == mended.argmax(axis=1)).all()
    correct = mended.argmax(axis=1) == true
    assert expected_calibration_error(loud.max(axis=1), correct) > 0.1
    assert expected_calibration_error(mended.max(axis=1), correct) < 0.015


def test_the_mean_confidence_becomes_the_accuracy() -> None:
    generator = np.random.default_rng(3)
    logits = generator.normal(0, 3, (500, 6))
    true = np.where(generator.random(500) < 0.7, logits.argmax(axis=1), 0)
    accuracy = (logits.argmax(axis=1) == true).mean()

    confidence = scaled(logits, fit_temperature(logits, true)).max(axis=1)

    assert confidence.mean() == pytest.approx(accuracy, abs=1e-4)


@pytest.mark.parametrize(("right", "expected"), [(True, 0.05), (False, 20.0)])
def test_answers_all_right_or_all_wrong_end_at_a_border(right: bool, expected: float) -> None:
    logits = np.eye(4)[[0, 1, 2, 3, 1]] * 2

    true = logits.argmax(axis=1) if right else (logits.argmax(axis=1) + 1) % 4

    assert fit_temperature(logits, true) == expected


def test_bins_are_closed_on_the_right() -> None:
    confidence = np.array([0.0, 1 / 15, 1 / 15 + 1e-9, 0.5, 1.0])

    assert bin_numbers(confidence).tolist() == [0, 0, 1, 7, 14]


def test_calibration_error_of_two_bins_is_the_hand_computed_one() -> None:
    # bin of 0.7: mean 0.7, right 1 of 2; bin of 0.9: mean 0.9, right 2 of 2
    confidence = np.array([0.7, 0.7, 0.9, 0.9])
    correct = np.array([True, False, True, True])

    error = expected_calibration_error(confidence, correct)

    assert error == pytest.approx(0.5 * 0.2 + 0.5 * 0.1)


def test_reliability_bins_agree_with_scikit_learn() -> None:
    generator = np.random.default_rng(5)
    confidence = generator.random(2000)
    correct = generator.random(2000) < confidence

    ours = [one for one in reliability(confidence, correct) if one.n]

    share, mean = calibration_curve(correct, confidence, n_bins=15, strategy="uniform")
    assert [one.accuracy for one in ours] == pytest.approx(share.tolist())
    assert [one.confidence for one in ours] == pytest.approx(mean.tolist())
    assert sum(one.n for one in ours) == 2000


def test_risk_coverage_answers_equal_confidences_together() -> None:
    confidence = np.array([0.9, 0.5, 0.9, 0.7])
    correct = np.array([True, False, True, False])

    curve = risk_coverage(confidence, correct)

    assert curve.threshold == (0.9, 0.7, 0.5)
    assert curve.coverage == (0.5, 0.75, 1.0)
    assert curve.accuracy == pytest.approx((1.0, 2 / 3, 0.5))
    assert curve.area == pytest.approx((0 * 2 + 1 / 3 + 1 / 2) / 4)


def test_a_thinned_curve_keeps_both_ends() -> None:
    confidence = np.linspace(0.2, 1, 1000)
    curve = risk_coverage(confidence, confidence > 0.5)

    small = thinned(curve, 11)

    assert len(small["coverage"]) == 11  # type: ignore[arg-type]
    assert small["coverage"][0] == curve.coverage[0]  # type: ignore[index]
    assert small["coverage"][-1] == 1.0  # type: ignore[index]


def test_the_threshold_is_the_smallest_that_leaves_few_enough_wrong() -> None:
    confidence = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5])
    correct = np.array([True, True, False, True, False, False])

    # wrong of those answered, from .5 on: 3 of 6, 2 of 5, 1 of 4, 1 of 3, 0 of 2
    assert unclear_threshold(confidence, correct, most_wrong=0.1, least_coverage=0.0) == 0.9
    assert unclear_threshold(confidence, correct, most_wrong=0.25, least_coverage=0.0) == 0.7


def test_the_threshold_halves_the_share_of_wrong_answers_where_it_is_small_already() -> None:
    confidence = np.linspace(0.99, 0.5, 50).round(2)
    correct = np.ones(50, bool)
    correct[[20, 30, 35, 40, 45, 49]] = False  # 12 %, of which 6 % may be left

    threshold = unclear_threshold(confidence, correct)

    # Of the 35 surest 2 are wrong, 5.7 %; the next one makes it 3 of 36, 8.3 %.
    assert threshold == confidence[34]
    assert unclear_threshold(confidence, np.ones(50, bool)) == 0.0


def test_the_threshold_keeps_answering_half_of_the_faces() -> None:
    confidence = np.array([0.95, 0.9, 0.8, 0.7])
    correct = np.array([True, False, False, False])

    assert unclear_threshold(confidence, correct, most_wrong=0.1, least_coverage=0.5) == 0.9


def test_the_face_that_gives_the_threshold_is_answered() -> None:
    confidence = np.array([0.87654321, 0.5])
    correct = np.array([True, False])

    threshold = unclear_threshold(confidence, correct)

    assert threshold == pytest.approx(0.8765)
    assert confidence[0] >= threshold > confidence[1]
