"""Sources that are there twice, and labels in files that are not read."""

import shutil
from pathlib import Path

import pytest
from made_pictures import blobs, png, write_folder, write_zip

from core.data.listing import list_sources
from core.errors import DataError

FACES = {f"{label}/{n}.png": png(blobs(n)) for n, label in enumerate(("happy", "sad"))}
FLAT = {f"images/{n:04}.jpg": png(blobs(n)) for n in range(3)}


def refused(*sources: Path | str) -> str:
    with pytest.raises(DataError) as error:
        list_sources(sources, "six")
    return str(error.value)


def test_a_source_is_not_taken_twice_by_whatever_name(tmp_path: Path) -> None:
    faces = write_folder(tmp_path / "faces", FACES)
    (tmp_path / "link").symlink_to(faces)
    for again in (faces, f"folder={faces}", tmp_path / "link", faces / "happy" / ".."):
        assert "faces is named twice" in refused(faces, again)

    outer = write_folder(tmp_path / "outer", {f"part/{name}": one for name, one in FACES.items()})
    assert "part lies in the source outer" in refused(outer, outer / "part")
    assert "part lies in the source outer" in refused(outer / "part", outer)


def test_a_source_is_not_taken_twice_in_two_copies(tmp_path: Path) -> None:
    first = write_zip(tmp_path / "first.zip", FACES)
    second = Path(shutil.copy(first, tmp_path / "second.zip"))

    said = refused(first, second)

    assert "first.zip and second.zip" in said
    assert said.endswith("hold the same, and each picture would be in the set twice. Name only one "
                         "of the two.")  # fmt: skip


def test_a_zip_within_a_folder_is_a_source_beside_it(tmp_path: Path) -> None:
    faces = write_folder(tmp_path / "faces", FACES)
    inner = write_zip(faces / "more.zip", {"fear/1.png": png(blobs(9))})

    assert len(list_sources([faces, inner], "six")) == 2


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
