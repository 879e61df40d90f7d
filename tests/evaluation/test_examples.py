"""The images behind figures come in the right order."""

from grey_faces import answers

from core.evaluation import Predictions, cell, confident_mistakes, confusion, most_uncertain

FOUND = answers(
    [0, 0, 1, 2, 0],
    [[0.8, 0.2, 0.0], [0.3, 0.6, 0.1], [0.9, 0.05, 0.05], [0.3, 0.3, 0.4], [0.1, 0.7, 0.2]],
)


def hashes(predictions: Predictions) -> list[int]:
    return [int(text, 16) for text in predictions.table["path_hash"]]


def test_a_cell_lists_its_images_surest_first() -> None:
    assert hashes(cell(FOUND, "happiness", "surprise")) == [4, 1]
    assert hashes(cell(FOUND, "sadness", "surprise")) == []


def test_cells_hold_as_many_images_as_the_matrix_says() -> None:
    counts = confusion(FOUND)

    for i, true in enumerate(FOUND.labels):
        for j, predicted in enumerate(FOUND.labels):
            assert len(cell(FOUND, true, predicted)) == counts[i, j]


def test_mistakes_come_surest_first() -> None:
    assert hashes(confident_mistakes(FOUND, 2)) == [2, 4]


def test_uncertain_answers_come_by_the_smallest_lead() -> None:
    # leads: 0.6, 0.3, 0.85, 0.1, 0.5
    assert hashes(most_uncertain(FOUND, 3)) == [3, 1, 4]
