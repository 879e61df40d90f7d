"""Labels in files that are not read."""

from pathlib import Path

import pytest
from made_pictures import blobs, png, write_folder

from core.data.listing import list_sources
from core.errors import DataError

FLAT = {f"images/{n:04}.jpg": png(blobs(n)) for n in range(3)}


def refused(*sources: Path | str) -> str:
    with pytest.raises(DataError) as error:
        list_sources(sources, "six")
    return str(error.value)


@pytest.mark.parametrize("note", ["annotations.json", "labels/0001.xml"])
def test_labels_that_are_not_read_are_named_instead_of_a_class_for_every_picture(
    tmp_path: Path, note: str
) -> None:
    said = refused(write_folder(tmp_path / "coco", {**FLAT, note: b"{}"}))

    assert (
        f"no name stands for a class here (images). {note} is not read; write it as labels.csv "
        "with the columns path and label, or put the pictures into class folders named"
    ) in said
    assert "--map" not in said


def test_labels_that_are_not_read_are_named_beside_pictures_in_no_folder(tmp_path: Path) -> None:
    flat = {f"{n}.jpg": png(blobs(n)) for n in range(3)}

    said = refused(write_folder(tmp_path / "voc", {**flat, "0.xml": b"<x/>", "1.xml": b"<x/>"}))

    assert "0.xml and 1 more files are not read; write them as labels.csv with the columns" in said


def test_one_folder_of_every_picture_is_no_class(tmp_path: Path) -> None:
    said = refused(write_folder(tmp_path / "own", FLAT))

    assert "--map" not in said
    assert "Put the pictures into class folders named" in said
    assert "or put a table beside them, labels.csv with the columns path and label" in said
