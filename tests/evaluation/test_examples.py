"""The images behind figures come in the right order."""

from pathlib import Path

import pytest
from grey_faces import answers, rows_of, write_dataset

from core.evaluation import Album, Predictions, cell, confident_mistakes, confusion, most_uncertain

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


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path))
    return tmp_path


def test_rows_get_their_own_picture(data: Path) -> None:
    write_dataset(data / "set", rows_of("raf_db", "test", "test", [(0, 1), (1, 3), (2, 5)]), "h")
    table = answers([0, 0], [[1, 0, 0], [1, 0, 0]], pixel_hash=[f"{2:032x}", f"{0:032x}"]).table

    first, second = Album(["raf_db"]).pictures(table)
    assert len(set(Album(["raf_db"]).names(table))) == 2

    assert first is not None
    assert second is not None
    assert (first == 5 * 40).all()
    assert (second == 1 * 40).all()
    assert first.shape == (64, 64)


def test_a_picture_of_another_source_is_not_shown(data: Path) -> None:
    write_dataset(data / "set", rows_of("raf_db", "test", "test", [(0, 1)]), "h")
    table = answers([0], [[1, 0, 0]], pixel_hash=[f"{0:032x}"], source="fer2013").table

    assert Album(["raf_db", "fer2013"]).pictures(table) == [None]
    assert Album(["raf_db", "fer2013"]).names(table) == [""]


def test_a_damaged_folder_is_passed_over(data: Path) -> None:
    rows = rows_of("raf_db", "test", "test", [(0, 1)])
    write_dataset(data / "a", rows, "h")
    (data / "a" / "manifest.csv").unlink()
    write_dataset(data / "b", rows, "h")

    assert len(Album(["raf_db"])) == 1


def test_without_data_nothing_is_found(data: Path) -> None:
    assert Album(["raf_db"]).pictures(answers([0], [[1, 0, 0]]).table) == [None]
