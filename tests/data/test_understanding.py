"""What names mean, as the user says it, and the table of what was understood."""

from pathlib import Path

import pytest
from made_pictures import blobs, png, write_folder

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
