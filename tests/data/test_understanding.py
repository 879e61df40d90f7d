"""What names mean, as the user says it, and the table of what was understood."""

from pathlib import Path

import pytest
from made_pictures import blobs, damage, png, write_folder, write_zip

from core.data import NameMap, demo, prepare, understand
from core.errors import DataError

PICTURE = png(blobs(1))


def files(*names: str) -> dict[str, bytes]:
    return {name: png(blobs(number)) for number, name in enumerate(names)}


def test_pairs_are_read_whatever_their_case() -> None:
    names = NameMap.parse(["1=angry", " Wut = anger", "misc=skip"], ["Archive=train"])

    assert [names.label(word) for word in ("1", "wut", "MISC", "2")] == [
        "anger",
        "anger",
        "skip",
        None,
    ]
    assert names.split("archive") == "train"
    assert names.split("test") is None


@pytest.mark.parametrize(
    ("classes", "splits", "text"),
    [
        (["1"], [], "--map '1' is no pair"),
        (["1=cheese"], [], "a meaning is happiness, .* neutral or skip"),
        ([], ["a=holiday"], "--split-map 'a=holiday' is no pair .* train, valid, test or skip"),
        (["1=fear", "1=anger"], [], "--map gives '1' two meanings, fear and anger"),
    ],
)
def test_pairs_that_mean_nothing_are_refused(
    classes: list[str], splits: list[str], text: str
) -> None:
    with pytest.raises(DataError, match=text):
        NameMap.parse(classes, splits)


def test_every_file_is_counted_in_one_row(tmp_path: Path) -> None:
    own = files("train/happy/1.png", "train/happy/2.png", "train/neutral/3.png", "test/odd/4.png")
    path = write_folder(
        tmp_path / "own", {**own, "a.txt": b"x", "b.txt": b"x", "test/sad/5.png": PICTURE}
    )

    (one,) = understand([path])

    cells = [tuple(row.cells().values())[:4] for row in one.rows]
    assert cells == [
        ("sad", "sadness", "1", "test"),
        ("happy", "happiness", "2", "train"),
        ("neutral", "left out", "1", "train"),
        ("odd", "left out", "1", "test"),
        ("-", "left out", "2", "-"),
    ]
    assert (one.name, one.source, one.taken, one.left_out) == ("own", "folder", 3, 4)
    assert one.table()[-1]["note"] == "not a picture: a.txt and others"
    assert one.rows[2].note == "not in the class set six; --class-set seven takes it"
    assert one.remarks() == [
        "Left out, because these names stand for no class known here: 'odd' (1). "
        "--map odd=CLASS takes one in, --map odd=skip says that it is meant."
    ]


def test_what_the_user_says_is_done_and_kept(tmp_path: Path) -> None:
    own = files("train/happy/1.png", "train/odd/2.png", "train/misc/3.png", "test/sad/4.png")
    path = write_folder(tmp_path / "own", own)
    names = NameMap.parse(["odd=fear", "misc=skip"], ["test=valid"])
    before = len(prepare([path], tmp_path / "out").manifest)

    dataset = prepare([path], tmp_path / "out", names=names)

    assert before == 2
    found = dataset.manifest[["label", "split"]].to_numpy().tolist()
    assert found == [["sadness", "valid"], ["happiness", "train"], ["fear", "train"]]
    assert dataset.info["skipped_by_reason"] == {"left out as --map misc=skip says": 1}
    assert NameMap.parse(*dataset.info["names"]) == names


def test_one_group_of_all_pictures_is_said_and_not_heeded(tmp_path: Path) -> None:
    rows = ["path,label,split,group", "1.png,anger,train,a", "2.png,fear,test,a"]
    own = {**files("1.png", "2.png"), "list.csv": "\n".join(rows).encode()}
    path = write_folder(tmp_path / "own", own)

    (one,) = understand([path])
    dataset = prepare([path], tmp_path / "out")

    assert one.remarks() == [
        "All 2 pictures are of one group, 'a'. A group stays in one part, so that there would be "
        "but one: it is not heeded."
    ]
    assert "subject" not in dataset.manifest
    assert set(dataset.split("clean")["reason"]) == {""}


def test_a_pair_that_applies_to_nothing_is_refused(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "own", files("train/happy/1.png"))

    with pytest.raises(DataError, match=r"--map 9=anger applies to nothing.* found are happy"):
        understand([path], names=NameMap.parse(["9=anger"]))


def test_understanding_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "COUNTS", {"train": 1})
    path = write_folder(tmp_path / "own", files("train/happy/1.png"))
    before = sorted(tmp_path.rglob("*"))

    drawn, _ = understand([path, "demo"])

    assert drawn.taken == 6

    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", ["", "folder="])
@pytest.mark.parametrize(
    ("roots", "splits"),
    [
        (("train", "test"), ["train", "test"]),
        (("faces_train", "faces-valid"), ["train", "valid"]),
        (("faces", "test"), ["train", "test"]),
        (("test",), ["train"]),  # all that there is
        (("faces", "drawn_test"), ["train", "train"]),  # may be a trial
    ],
)
def test_sources_named_after_splits_are_these_splits(
    tmp_path: Path, roots: tuple[str, ...], splits: list[str], kind: str
) -> None:
    for number, root in enumerate(roots):
        own = {"happy/1.png": png(blobs(number)), "sad/2.png": png(blobs(9))}
        write_folder(tmp_path / root, own)

    found = understand([f"{kind}{tmp_path / root}" for root in roots])

    read = {one.name: {row.split for row in one.rows} for one in found}
    assert read == {root: {split} for root, split in zip(roots, splits, strict=True)}


def test_what_lies_in_a_source_says_more_of_its_split_than_its_name(tmp_path: Path) -> None:
    write_folder(tmp_path / "test", files("train/happy/1.png", "test/happy/2.png"))
    write_folder(tmp_path / "train", files("happy/1.png") | {"t.csv": b"path,label\n1.png,happy\n"})
    roots = [tmp_path / "test", tmp_path / "train"]

    (inner, _) = understand(roots)
    (turned, _) = understand(roots, names=NameMap.parse(splits=["train=test"]))

    assert [(row.split, row.split_word) for row in inner.rows] == [
        ("test", "test"), ("train", "train"),
    ]  # fmt: skip
    assert {row.split for row in turned.rows} == {"test"}


@pytest.mark.parametrize("more", [{}, {"labels.csv": b"path,label\nhappy/1.png,happy\n"}])
def test_a_damaged_table_beside_class_folders_is_left_out_and_told(
    tmp_path: Path, more: dict[str, bytes]
) -> None:
    own = files("happy/1.png", "sad/2.png") | {"notes.csv": b"hello,world\n1,2\n"} | more

    (one,) = understand([damage(write_zip(tmp_path / "own.zip", own), "notes.csv")])

    assert (one.taken, one.left_out) == (2, 1 + len(more))
    assert one.rows[-1].note.startswith("notes.csv cannot be read: Bad CRC-32")


def test_affectnets_folders_count_and_its_table_is_told_to_differ(tmp_path: Path) -> None:
    own = files("anger/image0000006.jpg", "happy/image0000007.jpg")
    own["labels.csv"] = (
        b",pth,label\n0,anger/image0000006.jpg,surprise\n1,happy/image0000007.jpg,happy\n"
    )

    (one,) = understand([write_folder(tmp_path / "own", own)])

    assert [(row.word, row.label, row.note) for row in one.rows] == [
        ("anger", "anger", ""),
        ("happy", "happiness", ""),
        ("", "", "the folders count; it gives 1 another label"),
    ]


@pytest.mark.parametrize(("shift", "against"), [(0, 0), (1, 4)])
def test_raf_dbs_own_tables_are_told_where_they_contradict_its_folders(
    tmp_path: Path, shift: int, against: int
) -> None:
    faces = {}
    for split in ("train", "test"):
        rows = ["image,label"]
        for number in range(1, 4):
            picture = f"{split}_{number:05}_aligned.jpg"
            faces[f"DATASET/{split}/{number}/{picture}"] = png(blobs(number))
            if (split, number) != ("test", 1):  # as in a part of the set, rows are more or fewer
                rows.append(f"{picture},{number + (shift if number < 3 or split == 'test' else 0)}")
        rows.append(f"{split}_09999_aligned.jpg,1")
        faces[f"{split}_labels.csv"] = "\n".join(rows).encode()

    (one,) = understand([write_zip(tmp_path / "raf.zip", faces)])

    told = [row.note for row in one.rows if not row.split]
    assert (one.source, one.taken) == ("raf_db", 6)
    said = f"the folders count; 2 tables give {against} another label"
    assert told == ([said] if against else [])


RAF_DB = tuple(f"DATASET/train/{n}/train_{n:05}_aligned.jpg" for n in (1, 2))


@pytest.mark.parametrize(
    ("name", "table", "asked"),
    [
        ("corrected.csv", "image,label\n{0},fear\n{1},fear\n", "1 pictures.* surprise by its fold"),
        ("corrected.csv", "image,label\n{0},2\n{1},2\n", "disagree on 1 pictures"),
        ("train_labels.csv", "image,label\n{0},2\n{1},fear\n", "disagree on 1 pictures"),
        ("train_labels.csv", "image,label,subject\n{0},1,S1\n{1},2,S1\n", "the group of 2 pict"),
        ("subjects.csv", "image,label,person\n{0},1,S1\n{1},2,S1\n", "the group of 2 pictures"),
        ("light.csv", "image,label,stratum\n{0},surprise,dark\n", "the stratum of 1 pictures"),
        ("parts.csv", "image,label,split\n{2},surprise,test\n{3},fear,train\n", "is train by its"),
    ],
)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside its own"])
def test_any_table_but_raf_dbs_own_is_asked_about_beside_its_folders(
    tmp_path: Path, name: str, table: str, asked: str, beside: bool
) -> None:
    own = files(*RAF_DB)
    pictures = [one.rpartition("/")[2] for one in RAF_DB]
    if beside:
        plain = "image,label\n" + "".join(f"{one},{n}\n" for n, one in enumerate(pictures, 1))
        own["train_labels.csv"] = plain.encode()
    own[f"more/{name}"] = table.format(*pictures, *RAF_DB).encode()
    path = write_folder(tmp_path / "raf", own)

    with pytest.raises(DataError, match=f"^raf: .*{asked}.*raf_db=PATH"):
        understand([path])
    assert understand([f"raf_db={path}"])[0].taken == 2


def test_folders_of_any_form_beside_a_table_that_says_otherwise_are_refused(tmp_path: Path) -> None:
    own = files("train/angry/im1.png", "train/happy/im2.png")
    own["labels.csv"] = b"path,label\ntrain/angry/im1.png,sad\ntrain/happy/im2.png,happy\n"
    path = write_folder(tmp_path / "own", own)

    with pytest.raises(DataError, match=r"disagree on 1 pictures.* as fer2013=PATH or table=PATH"):
        understand([path])
    assert understand([f"fer2013={path}"])[0].taken == 2


def test_a_name_and_a_folder_of_two_classes_leave_a_picture_out(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path / "own", files("happiness/a_anger.jpg", "happiness/b_happiness.jpg")
    )

    (one,) = understand([path])

    assert (one.source, one.taken) == ("paper", 1)
    assert one.rows[-1].note == "its name says anger, its folder happiness"


def test_a_late_row_of_two_labels_is_left_out(tmp_path: Path) -> None:
    rows = [f"{name},1,0,0" for name in range(201)] + ["201,0,1,1"]
    own = files(*(f"{name}.png" for name in range(202)))
    own["labels.csv"] = "\n".join(["id,anger,happiness,sadness", *rows]).encode()

    (one,) = understand([write_folder(tmp_path / "own", own)])

    assert one.taken == 201
    assert one.rows[-1].note == "labels.csv gives it several labels, happiness and sadness"


def test_a_table_without_splits_says_nothing_against_those_of_a_list(tmp_path: Path) -> None:
    own = files("Image/aligned/train_00001_aligned.jpg", "Image/aligned/test_0001_aligned.jpg")
    own["EmoLabel/list.txt"] = b"train_00001.jpg 4\ntest_0001.jpg 5\n"
    own["more.csv"] = b"image,emotion\ntrain_00001_aligned.jpg,happy\ntest_0001_aligned.jpg,sad\n"
    other = write_folder(tmp_path / "faces_train", files("happy/1.png"))

    found = understand([write_folder(tmp_path / "raf_test", own), other])

    splits = {one.source: {row.split for row in one.rows if row.split} for one in found}
    assert splits == {"raf_db": {"train", "test"}, "folder": {"train"}}


def test_what_the_user_says_of_a_name_is_meant_of_folders_and_table(tmp_path: Path) -> None:
    own = files("eval/happy/1.png", "train/happy/2.png")
    own["t.csv"] = b"path,label,split\neval/happy/1.png,happy,eval\ntrain/happy/2.png,happy,train\n"
    path = write_folder(tmp_path / "own", own)

    (one,) = understand([path], names=NameMap.parse(splits=["eval=valid"]))

    assert {row.split for row in one.rows if row.split} == {"valid", "train"}
