"""Figures with a known answer, and their intervals."""

import numpy as np
import pytest
from grey_faces import answers

from core.errors import DataError
from core.evaluation.bootstrap import accuracy_interval, interval
from core.evaluation.classification_metrics import intervals, metrics
from core.evaluation.predictions import Predictions

# three classes; true 0 0 0 1 1 2, predicted 0 0 1 1 1 0
TRUE = [0, 0, 0, 1, 1, 2]
PROBABILITIES = [
    [0.8, 0.1, 0.1],
    [0.6, 0.3, 0.1],
    [0.2, 0.7, 0.1],
    [0.1, 0.8, 0.1],
    [0.3, 0.4, 0.3],
    [0.5, 0.2, 0.3],
]


def test_overall_figures_are_those_worked_out_by_hand() -> None:
    found = metrics(answers(TRUE, PROBABILITIES))

    assert found["n"] == 6
    assert found["accuracy"] == pytest.approx(4 / 6)
    # F1: class 0: p 2/3, r 2/3; class 1: p 2/3, r 1, F1 4/5; class 2: 0
    assert found["macro_f1"] == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    likely = np.array([0.8, 0.6, 0.2, 0.8, 0.4, 0.3])
    assert found["nll"] == pytest.approx(-np.log(likely).mean())


def test_confusion_has_true_labels_in_rows_and_predicted_ones_in_columns() -> None:
    found = metrics(answers(TRUE, PROBABILITIES))

    assert found["confusion"] == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_confusion_agrees_with_support_and_accuracy() -> None:
    generator = np.random.default_rng(3)
    true = generator.integers(0, 3, 500).tolist()
    found = metrics(answers(true, generator.dirichlet([1, 1, 1], 500)))

    matrix = np.array(found["confusion"])

    support = [one["support"] for one in found["per_class"].values()]
    assert matrix.sum(axis=1).tolist() == support
    assert matrix.sum() == found["n"] == 500
    assert np.trace(matrix) / 500 == pytest.approx(found["accuracy"])


def test_per_class_figures_are_those_worked_out_by_hand() -> None:
    found = metrics(answers(TRUE, PROBABILITIES))["per_class"]

    assert found["surprise"] == {
        "precision": pytest.approx(2 / 3),
        "recall": 1.0,
        "f1": pytest.approx(4 / 5),
        "support": 2,
    }
    assert found["sadness"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


def test_a_class_that_never_occurs_does_not_pull_the_means_down() -> None:
    found = metrics(answers([0, 1], [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]))

    assert found["macro_f1"] == 1.0
    assert found["balanced_accuracy"] == 1.0
    assert found["per_class"]["sadness"]["support"] == 0


def test_no_predictions_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(DataError, match="Evaluate on data that has it"):
        metrics(answers([], np.empty((0, 3))))


def binary(n: int, right: int) -> Predictions:
    """`right` of n images answered rightly, with equal confidence."""
    probabilities = [[0.9, 0.1] if i < right else [0.1, 0.9] for i in range(n)]
    return answers([0] * n, probabilities, labels=("happiness", "fear"))


def test_the_interval_of_an_accuracy_has_the_width_of_the_binomial() -> None:
    found = binary(400, 320)
    low, high = intervals(found, metrics(found))["accuracy"]

    # standard error sqrt(0.8 * 0.2 / 400) = 0.02
    assert low == pytest.approx(0.8 - 1.96 * 0.02, abs=0.005)
    assert high == pytest.approx(0.8 + 1.96 * 0.02, abs=0.005)
    assert accuracy_interval(found.correct) == pytest.approx((low, high), abs=0.005)


@pytest.mark.parametrize(("right", "trials", "ends"), [(0, 3, (0.0, 0.5615)),
                         (3, 3, (0.4385, 1.0)), (8, 10, (0.4902, 0.9433))])  # fmt: skip
def test_an_accuracy_of_few_images_has_wilsons_interval(
    right: int, trials: int, ends: tuple[float, float]
) -> None:
    found = binary(trials, right)

    ranges = intervals(found, metrics(found))

    # R, binom::binom.wilson(8, 10): 0.4901625, 0.9433178; 0 of 3: 1.96^2 / (3 + 1.96^2)
    assert ranges["accuracy"] == pytest.approx(ends, abs=1e-4)
    assert accuracy_interval(found.correct) == pytest.approx(ends, abs=1e-4)


def test_no_interval_of_three_wrong_answers_is_a_point() -> None:
    found = answers([0, 1, 2], np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]) * 0.7 + 0.1)

    ranges = intervals(found, metrics(found))

    for name in ("accuracy", "macro_f1", "balanced_accuracy"):
        low, high = ranges[name]
        assert low == 0
        assert high > 0.5, name
    for one in ranges["per_class"].values():
        assert all(high > 0.5 for _, high in one.values())


def test_the_precision_of_a_class_that_is_rarely_answered_has_wilsons_interval() -> None:
    rare, common = [0.1, 0.8, 0.1], [0.8, 0.1, 0.1]
    found = answers([0] * 100 + [1] * 100, [common] * 100 + [rare] * 6 + [common] * 94)

    ranges = intervals(found, metrics(found))["per_class"]["surprise"]

    # 6 of 6: 6 / (6 + 1.96^2); 6 of 100 is drawn: about .06 +- 1.96 sqrt(.06 .94 / 100)
    assert ranges["precision"] == pytest.approx((0.6096, 1.0), abs=1e-3)
    assert ranges["recall"] == pytest.approx((0.013, 0.107), abs=0.02)


@pytest.mark.parametrize("n", [3, 20, 400])
def test_every_interval_contains_its_point(n: int) -> None:
    generator = np.random.default_rng(n)
    probabilities = generator.dirichlet([1.0, 1.0, 1.0], n)
    found = answers(generator.integers(0, 3, n).tolist(), probabilities)
    figures = metrics(found)

    ranges = intervals(found, figures)

    for name in ("accuracy", "macro_f1", "balanced_accuracy", "nll", "ece"):
        low, high = ranges[name]
        assert low <= figures[name] <= high, name
    for label, one in ranges["per_class"].items():
        for name, (low, high) in one.items():
            assert low <= figures["per_class"][label][name] <= high, (label, name)


def test_the_confusion_shortcut_equals_drawing_images() -> None:
    """Multinomial cells and drawn rows must give the same spread of macro-F1."""
    from sklearn.metrics import f1_score

    generator = np.random.default_rng(2)
    n = 150
    found = answers(generator.integers(0, 3, n).tolist(), generator.dirichlet([2, 1, 1], n))
    figures = metrics(found)
    rows = generator.integers(0, n, (300, n))
    drawn = np.array(
        [f1_score(found.true[one], found.predicted[one], average="macro") for one in rows]
    )

    low, high = intervals(found, figures)["macro_f1"]

    expected = interval(figures["macro_f1"], drawn)
    assert (low, high) == pytest.approx(expected, abs=0.02)


def test_the_interval_of_the_log_likelihood_is_that_of_a_mean() -> None:
    generator = np.random.default_rng(8)
    n = 600
    found = answers(generator.integers(0, 3, n).tolist(), generator.dirichlet([1, 1, 1], n))
    losses = -np.log(found.probabilities[np.arange(n), found.true])
    error = losses.std() / np.sqrt(n)

    low, high = intervals(found, metrics(found))["nll"]

    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_the_same_predictions_give_the_same_interval() -> None:
    found = binary(50, 30)

    assert intervals(found, metrics(found)) == intervals(found, metrics(found))


def test_a_class_without_images_has_no_interval() -> None:
    found = binary(50, 30)

    assert set(intervals(found, metrics(found))["per_class"]) == {"happiness"}
