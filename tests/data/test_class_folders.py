"""Folders of one's own: which folder is the class, which the split, and what is asked."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from made_pictures import blobs, png, write_folder

from core.data import NameMap, prepare, understand
from core.data.listing import Listed, list_sources
from core.data.name_map import read_class, read_split
from core.errors import DataError


def make(root: Path, folders: Sequence[str]) -> Path:
    """A picture in every folder."""
    for number, folder in enumerate(folders):
        write_folder(root, {f"{folder}/{number}.png": png(blobs(number))})
    return root


def read(listed: Listed) -> dict[str, tuple[str, str]]:
    """(split, label) by folder."""
    return {item.reference.rpartition("/")[0]: (item.split, item.label) for item in listed.items}


@pytest.mark.parametrize(
    ("name", "label", "doubt"),
    [
        ("Happy", "happiness", ""),
        ("3_happy", "happiness", ""),
        ("AngryFaces", "anger", ""),
        ("train-sad (1)", "sadness", ""),
        ("hapiness", "happiness", "near"),
        ("suprise", "surprise", "near"),
        ("anrgy", "anger", "near"),
        ("nuetral", "neutral", "near"),
        ("dis gust", "disgust", "near"),
        ("07", "7", "number"),
        ("class_3", "3", "number"),
        ("unhappy", "", "unknown"),
        ("not_happy", "", "unknown"),
        ("angel", "", "unknown"),
        ("natural", "", "unknown"),
        ("happily_surprised", "", "unknown"),
        ("2021", "", "unknown"),
        ("part 2", "", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_a_name_is_read_as_a_class(name: str, label: str, doubt: str) -> None:
    meaning = read_class(name)

    assert (meaning.value, meaning.doubt) == (label, doubt)


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", ["train", "Train_Set", "training", "TrainSet", "train2017", "01-train", "trn"]),
        ("valid", ["val", "val_set", "validation", "dev", "DevSet", "development", "valid images"]),
        ("test", ["test", "test_set", "Testing", "eval", "hold-out", "PublicTest", "test_happy"]),
        ("", ["archive", "images", "train_test", "text", "happy", "fold1"]),
    ],
)
def test_a_name_is_read_as_a_split(split: str, names: list[str]) -> None:
    found = {name: read_split(name).value for name in names}

    assert found == dict.fromkeys(names, split)
    assert all(not read_split(name).doubt for name in names if split)


@pytest.mark.parametrize(
    "form",
    [
        "{split}/{label}",
        "{label}/{split}",
        "my data/{split}/images/{label}",
        "{split}/{label}/anna",
        "{split}/person 07/{label}",
        "{label}/{split}/03",
        "{split}_{label}",
        "test of june/{split}/{label}",
        "faces_{split}/all/{label}",
    ],
)
def test_splits_above_classes_or_below_them_are_read(tmp_path: Path, form: str) -> None:
    folders = {
        form.format(split=split, label=label): (split, label)
        for split in ("train", "valid", "test")
        for label in ("anger", "fear")
    }

    (listed,) = list_sources([make(tmp_path / "own", list(folders))], "six")

    assert read(listed) == folders
    assert listed.understood.questions == ()


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train", "eval"), ("train", "test")),
        (("train", "eval", "test"), ("train", "valid", "test")),
        (("train", "val", "eval"), ("train", "valid", "test")),
        (("fer_train", "fer_test"), ("train", "test")),
        (("tranning", "vaild", "tets"), ("train", "valid", "test")),
        (("test_shots",), ("train",)),
        (("anna", "berta"), ("train", "train")),
    ],
)
def test_a_split_is_read_with_its_neighbours(
    tmp_path: Path, names: tuple[str, ...], splits: tuple[str, ...]
) -> None:
    path = make(tmp_path / "own", [f"{name}/sad" for name in names])

    (listed,) = list_sources([path], "six")

    assert [read(listed)[f"{name}/sad"][0] for name in names] == list(splits)
    assert listed.understood.questions == ()


def test_slips_in_names_are_taken_and_told(tmp_path: Path) -> None:
    path = make(tmp_path / "own", ["train/hapiness", "train/sad"])

    (one,) = understand([path])

    assert [(row.word, row.label, row.near) for row in one.rows] == [
        ("hapiness", "happiness", True),
        ("sad", "sadness", False),
    ]
    assert one.remarks() == [
        "'hapiness' was read as happiness; --map hapiness=CLASS says otherwise."
    ]


@pytest.mark.parametrize("form", ["train/{}", "{}/test", "class_{}", "images/0{}"])
def test_bare_numbers_are_asked(tmp_path: Path, form: str) -> None:
    path = make(tmp_path / "own", [form.format(number) for number in range(1, 7)])

    (one,) = understand([path])

    assert {(row.label, row.count) for row in one.rows} == {("?", 1)}
    with pytest.raises(DataError, match=r"own gives its classes as numbers .*--map .*raf_db=PATH"):
        prepare([path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_numbers_are_read_as_the_user_says(tmp_path: Path) -> None:
    path = make(tmp_path / "own", [f"train/{number}" for number in range(3)])

    (fer,) = list_sources([f"fer2013={path}"], "six")
    (raf,) = list_sources([f"raf_db={path}"], "six")
    (own,) = list_sources([path], "six", names=NameMap.parse(["0=sad", "1=fear", "2=skip"]))

    assert [label for _, label in read(fer).values()] == ["anger", "disgust", "fear"]
    assert len(raf.understood.questions) == 1  # RAF-DB has no 0
    assert read(own) == {"train/0": ("train", "sadness"), "train/1": ("train", "fear")}
    assert own.understood.questions == ()


def test_numbers_beside_names_are_no_classes(tmp_path: Path) -> None:
    path = make(tmp_path / "own", ["happy/1", "sad/2", "3/fear", "7"])

    (listed,) = list_sources([path], "six")

    assert {label for _, label in read(listed).values()} == {"happiness", "sadness", "fear"}
    assert [skip.path for skip in listed.skips] == ["7/3.png"]


@pytest.mark.parametrize("extra", ["archive/sad", "sad", "train_test/sad"])
def test_pictures_beside_the_splits_are_asked(tmp_path: Path, extra: str) -> None:
    path = make(tmp_path / "own", ["train/happy", "test/happy", extra])
    word = extra.rpartition("/")[0] or "."

    with pytest.raises(DataError, match=rf"own has pictures .*{word}.*--split-map {word}=train"):
        prepare([path], tmp_path / "out")
    (listed,) = list_sources([path], "six", names=NameMap.parse([], [f"{word}=valid"]))

    assert read(listed)[extra] == ("valid", "sadness")


def test_a_picture_under_two_classes_is_left_out_and_told(tmp_path: Path) -> None:
    path = make(tmp_path / "own", ["happy/angry", "sad"])

    (one,) = understand([path])

    assert (one.taken, one.left_out) == (1, 1)
    assert one.rows[-1].note == "its folders name several classes, anger and happiness"
    assert one.rows[-1].example == "happy/angry/0.png"


def test_unknown_classes_stand_where_the_known_ones_do(tmp_path: Path) -> None:
    path = make(tmp_path / "own", ["train/happy/anna", "train/bored/berta", "train/sad/carla"])

    (one,) = understand([path])

    assert [row.word for row in one.rows if row.unknown] == ["bored"]


def test_a_file_that_a_link_shows_twice_is_taken_once(tmp_path: Path) -> None:
    path = make(tmp_path / "own", ["train/happy", "archive/happy", "archive/sad"])
    (path / "test").symlink_to(path / "archive", target_is_directory=True)
    (path / "train" / "joyful").symlink_to(path / "train" / "happy", target_is_directory=True)

    (listed,) = list_sources([path], "six")

    assert read(listed) == {
        "train/happy": ("train", "happiness"),
        "test/happy": ("test", "happiness"),
        "test/sad": ("test", "sadness"),
    }
    assert {skip.path: skip.reason for skip in listed.skips} == {
        "archive/happy/1.png": "the same file as test/happy/1.png, by a link",
        "archive/sad/2.png": "the same file as test/sad/2.png, by a link",
        "train/joyful/0.png": "the same file as train/happy/0.png, by a link",
    }
