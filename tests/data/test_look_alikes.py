"""Folders and tables that look like others, or that one slip makes look like others."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from made_pictures import blobs, items, png, write_folder

from core.data import NameMap, prepare, understand
from core.data.listing import Listed, list_sources
from core.errors import DataError
from core.labels import EMOTIONS

PICTURE = png(blobs(1))


def read(path: Path | str, names: tuple[str, ...] = ()) -> Listed:
    (one,) = list_sources([path], "six", names=NameMap.parse(names))
    return one


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id,image,label", "{row},{name}.jpg,{word}"),
        (",image,label", "{row},{name}.jpg,{word}"),
        ("image,age,emotion", "{name}.jpg,{row},{word}"),
        ("image,emotion", "{name}.jpg,{word}"),
        ("", "{row},{name}.jpg,{word}"),
        ("number,image,emotion", "{row},{name},{word}"),
    ],
)
def test_a_missing_picture_makes_no_other_column_the_one_of_names(
    tmp_path: Path, header: str, row: str
) -> None:
    order = np.random.default_rng(0).permutation(60).tolist()
    words = {name: EMOTIONS[name % 6] for name in order}
    lines = [row.format(row=at, name=name, word=words[name]) for at, name in enumerate(order)]
    missing = order[30]
    files = {f"images/{name}.jpg": PICTURE for name in order if name != missing}
    table = "\n".join([header, *lines] if header else lines)

    one = read(write_folder(tmp_path / "own", {**files, "labels.csv": table.encode()}))

    assert items(one) == {
        f"images/{name}.jpg": ("train", words[name]) for name in order if name != missing
    }


def test_labels_that_are_numbers_are_no_names_of_pictures(tmp_path: Path) -> None:
    names = [name for name in range(1, 40) if name != 20]
    files = {f"{name}.jpg": PICTURE for name in names}
    table = "image,label\n" + "\n".join(f"{name}.jpg,{1 + name % 6}" for name in range(1, 40))
    path = write_folder(tmp_path / "own", {**files, "labels.csv": table.encode()})

    one = read(path, tuple(f"{at + 1}={label}" for at, label in enumerate(EMOTIONS)))

    assert items(one) == {f"{name}.jpg": ("train", EMOTIONS[name % 6]) for name in names}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id,filename,label", "{at},IMG_{at}.jpg,{word}"),
        ("id,image,label", "{at},http://example.org/{at}.jpg,{word}"),
        ("number,url,label", "{at},http://example.org/x{at}.jpg,{word}"),
        ("image,mask,label", "{at},m{at}.png,{word}"),
        ("image,mask,label", "{at}.jpg,m{at}.png,{word}"),
    ],
)
def test_another_column_of_picture_names_does_not_hide_the_one_that_names_these(
    tmp_path: Path, header: str, row: str
) -> None:
    names = range(100, 112)
    rows = [row.format(at=at, word=EMOTIONS[at % 6]) for at in names]
    files = {f"images/{at}.jpg": PICTURE for at in names}
    files |= {f"masks/m{at}.png": PICTURE for at in names if "mask" in header}
    table = "\n".join([header, *rows])

    one = read(write_folder(tmp_path / "own", {**files, "labels.csv": table.encode()}))

    assert items(one) == {f"images/{at}.jpg": ("train", EMOTIONS[at % 6]) for at in names}


def test_a_table_of_one_part_beside_class_folders_says_nothing_against_them(
    tmp_path: Path,
) -> None:
    for parts in ({"fer_train": "train", "fer_test": "test"},
                  {"train": "train", "test": "test", "eval": "valid"}):  # fmt: skip
        pictures = [f"{part}/{label}/1.jpg" for part in parts for label in ("anger", "fear")]
        listed = [one for one in pictures if one.startswith(list(parts)[-1])]
        table = "path,label\n" + "".join(f"{one},{one.split('/')[1]}\n" for one in listed)
        files = {**dict.fromkeys(pictures, PICTURE), "labels.csv": table.encode()}
        path = write_folder(tmp_path / "-".join(parts), files)

        assert {item.split for item in read(path).items} == set(parts.values())
        assert {item.split for item in read(f"table={path}").items} == {list(parts.values())[-1]}


def test_numbered_folders_are_asked_whatever_their_pictures_are_called(tmp_path: Path) -> None:
    numbered = {f"class_{at}/image{at:05d}.jpg": PICTURE for at in range(1, 8)}
    named = {f"{label}/image{at:05d}.jpg": PICTURE for at, label in enumerate(EMOTIONS)}

    (asked,) = understand([write_folder(tmp_path / "numbered", numbered)])
    (known,) = understand([write_folder(tmp_path / "named", named)])

    assert (asked.source, len(asked.questions)) == ("folder", 1)
    assert (known.source, known.questions) == ("affectnet", ())


@pytest.mark.parametrize("form", ["{split}/0_{label}.jpg", "{split}/{label}/0_{Label}.JPG"])
@pytest.mark.parametrize(("first", "second"), [("train", "test"), ("fer_train", "fer_test")])
def test_names_that_end_in_their_class_are_split_by_any_folder_above(
    tmp_path: Path, form: str, first: str, second: str
) -> None:
    places = {
        form.format(split=split, label=label, Label=label.title()): (meant, label)
        for split, meant in ((first, "train"), (second, "test"))
        for label in ("anger", "happiness")
    }

    one = read(write_folder(tmp_path / "own", dict.fromkeys(places, PICTURE)))

    assert one.source == "paper"
    assert items(one) == places


def test_folders_split_a_table_as_they_do_without_one(tmp_path: Path) -> None:
    pictures = ["fer_train/a.jpg", "fer_test/b.jpg", "fer_eval/c.jpg"]
    table = "path,label\n" + "".join(f"{one},happy\n" for one in pictures)
    files = {**dict.fromkeys(pictures, PICTURE), "labels.csv": table.encode()}

    one = read(write_folder(tmp_path / "own", files))

    assert one.source == "table"
    assert [items(one)[name][0] for name in pictures] == ["train", "test", "valid"]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("split", r"disagree on 2 pictures; anger/1\.jpg is train by its folder and test by"),
        ("subject", "names the group of 4 pictures"),
        ("stratum", "names the stratum of 4 pictures"),
    ],
)
def test_what_only_a_table_beside_class_folders_says_is_asked(
    tmp_path: Path, column: str, said: str
) -> None:
    words = {"split": ("train", "test"), "subject": ("S1", "S2"), "stratum": ("dark", "light")}
    rows = [
        f"{label}/{at}.jpg,{label},{words[column][at]}"
        for label in ("anger", "fear")
        for at in (0, 1)
    ]
    files = {row.partition(",")[0]: PICTURE for row in rows}
    table = "\n".join([f"path,label,{column}", *rows])
    path = write_folder(tmp_path / "own", {**files, "labels.csv": table.encode()})

    with pytest.raises(DataError, match=said):
        read(path)
    assert {item.split for item in read(f"folder={path}").items} == {"train"}
    (row,) = (item for item in read(f"table={path}").items if item.reference == "anger/1.jpg")
    assert words[column][1] in (row.split, row.group, row.stratum)


def test_an_accent_is_the_same_in_one_character_and_in_two(tmp_path: Path) -> None:
    apart, whole = (unicodedata.normalize(form, "Überraschung") for form in ("NFD", "NFC"))
    files = {f"{apart}/{apart}.jpg": PICTURE, "Wut/2.jpg": PICTURE}
    folders = read(write_folder(tmp_path / "folders", files), (f"{whole}=surprise", "Wut=anger"))
    table = f"path,label\n{whole}/{whole}.jpg,surprise\nWut/2.jpg,anger\n"
    path = write_folder(tmp_path / "table", {**files, "list.csv": table.encode()})

    for one in (folders, read(path)):
        assert items(one) == {
            f"{apart}/{apart}.jpg": ("train", "surprise"),
            "Wut/2.jpg": ("train", "anger"),
        }


def test_a_name_may_hold_what_parts_cells_or_lines(tmp_path: Path) -> None:
    names = ["Doe, J 0.jpg", "a;b.jpg", "x\ry.jpg"]
    files = {f"anger/{name}": PICTURE for name in names}
    table = "path,label\n" + "".join(f'"{name}",anger\n' for name in names[:2])
    folder = write_folder(tmp_path / "own", files)
    (folder / "anger" / "labels.csv").write_text(table)

    prepared = prepare([f"folder={folder}"], tmp_path / "out", workers=1)
    listed = read(folder / "anger" / "labels.csv")

    assert {path.rpartition("/")[2] for path in prepared.manifest["path"]} == set(names)
    assert prepared.manifest["label"].tolist() == ["anger"] * 3
    assert {item.reference for item in listed.items} == set(names[:2])
