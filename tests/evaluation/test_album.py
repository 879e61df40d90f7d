"""Pictures are found again by their pixels, whatever folder holds them."""

from pathlib import Path

import pytest
from grey_faces import answers, rows_of, write_dataset

from core.evaluation import Album


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path))
    return tmp_path


def test_rows_get_their_own_picture(data: Path) -> None:
    write_dataset(data / "set", rows_of("raf_db", "test", "test", [(0, 1), (1, 3), (2, 5)]), "h")
    table = answers([0, 0], [[1, 0, 0], [1, 0, 0]], pixel_hash=[f"{2:032x}", f"{0:032x}"]).table

    first, second = Album(["raf_db"]).pictures(table)

    assert first is not None
    assert second is not None
    assert (first == 5 * 40).all()
    assert (second == 1 * 40).all()
    assert first.shape == (64, 64)


def test_a_picture_of_another_source_is_not_shown(data: Path) -> None:
    write_dataset(data / "set", rows_of("raf_db", "test", "test", [(0, 1)]), "h")
    table = answers([0], [[1, 0, 0]], pixel_hash=[f"{0:032x}"], source="fer2013").table

    assert Album(["raf_db", "fer2013"]).pictures(table) == [None]


def test_a_damaged_folder_is_passed_over(data: Path) -> None:
    rows = rows_of("raf_db", "test", "test", [(0, 1)])
    write_dataset(data / "a", rows, "h")
    (data / "a" / "manifest.csv").unlink()
    write_dataset(data / "b", rows, "h")

    assert len(Album(["raf_db"])) == 1


def test_without_data_nothing_is_found(data: Path) -> None:
    assert Album(["raf_db"]).pictures(answers([0], [[1, 0, 0]]).table) == [None]
