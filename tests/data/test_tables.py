"""Tables of pixels as contests, scripts and spreadsheets write them."""

import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_pictures import blobs, damage, pixels_cell, png, write_folder, write_zip

from core.data import listing, prepare, tables, understand
from core.data.containers import open_container
from core.data.listing import list_sources
from core.data.pictures import PictureReader, parse_pixels
from core.data.tables import form_of, named_rows, raw_rows
from core.errors import DataError, ImageError

CELL = pixels_cell(blobs(1, 48))


def lines(*rows: str, mark: str = ",", end: str = "\n") -> str:
    return "".join(row.replace(",", mark) + end for row in rows)


def listed(path: Path) -> set[tuple[str, str]]:
    """(split, label) of what a source lists."""
    (one,) = list_sources([path], "six")
    return {(item.split, item.label) for item in one.items}


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_table_is_read_whatever_spreadsheet_saved_it(
    tmp_path: Path, mark: str, encoding: str, end: str
) -> None:
    text = lines("emotion,pixels,Usage", f"3,{CELL},Training", f"0,{CELL},PublicTest", end=end)
    path = tmp_path / "faces.csv"
    path.write_bytes(text.replace(",", mark).encode(encoding))

    assert listed(path) == {("train", "happiness"), ("test", "anger")}
    picture, mode = PictureReader(open_container(path)).read("faces.csv#1")
    np.testing.assert_array_equal(picture[:, :, 0], blobs(1, 48)[:, :, 0])
    assert mode == "L"


@pytest.mark.parametrize("name", ["faces.tsv", "faces.TXT", "faces.tab"])
def test_tables_have_other_suffixes_too(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(lines("emotion,pixels", f"4,{CELL}", mark="\t"))

    assert listed(path) == {("train", "sadness")}


def test_excels_line_about_the_separator_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    path.write_text("sep=;\r\n" + lines('"emotion","pixels"', f'2,"{CELL}"', mark=";", end="\r\n"))

    assert listed(path) == {("train", "fear")}


def test_names_of_the_western_code_page_keep_their_letters(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes("Datei,Gefühl\nÄrger 1.jpg,Wut\n".encode("cp1252"))
    container = open_container(tmp_path)

    assert form_of(container, "list.csv").columns == ("datei", "gefühl")
    assert list(named_rows(container, "list.csv")) == [{"datei": "Ärger 1.jpg", "gefühl": "Wut"}]


def test_columns_may_have_any_order_and_case(tmp_path: Path) -> None:
    path = tmp_path / "icml.csv"
    path.write_text(lines("EMOTION, usage, Pixels", f"3,privatetest,{CELL}", f"1,TRAINING,{CELL}"))

    assert listed(path) == {("test", "happiness"), ("train", "disgust")}


def test_words_and_rounded_numbers_are_classes_too(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    path.write_text(lines("label,pixels,split", f"Happy,{CELL},val", f"5.0,{CELL},test"))

    assert listed(path) == {("valid", "happiness"), ("test", "surprise")}


def test_without_a_column_of_splits_the_name_of_the_table_says_it(tmp_path: Path) -> None:
    rows = lines("emotion,pixels", f"3,{CELL}")
    files = {name: rows.encode() for name in ("fer_train.csv", "fer_test.csv", "fer_val.csv")}

    assert listed(write_folder(tmp_path / "fer", files)) == {
        ("train", "happiness"),
        ("test", "happiness"),
        ("valid", "happiness"),
    }
    (tmp_path / "all.csv").write_text(rows)
    assert listed(tmp_path / "all.csv") == {("train", "happiness")}


def test_what_lies_beside_a_table_is_named(tmp_path: Path) -> None:
    whole = lines("emotion,pixels,Usage", f"3,{CELL},Training").encode()
    part = lines("emotion,pixels", f"3,{CELL}").encode()
    files = {"all.csv": whole, "train.csv": part, "face.png": b"x", "notes.md": b"x"}
    files["unlabelled.csv"] = lines("pixels", CELL).encode()

    (one,) = list_sources([write_folder(tmp_path / "fer", files)], "six")

    assert [item.reference for item in one.items] == ["all.csv#0"]
    reasons = {skip.path: skip.reason for skip in one.skips}
    assert set(reasons) == {"train.csv", "face.png", "notes.md", "unlabelled.csv"}
    assert reasons["unlabelled.csv"] == "a table of pixels without a column of labels"
    assert "another table of pixels beside all.csv" in reasons["train.csv"]
    assert "a picture beside all.csv" in reasons["face.png"]


def test_large_cells_are_read_out_of_a_zip(tmp_path: Path) -> None:
    table = lines("emotion,pixels,Usage", f"3,{pixels_cell(blobs(2, 256))},Training")
    path = write_zip(tmp_path / "faces.zip", {"faces.csv": table.encode()})

    dataset = prepare([path], tmp_path / "out")

    assert dataset.manifest[["width", "height"]].to_numpy().tolist() == [[256, 256]]


def test_a_split_that_nobody_knows_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    path.write_text(lines("emotion,pixels,Usage", f"3,{CELL},Holiday", f"3,{CELL},"))

    (one,) = understand([path])

    assert len(one.questions) == 1
    assert "Holiday" in one.questions[0]
    assert "(empty)" in one.questions[0]
    assert "--split-map" in one.questions[0]


def test_numbers_up_to_seven_are_not_fer2013s(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    path.write_text(lines("emotion,pixels", *(f"{number},{CELL}" for number in range(1, 8))))

    (one,) = understand([path])

    assert "numbers (1, 2, 3, 4, 5, 6, 7)" in one.questions[0]
    with pytest.raises(DataError, match="--map"):
        prepare([path], tmp_path / "out")


@pytest.mark.parametrize("text", ["[{}]", "({})"])
def test_lists_of_numbers_are_pixels(text: str) -> None:
    cell = text.format(", ".join(str(number) for number in range(64)))

    assert parse_pixels(cell)[7, 7].tolist() == [63, 63, 63]


@pytest.mark.parametrize("number", ["0.5", "nan", "300"])
def test_numbers_that_are_no_bytes_are_refused(number: str) -> None:
    with pytest.raises(ImageError, match="whole ones from 0 to 255"):
        parse_pixels(" ".join([number] * 64))


def test_a_table_without_names_of_columns_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    path.write_text(lines(f"3,{CELL},Training"))

    with pytest.raises(DataError, match=r"faces\.csv has pixels in its first line.*emotion,pixels"):
        list_sources([path], "six")


def test_a_spreadsheet_is_refused_by_its_name(tmp_path: Path) -> None:
    write_zip(tmp_path / "faces.xlsx", {"xl/workbook.xml": b"<workbook/>"})

    with pytest.raises(DataError, match=r"faces\.xlsx is a spreadsheet. Save it as CSV"):
        open_container(tmp_path / "faces.xlsx")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
@pytest.mark.parametrize(
    ("member", "text", "picture"),
    [
        ("fer2013.csv", lines("emotion,pixels", *[f"3,{CELL}"] * 9), ""),
        ("labels.csv", lines("path,label", *[f"{i}.png,happy" for i in range(9000)]), "0.png"),
        ("list.txt", lines(*[f"train_{i:05d}.jpg 4" for i in range(9000)]), "train_00000.jpg"),
        ("train_labels.csv", lines(*["1_anger.png,5"] * 9), "train/1_anger.png"),
    ],
    ids=["pixels", "paths", "raf_db", "paper"],
)
def test_a_damaged_table_in_a_zip_is_refused_in_words(
    tmp_path: Path, method: int, member: str, text: str, picture: str
) -> None:
    files = {member: text.encode()} | ({picture: png(blobs(1))} if picture else {})
    path = damage(write_zip(tmp_path / "faces.zip", files, method), member)

    with pytest.raises(
        DataError, match=rf"{member} cannot be read: .*\. Copy or download it again"
    ):
        list_sources([path], "six")


@pytest.mark.parametrize("text", [bytes(5000), b"x" * 5000, b'"' + b"x\n" * 2500, b'"x\n",' * 1500])
@pytest.mark.parametrize("begin", [b"", b"path,label\n", b"sep=,\n"])
def test_a_row_without_an_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, begin: bytes
) -> None:
    monkeypatch.setattr(tables, "ROW", 1000)
    path = tmp_path / "labels.csv"
    path.write_bytes(begin + text)

    with pytest.raises(DataError, match=r"labels\.csv has a row of more than 1,000 characters"):
        list(raw_rows(open_container(path), "labels.csv"))


def test_rows_of_pixels_may_be_longer_than_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROW", 1000)
    path = tmp_path / "faces.csv"
    path.write_text(lines("emotion,pixels", *[f"3,{CELL}"] * 3))

    assert len(list(raw_rows(open_container(path), "faces.csv"))) == 4
    monkeypatch.setattr(tables, "CELL", len(CELL) - 1)
    with pytest.raises(DataError, match=r"faces\.csv has a row of more than"):
        list(raw_rows(open_container(path), "faces.csv"))


def test_many_short_rows_are_no_long_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROW", 20)
    path = tmp_path / "labels.csv"
    path.write_text("path,label\n" + '"a\n",happy\n' * 100 + "\n" * 100 + ",\n" * 100)

    assert list(raw_rows(open_container(path), "labels.csv"))[1:] == [["a\n", "happy"]] * 100


def test_a_table_of_more_rows_than_any_set_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 100)
    path = tmp_path / "labels.csv"
    path.write_text("path,label\n" + "a.png,happy\n" * 99)
    assert len(list(raw_rows(open_container(path), "labels.csv"))) == 100

    path.write_text("path,label\n" + "a.png,happy\n" * 100)
    with pytest.raises(DataError, match=r"labels\.csv has more than 100 rows"):
        list(raw_rows(open_container(path), "labels.csv"))


def test_tables_that_name_more_than_any_set_has_are_refused_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = lines("path,label", "1.png,happy", *[f"no{i}.png,happy" for i in range(60)])
    files = {"1.png": png(blobs(1)), "a.csv": rows.encode(), "b.csv": rows.encode()}
    path = write_zip(tmp_path / "faces.zip", files, zipfile.ZIP_DEFLATED)
    (one,) = list_sources([path], "six")
    assert len(one.skips) == 120
    monkeypatch.setattr(listing, "MOST_ENTRIES", 100)

    with pytest.raises(DataError, match=r"faces\.zip lists more than 100 pictures and files"):
        list_sources([path], "six")


def test_a_bomb_beside_a_picture_is_passed_over(tmp_path: Path) -> None:
    files = {"happy/1.png": png(blobs(1)), "labels.csv": bytes(64 * 2**20)}
    path = write_zip(tmp_path / "faces.zip", files, zipfile.ZIP_DEFLATED)

    (one,) = list_sources([path], "six")

    assert [item.reference for item in one.items] == ["happy/1.png"]


def test_a_bomb_for_the_papers_own_tables_is_refused(tmp_path: Path) -> None:
    files = {"train/1_anger.png": png(blobs(1)), "train_labels.csv": bytes(64 * 2**20)}
    path = write_zip(tmp_path / "faces.zip", files, zipfile.ZIP_DEFLATED)

    tracemalloc.start()
    with pytest.raises(DataError, match=r"train_labels\.csv has a row of more than"):
        list_sources([path], "six")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 16 * 2**20


def test_numbers_from_one_are_asked_about_unless_they_are_the_contests(tmp_path: Path) -> None:
    own, contest = tmp_path / "own.csv", tmp_path / "contest.csv"
    own.write_text(lines("emotion,pixels", *(f"{number},{CELL}" for number in range(1, 7))))
    contest.write_text(lines("emotion,pixels,Usage", f"1,{CELL},Training", f"3,{CELL},PublicTest"))

    (asked,) = understand([own])
    assert {row.label for row in asked.rows} == {"?"}
    assert asked.questions[0].startswith("own.csv gives its classes as numbers (1, 2, 3, 4, 5, 6)")
    assert understand([f"fer2013={own}"])[0].questions == ()
    assert listed(contest) == {("train", "disgust"), ("test", "happiness")}
