"""How far confidence can be believed, and below which one an answer is better called unclear."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

BINS = 15
TEMPERATURES = (0.05, 20.0)
MOST_WRONG = 0.15  # of the answered faces
MOST_LEFT = 0.5  # of the share of wrong answers; else a network good at home would never doubt
LEAST_COVERAGE = 0.50  # a model that answers fewer faces is of no use
DIGITS = 4  # kept of temperature and threshold, so that machines agree
CURVE_POINTS = 101


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Images whose confidence lies in (low, high].

    Attributes:
        n: How many.
        confidence: Their mean confidence; 0 where there are none.
        accuracy: Share of them that is right; 0 where there are none.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


def bin_numbers(confidence: NDArray[np.float64], bins: int = BINS) -> NDArray[np.int64]:
    """Which of `bins` equal-width bins (low, high] holds each confidence, int64 (n,)."""
    numbers: NDArray[np.int64] = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1).astype(int)
    return numbers


def reliability(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = BINS
) -> list[ReliabilityBin]:
    """The reliability diagram's bins, from low to high confidence."""
    numbers = bin_numbers(confidence, bins)
    n = np.bincount(numbers, minlength=bins)
    mean = np.bincount(numbers, confidence, bins) / np.maximum(n, 1)
    share = np.bincount(numbers, correct.astype(np.float64), bins) / np.maximum(n, 1)
    return [
        ReliabilityBin(i / bins, (i + 1) / bins, int(n[i]), float(mean[i]), float(share[i]))
        for i in range(bins)
    ]


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = BINS
) -> float:
    """Expected calibration error (Guo et al., 2017, https://arxiv.org/abs/1706.04599, eq. 3).

    Args:
        confidence: float64 (n,), highest probability.
        correct: bool (n,).
        bins: Number of bins of equal width.

    Returns:
        Mean distance of confidence and accuracy over the bins, weighted by their images, 0 to 1.
    """
    found = reliability(confidence, correct, bins)
    return sum(one.n * abs(one.confidence - one.accuracy) for one in found) / max(1, len(correct))


def scaled(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities float64 (n, K) of logits float64 (n, K) divided by the temperature."""
    probabilities: NDArray[np.float64] = softmax(logits / temperature, axis=1)
    return probabilities


def fit_temperature(logits: NDArray[np.float64], true: NDArray[np.int64]) -> float:
    """The divisor of the logits at which the mean confidence is the accuracy.

    Temperature scaling (Guo et al., 2017) by expectation consistency (Clarté et al., 2023,
    https://arxiv.org/abs/2303.02644) and not by likelihood, which also pays for the classes that
    are not answered: networks trained with smoothed labels then stay too sure of their answers.

    Args:
        logits: float64 (n, K), before the softmax.
        true: int64 (n,).

    Returns:
        A positive number; confidence falls as it grows, so there is one. Where all answers are
        right, or fewer than chance, the nearest end of the range.
    """
    from scipy.optimize import brentq  # slow to import, and needed at a fit alone

    accuracy = float((logits.argmax(axis=1) == true).mean())

    def excess(log_temperature: float) -> float:
        confidence = scaled(logits, float(np.exp(log_temperature))).max(axis=1)
        return float(confidence.mean()) - accuracy

    low, high = np.log(TEMPERATURES)
    if excess(low) <= 0:
        return TEMPERATURES[0]
    if excess(high) >= 0:
        return TEMPERATURES[1]
    return round(float(np.exp(brentq(excess, low, high, xtol=1e-6))), DIGITS)


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """What answering only the surer part costs and gains, from few answers to all.

    Attributes:
        threshold: Lowest confidence that is answered.
        coverage: Share of the images that is answered, rising.
        accuracy: Share of the answered that is right; 1 - accuracy is the risk.
        area: Mean risk over all coverages (area under the curve), 0 to 1.
    """

    threshold: tuple[float, ...]
    coverage: tuple[float, ...]
    accuracy: tuple[float, ...]
    area: float


def risk_coverage(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> RiskCoverage:
    """The risk-coverage curve (Geifman and El-Yaniv, 2017, https://arxiv.org/abs/1705.08500).

    Images of equal confidence are answered together, so the curve has one point a distinct value.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked, right = confidence[order], correct[order].cumsum()
    answered = np.arange(1, len(ranked) + 1)
    last = np.append(ranked[1:] != ranked[:-1], True)
    accuracy = right / answered
    steps = np.diff(answered[last], prepend=0)
    area = float(((1 - accuracy[last]) * steps).sum() / len(ranked))
    return RiskCoverage(
        tuple(ranked[last].tolist()),
        tuple((answered[last] / len(ranked)).tolist()),
        tuple(accuracy[last].tolist()),
        area,
    )


def thinned(curve: RiskCoverage, points: int = CURVE_POINTS) -> dict[str, object]:
    """At most `points` points of a curve, evenly spread, both ends kept, fit for JSON."""
    count = len(curve.coverage)
    chosen = np.unique(np.linspace(0, count - 1, min(points, count)).round().astype(int))

    def taken(values: Sequence[float]) -> list[float]:
        return [values[i] for i in chosen]

    return asdict(
        RiskCoverage(
            tuple(taken(curve.threshold)),
            tuple(taken(curve.coverage)),
            tuple(taken(curve.accuracy)),
            curve.area,
        )
    )


def unclear_threshold(
    confidence: NDArray[np.float64],
    correct: NDArray[np.bool_],
    most_wrong: float = MOST_WRONG,
    least_coverage: float = LEAST_COVERAGE,
) -> float:
    """Confidence below which an answer is called unclear.

    The smallest one at which the share of wrong answers is at most `most_wrong`, and at most half
    of what it is over all faces; where that would answer fewer than `least_coverage` of all faces,
    the highest one that still answers so many.

    Returns:
        0 where no face is wrong.
    """
    if correct.all():
        return 0.0
    target = 1.0 - min(most_wrong, MOST_LEFT * (1.0 - float(correct.mean())))
    # Rounded down, so that the face which gives the threshold is itself answered.
    digits = 10.0**DIGITS
    floors = np.floor(confidence * digits) / digits
    curve = risk_coverage(floors, correct)
    usable = np.asarray(curve.coverage) >= least_coverage
    reached = usable & (np.asarray(curve.accuracy) >= target - 1e-9)
    chosen = np.flatnonzero(reached)[-1] if reached.any() else np.flatnonzero(usable)[0]
    return float(curve.threshold[int(chosen)])
