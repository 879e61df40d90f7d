"""Figures against values computed by hand."""

import numpy as np
import pytest
from grey_faces import answers

from core.errors import DataError
from core.evaluation.classification_metrics import metrics

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
