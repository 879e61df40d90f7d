"""Sources that are there twice, and labels in files that are not read."""

import os
import shutil
import zipfile
from io import BytesIO
from pathlib import Path

import PIL.Image
import pytest
from made_pictures import blobs, pixels_cell, png, raf_db, write_folder, write_zip

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


PIXELS = f"emotion,pixels,Usage\n3,{pixels_cell(blobs(1, 48))},Training\n".encode()


def wrapped(files: dict[str, bytes], *folders: str) -> dict[str, bytes]:
    return {"/".join((*folders, name)): content for name, content in files.items()}


@pytest.mark.parametrize("times", [(None, (1, 1)), ((1, 1), (1, 1))])
def test_a_copy_of_a_folder_is_known_by_its_content_not_its_times(
    tmp_path: Path, times: tuple[tuple[int, int] | None, ...]
) -> None:
    roots = [write_folder(tmp_path / name, FACES) for name in ("faces", "copy")]
    for root, time in zip(roots, times, strict=True):
        for name in FACES if time else ():
            os.utime(root / name, time)

    assert "faces and copy" in refused(*roots)


@pytest.mark.parametrize("folders", [(), ("faces",), ("old", "faces")])
@pytest.mark.parametrize("more", [{}, {"notes.md": b"x"}])
def test_a_folder_and_its_zip_hold_the_same(
    tmp_path: Path, folders: tuple[str, ...], more: dict[str, bytes]
) -> None:
    faces = write_folder(tmp_path / "faces", FACES)
    packed = write_zip(tmp_path / "f.zip", wrapped(FACES, *folders) | more, zipfile.ZIP_DEFLATED)

    assert "faces and f.zip" in refused(faces, packed)
    assert "f.zip and faces" in refused(packed, faces)
    assert "g.zip and f.zip" in refused(write_zip(tmp_path / "g.zip", FACES), packed)


def test_a_table_of_pixels_and_its_copy_or_zip_hold_the_same(tmp_path: Path) -> None:
    table = write_folder(tmp_path, {"fer2013.csv": PIXELS, "other.csv": PIXELS}) / "fer2013.csv"

    assert "hold the same" in refused(table, tmp_path / "other.csv")
    packed = write_zip(tmp_path / "fer.zip", {"data/fer2013.csv": PIXELS})
    assert "hold the same" in refused(packed, table)


@pytest.mark.parametrize("place", ["tab/labels.csv", "tab/inner/labels.csv", "lists/labels.csv"])
def test_a_table_of_pictures_of_a_folder_is_no_source_beside_it(tmp_path: Path, place: str) -> None:
    tab = write_folder(tmp_path / "tab", wrapped(FACES, "inner") | {"fear/2.png": png(blobs(2))})
    rows = "".join(f"{tab}/inner/{name},{name.partition('/')[0]}\n" for name in FACES)
    table = write_folder(tmp_path, {place: f"path,label\n{rows}".encode()}) / place

    said = "labels.csv has pictures of the source tab, which would be in the set twice. Name only"
    assert said in refused(tab, table)
    assert said in refused(table, tab)


def test_a_folder_with_a_table_is_no_source_beside_the_table(tmp_path: Path) -> None:
    rows = b"path,label\nx/1.png,happy\nx/2.png,sad\n"
    files = {f"x/{n}.png": png(blobs(n)) for n in (1, 2)} | {"labels.csv": rows}
    tab = write_folder(tmp_path / "tab", files)

    assert "labels.csv has pictures of the source tab" in refused(tab, tab / "labels.csv")


def test_a_table_in_a_folder_whose_pictures_lie_elsewhere_is_a_source_beside_it(
    tmp_path: Path,
) -> None:
    faces = write_folder(tmp_path / "faces", FACES | {"fer2013.csv": PIXELS})

    assert len(list_sources([f"folder={faces}", faces / "fer2013.csv"], "six")) == 2


def test_other_pictures_of_equal_names_sizes_and_times_are_another_source(tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for seed, root in enumerate(roots):
        for name in ("happy/1.bmp", "sad/2.bmp"):
            buffer = BytesIO()
            PIL.Image.fromarray(blobs(seed if name == "sad/2.bmp" else 7)).save(buffer, "bmp")
            write_folder(root, {name: buffer.getvalue()})
            os.utime(root / name, (1e9, 1e9))
    inside = {str(one.relative_to(roots[0])): one.read_bytes() for one in roots[0].rglob("*.bmp")}
    packed = write_zip(tmp_path / "three.zip", inside)

    assert len(list_sources(roots, "six")) == 2
    assert len(list_sources([roots[1], packed], "six")) == 2


def test_a_second_archive_of_a_set_may_have_its_neutral_faces(tmp_path: Path) -> None:
    roots = [
        write_zip(tmp_path / name, raf_db({("train", number): seeds, ("test", number): [9]}))
        for name, number, seeds in (("raf.zip", "4", [1, 2]), ("neutral.zip", "7", [3, 4]))
    ]

    assert len(list_sources(roots, "seven")) == 2


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
