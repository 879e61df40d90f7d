import numpy as np

from core.video.smoothing import NeutralBaseline

REST = np.array([1.0, 0.0, 2.0, 3.0, 0.0, 0.0])


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
