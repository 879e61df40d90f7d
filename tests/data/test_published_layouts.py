"""Data sets as their authors give them: what is listed, and what is named as left out."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from made_pictures import blobs, items, png, reasons, video, write_folder, write_zip

from core.data import understand
from core.data.containers import open_container
from core.data.listing import Listed, list_sources
from core.data.pictures import PictureReader
from core.errors import DataError

PICTURE = png(blobs(1))


def read(folder: Path, files: dict[str, bytes], class_set: str = "six") -> Listed:
    (one,) = list_sources([write_folder(folder, files)], class_set)
    return one


# --- CK+ -----------------------------------------------------------------------------------------


def sequence(person: str, code: str = "", frames: int = 3) -> dict[str, bytes]:
    stem = f"{person}/002/{person}_002_"
    files = {f"cohn-kanade-images/{stem}{frame:08d}.png": PICTURE for frame in range(1, frames + 1)}
    if code:
        files[f"Emotion/{stem}{frames:08d}_emotion.txt"] = f"   {code}.0000000e+00\n".encode()
    return files


@pytest.mark.parametrize("write", [write_folder, write_zip], ids=["folder", "zip"])
def test_the_peak_of_a_labelled_sequence_is_taken(
    tmp_path: Path, write: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    files = sequence("S010", "3") | sequence("S011", "2") | sequence("S012")
    landmarks = "Landmarks/S010/002/S010_002_00000003_landmarks.txt"

    (one,) = list_sources([write(tmp_path / "ck.zip", files | {landmarks: b"1 2"})], "six")

    assert one.source == "ck_plus"
    peak = "cohn-kanade-images/S010/002/S010_002_00000003.png"
    assert items(one) == {peak: ("train", "disgust")}
    told = reasons(one)
    assert len(told) == 8
    assert "contempt" in told[peak.replace("S010", "S011")]
    assert "no emotion label" in told[peak.replace("S010", "S012")]
    assert "not the frame" in told[peak.replace("03.png", "02.png")]


def test_sequences_without_their_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Put the folder Emotion"):
        read(tmp_path / "ck", sequence("S010"))


def test_a_label_that_no_picture_has_is_named(tmp_path: Path) -> None:
    files = sequence("S010", "3") | {"Emotion/S999_001_00000009_emotion.txt": b"1.0"}

    told = reasons(read(tmp_path / "ck", files))

    assert told["Emotion/S999_001_00000009_emotion.txt"] == "its picture is missing"


# --- AffectNet -----------------------------------------------------------------------------------


def annotation(value: object) -> bytes:
    stream = BytesIO()
    np.save(stream, np.array(value))
    return stream.getvalue()


@pytest.mark.parametrize("kind", [str, int, float, lambda code: [code], lambda code: f"{code}."])
def test_an_annotation_is_a_number_however_it_is_stored(
    tmp_path: Path, kind: Callable[[int], object]
) -> None:
    files = {}
    for folder, code in (("train_set", 6), ("val_set", 3)):
        files[f"{folder}/images/17.jpg"] = PICTURE  # the same number in both
        files[f"{folder}/annotations/17_exp.npy"] = annotation(kind(code))
        files[f"{folder}/annotations/17_lnd.npy"] = annotation([0.5])

    one = read(tmp_path / "affect", files)

    assert one.source == "affectnet"
    assert items(one) == {
        "train_set/images/17.jpg": ("train", "anger"),
        "val_set/images/17.jpg": ("valid", "surprise"),
    }
    assert not one.skips


def test_what_has_no_usable_annotation_is_named(tmp_path: Path) -> None:
    files = {f"images/{number}.jpg": PICTURE for number in range(1, 6)}
    notes = {1: annotation("4"), 2: annotation("9"), 3: b"rubbish", 4: annotation("44")}
    files |= {f"annotations/{number}_exp.npy": note for number, note in notes.items()}
    files |= {"annotations/8_exp.npy": annotation("1"), "notes.md": b"x"}

    one = read(tmp_path / "affect", files)

    assert items(one) == {"images/1.jpg": ("train", "fear")}
    told = reasons(one)
    assert set(told) == {f"images/{number}.jpg" for number in (2, 3, 4, 5)} | {
        "annotations/8_exp.npy",
        "notes.md",
    }
    assert "uncertain" in told["images/2.jpg"]
    assert "cannot be read" in told["images/3.jpg"]
    assert "unknown label '44'" in told["images/4.jpg"]
    assert "no annotation" in told["images/5.jpg"]


def test_numbered_folders_of_affectnet_are_asked_and_its_name_settles_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "affect", {"0/image0000001.jpg": PICTURE})

    (asked,) = understand([folder])
    (named,) = list_sources([f"affectnet={folder}"], "seven")

    assert "0=neutral" in asked.questions[0]
    assert items(named) == {"0/image0000001.jpg": ("train", "neutral")}


# --- YOLO ----------------------------------------------------------------------------------------

NAMES = {
    "data.yaml": b"nc: 3\nnames: ['Anger', 'Happy', 'Other']\n",
    "set.yml": b"names:\n  0: Anger\n  1: Happy\n  2: Other\n",
    "x.yaml": b"names:\n- Anger\n- Happy\n- Other\n",
    "classes.txt": b"Anger\r\nHappy\r\nOther\r\n",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["{split}/{kind}/{name}", "{kind}/{split}/{name}"])
def test_numbers_of_label_files_have_the_names_of_the_set(
    tmp_path: Path, name: str, form: str
) -> None:
    files = {name: NAMES[name]}
    for number, split in enumerate(("train", "val", "test")):
        picture = form.format(split=split, kind="images", name=f"p{number}.jpg")
        note = form.format(split=split, kind="labels", name=f"p{number}.txt")
        files |= {picture: PICTURE, note: f"{number % 2} 0.5 0.5 0.9 0.9\n".encode()}

    one = read(tmp_path / "yolo", files)

    assert one.source == "yolo"
    assert sorted(items(one).values()) == [
        ("test", "anger"),
        ("train", "anger"),
        ("valid", "happiness"),
    ]
    assert not one.skips


def test_lists_say_the_split_of_pictures_in_one_folder(tmp_path: Path) -> None:
    files = {f"images/{name}.jpg": PICTURE for name in "ab"}
    files |= {f"labels/{name}.txt": b"1 0.5 0.5 1 1" for name in "ab"}
    files |= {
        "data.yaml": NAMES["data.yaml"] + b"train: ./train.txt\nval: val.txt\n",
        "train.txt": b"./images/a.jpg\n",
        "val.txt": b"./images/b.jpg\n",
    }

    one = read(tmp_path / "yolo", files)

    assert items(one) == {
        "images/a.jpg": ("train", "happiness"),
        "images/b.jpg": ("valid", "happiness"),
    }
    assert not one.skips


def test_lists_tell_pictures_of_one_name_apart(tmp_path: Path) -> None:
    files = {f"images/{name}/1.jpg": PICTURE for name in "abc"}
    files |= {f"labels/{name}/1.txt": b"1 0.5 0.5 1 1" for name in "abc"}
    files |= {
        "data.yaml": NAMES["data.yaml"] + b"train: train.txt\nval: val.txt\n",
        "train.txt": b"./images/a/1.jpg\n./images/c/1.jpg\n",
        "val.txt": b"./images/b/1.jpg\n./images/c/1.jpg\n",
    }

    one = read(tmp_path / "yolo", files)

    assert items(one) == {
        "images/a/1.jpg": ("train", "happiness"),
        "images/b/1.jpg": ("valid", "happiness"),
    }
    assert reasons(one) == {"images/c/1.jpg": "listed for train and valid"}


def test_lists_of_other_machines_name_pictures_by_their_files(tmp_path: Path) -> None:
    files = {f"images/{name}.jpg": PICTURE for name in "abc"}
    files |= {f"labels/{name}.txt": b"1 0.5 0.5 1 1" for name in "abc"}
    files |= {
        "data.yaml": NAMES["data.yaml"] + b"val: val.txt\n",
        "val.txt": b"/mnt/x/a.jpg\n/home/u/pictures/b.jpg\n",
    }

    one = read(tmp_path / "yolo", files)

    assert [split for split, _ in items(one).values()] == ["valid", "valid", "train"]


def test_pictures_of_several_or_small_faces_are_named(tmp_path: Path) -> None:
    notes = {
        "one": "0 .5 .5 1 1",
        "two": "0 .5 .5 .4 .4\n1 .2 .2 .4 .4",
        "none": "",
        "small": "0 .5 .5 .2 .2",
        "unnamed": "7 .5 .5 1 1",
        "other": "2 .5 .5 1 1",
    }
    files = {f"{name}.txt": note.encode() for name, note in notes.items()}
    files |= {f"{name}.jpg": PICTURE for name in (*notes, "bare")}
    files |= {"data.yaml": NAMES["data.yaml"], "stray.txt": b"hello"}

    one = read(tmp_path / "yolo", files)

    assert items(one) == {"one.jpg": ("train", "anger")}
    told = reasons(one)
    assert set(told) == {f"{name}.jpg" for name in (*notes, "bare") if name != "one"} | {
        "stray.txt"
    }
    assert "2 labelled faces" in told["two.jpg"]
    assert "a small part" in told["small.jpg"]
    assert "no label file" in told["bare.jpg"]


def test_numbers_without_names_are_asked(tmp_path: Path) -> None:
    files = {"images/a.jpg": PICTURE, "labels/a.txt": b"1 0.5 0.5 1 1"}

    (one,) = understand([write_folder(tmp_path / "yolo", files)])

    assert "numbers (1)" in one.questions[0]


# --- RAF-DB --------------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", ["train_00007{}.jpg", "Image\\aligned\\train_00007{}.jpg"])
@pytest.mark.parametrize("ending", ["", "_aligned"])
@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("EmoLabel/list_patition_label.txt", " "),
        ("EmoLabel/list_partition_label.txt", "\t"),
        ("labels.csv", ","),
        ("labels.csv", ";"),
    ],
)
def test_a_list_of_names_and_numbers_is_known_by_its_content(
    tmp_path: Path, listed: str, ending: str, name: str, mark: str
) -> None:
    rows = "image,label\n".replace(",", mark) if name == "labels.csv" else ""
    rows += f"{listed.format(ending)}{mark}4\r\n"
    files = {name: rows.encode("utf-8-sig"), "aligned/train_00007_aligned.jpg": PICTURE}

    one = read(tmp_path / "raf", files)

    assert one.source == "raf_db"
    assert items(one) == {"aligned/train_00007_aligned.jpg": ("train", "happiness")}


def test_whole_photos_are_no_aligned_faces(tmp_path: Path) -> None:
    files = {"EmoLabel/list.txt": b"test_0001.jpg 2\n", "Image/original/test_0001.jpg": PICTURE}

    with pytest.raises(DataError, match="Put Image/aligned beside it"):
        read(tmp_path / "raf", files)


@pytest.mark.parametrize("folder", ["compound", "other"])
def test_compound_expressions_are_no_basic_ones(tmp_path: Path, folder: str) -> None:
    rows = "".join(f"train_{number:05d}.jpg {number}\n" for number in range(1, 12))
    picture = f"{folder}/Image/aligned/train_00001_aligned.jpg"
    files = {f"{folder}/EmoLabel/list_patition_label.txt": rows.encode(), picture: PICTURE}

    with pytest.raises(DataError, match="compound expressions"):
        read(tmp_path / "raf", files)


def test_of_both_parts_of_raf_db_the_basic_one_is_read(tmp_path: Path) -> None:
    files = {}
    for part, number in (("basic", 2), ("compound", 9)):
        files[f"{part}/EmoLabel/list.txt"] = f"test_0001.jpg {number}\n".encode()
        files[f"{part}/Image/aligned/test_0001_aligned.jpg"] = PICTURE
    files["basic/Image/aligned/test_0002_aligned.jpg"] = PICTURE

    one = read(tmp_path / "raf", files)

    assert items(one) == {"basic/Image/aligned/test_0001_aligned.jpg": ("test", "fear")}
    told = reasons(one)
    assert "compound" in told["compound/Image/aligned/test_0001_aligned.jpg"]
    assert "not in the list" in told["basic/Image/aligned/test_0002_aligned.jpg"]


# --- DISFA ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [write_folder, write_zip])
@pytest.mark.parametrize(
    "posing",
    [b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile real.avi\n"],
)
def test_a_playlist_posing_as_a_video_opens_no_other_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    posing: bytes,
    pack: Callable[[Path, dict[str, bytes]], Path],
) -> None:
    files = {"real.avi": video([blobs(1)] * 3), "posing.mp4": posing}
    monkeypatch.chdir(write_folder(tmp_path / "here", files))  # where names in a zip would lead
    root = pack(tmp_path / "disfa.zip", files)

    (one,) = list_sources([f"disfa={root}"], "six")

    assert set(items(one)) == {"real.avi#0"}
    assert reasons(one)["posing.mp4"].startswith("cannot be read as a video")
    reader = PictureReader(open_container(root))
    assert reader.read("real.avi#2")[0].shape == (64, 64, 3)
    with pytest.raises(DataError, match=r"posing\.mp4 cannot be read as a video"):
        reader.read("posing.mp4#0")
