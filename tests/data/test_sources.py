from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from made_pictures import blobs, pixels_cell, png, video, write_folder, write_zip

from core.data import SOURCES
from core.data.listing import list_sources
from core.errors import DataError

PICTURE = png(blobs(1))
VOTES = (
    b"Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
)
CELL = pixels_cell(blobs(1, 48))


def table(*rows: str) -> bytes:
    return "\n".join(["emotion,pixels,Usage", *rows]).encode()


@dataclass(frozen=True)
class Layout:
    """Files of a layout, the source they are, and what it lists as (reference, split, label)."""

    source: str
    files: dict[str, bytes]
    items: set[tuple[str, str, str]]
    skipped: tuple[str, ...] = ()


LAYOUTS = {
    "raf_db folders": Layout(
        "raf_db",
        {
            "DATASET/train/1/train_00001_aligned.jpg": PICTURE,
            "DATASET/train/7/train_00002_aligned.jpg": PICTURE,
            "DATASET/test/6/test_0001_aligned.jpg": PICTURE,
            "train_labels.csv": b"image,label\n",
        },
        {
            ("DATASET/train/1/train_00001_aligned.jpg", "train", "surprise"),
            ("DATASET/test/6/test_0001_aligned.jpg", "test", "anger"),
        },
        ("DATASET/train/7/train_00002_aligned.jpg",),
    ),
    "raf_db official": Layout(
        "raf_db",
        {
            "basic/EmoLabel/list_patition_label.txt": (
                b"train_00001.jpg 5\ntest_0001.jpg 2\ntest_0002.jpg 3\ntrain_00003.jpg 9\n"
            ),
            "basic/Image/aligned/train_00001_aligned.jpg": PICTURE,
            "basic/Image/aligned/test_0001_aligned.jpg": PICTURE,
            "basic/Image/aligned/train_00003_aligned.jpg": PICTURE,
            "basic/Image/original/train_00001.jpg": PICTURE,
        },
        {
            ("basic/Image/aligned/train_00001_aligned.jpg", "train", "sadness"),
            ("basic/Image/aligned/test_0001_aligned.jpg", "test", "fear"),
        },
        ("basic/Image/aligned/train_00003_aligned.jpg", "test_0002.jpg"),
    ),
    "fer2013 folders": Layout(
        "fer2013",
        {
            "train/angry/Training_10118481.jpg": PICTURE,
            "train/neutral/Training_1.jpg": PICTURE,
            "test/sad/PublicTest_8.jpg": PICTURE,
        },
        {
            ("train/angry/Training_10118481.jpg", "train", "anger"),
            ("test/sad/PublicTest_8.jpg", "test", "sadness"),
        },
        ("train/neutral/Training_1.jpg",),
    ),
    "fer2013 table": Layout(
        "fer2013",
        {
            "fer2013/fer2013.csv": table(
                f"3,{CELL},Training",
                f"1,{CELL},PublicTest",
                f"5,{CELL},PrivateTest",
                f"6,{CELL},Training",
                f"8,{CELL},Training",
            )
        },
        {
            ("fer2013/fer2013.csv#0", "train", "happiness"),
            ("fer2013/fer2013.csv#1", "test", "disgust"),
            ("fer2013/fer2013.csv#2", "test", "surprise"),
        },
        ("fer2013/fer2013.csv#3", "fer2013/fer2013.csv#4"),
    ),
    "yolo": Layout(
        "yolo",
        {
            "data.yaml": b"names: [Happy, Contempt]",
            "val/images/a.jpg": PICTURE,
            "val/labels/a.txt": b"0 0.5 0.5 1 1",
            "val/images/b.jpg": PICTURE,
            "val/labels/b.txt": b"1 0.5 0.5 1 1",
        },
        {("val/images/a.jpg", "valid", "happiness")},
        ("val/images/b.jpg",),
    ),
    "fer_plus": Layout(
        "fer_plus",
        {
            "fer2013.csv": table(f"0,{CELL},Training", f"0,{CELL},PrivateTest"),
            "fer2013new.csv": VOTES + b"Training,a.png,0,9,1,0,0,0,0,0,0,0\n"
            b"PrivateTest,b.png,5,5,0,0,0,0,0,0,0,0\n",
        },
        {("fer2013.csv#0", "train", "happiness")},
        ("fer2013.csv#1",),
    ),
    "affectnet": Layout(
        "affectnet",
        {
            "happy/ffhq_12.png": PICTURE,
            "fear/image0000345.jpg": PICTURE,
            "contempt/image0000346.jpg": PICTURE,
            "labels.csv": b",pth,label\n0,happy/ffhq_12.png,happy\n",
        },
        {
            ("happy/ffhq_12.png", "train", "happiness"),
            ("fear/image0000345.jpg", "train", "fear"),
        },
        ("contempt/image0000346.jpg",),
    ),
    "ck_plus folders": Layout(
        "ck_plus",
        {
            "sadness/S014_002_00000016.png": PICTURE,
            "contempt/S138_008_00000009.png": PICTURE,
        },
        {("sadness/S014_002_00000016.png", "train", "sadness")},
        ("contempt/S138_008_00000009.png",),
    ),
    "ck_plus table": Layout(
        "ck_plus",
        {
            "ckextended.csv": table(
                f"0,{CELL},Training", f"3,{CELL},PrivateTest", f"7,{CELL},Training"
            )
        },
        {
            ("ckextended.csv#0", "train", "anger"),
            ("ckextended.csv#1", "train", "happiness"),
        },
        ("ckextended.csv#2",),
    ),
    "tfeid": Layout(
        "tfeid",
        {"happy/f01_dfh_hx.jpg": PICTURE, "surprise/m03_dfh_px.jpg": PICTURE},
        {
            ("happy/f01_dfh_hx.jpg", "train", "happiness"),
            ("surprise/m03_dfh_px.jpg", "train", "surprise"),
        },
    ),
    "paper": Layout(
        "paper",
        {
            "train/train_00001_aligned_happiness.jpg": PICTURE,
            "test/test_0001_aligned_fear.jpg": PICTURE,
            "test/test_0002_aligned_fear.jpg": PICTURE,
            "valid/img001_anger.jpg": PICTURE,
            "train_labels.csv": b"train_00001_aligned_happiness.jpg,0\n",
            "test_labels.csv": b"test_0001_aligned_fear.jpg,5\ntest_0002_aligned_fear.jpg,4\n",
        },
        {
            ("train/train_00001_aligned_happiness.jpg", "train", "happiness"),
            ("test/test_0001_aligned_fear.jpg", "test", "fear"),
            ("valid/img001_anger.jpg", "valid", "anger"),
        },
        ("test/test_0002_aligned_fear.jpg",),
    ),
    "published valid": Layout(
        "gimefive_valid",
        {
            "valid/img001_anger.jpg": PICTURE,
            "valid_labels.csv": b"img001_anger.jpg,3\n",
            "train_labels.csv": b"elsewhere_happiness.jpg,0\n",
        },
        {("valid/img001_anger.jpg", "valid", "anger")},
    ),
    "table": Layout(
        "table",
        {"labels.csv": b"path,label\n1.jpg,happy\n9.jpg,sad\n", "1.jpg": PICTURE},
        {("1.jpg", "train", "happiness")},
        ("9.jpg",),
    ),
    "class folders": Layout(
        "folder",
        {
            "Happiness/a.png": PICTURE,
            "sadness/b.png": PICTURE,
            "readme.txt": b"hello",
            "stray.png": PICTURE,
        },
        {("Happiness/a.png", "train", "happiness"), ("sadness/b.png", "train", "sadness")},
        ("readme.txt", "stray.png"),
    ),
    "class folders with splits": Layout(
        "folder",
        {
            "all/Train/happy/a.png": PICTURE,
            "all/val/fear/b.png": PICTURE,
            "all/test/disgust/c.png": PICTURE,
        },
        {
            ("all/Train/happy/a.png", "train", "happiness"),
            ("all/val/fear/b.png", "valid", "fear"),
            ("all/test/disgust/c.png", "test", "disgust"),
        },
    ),
    "demo": Layout(
        "demo",
        {"train/fear/drawing_0001.png": PICTURE},
        {("train/fear/drawing_0001.png", "train", "fear")},
    ),
}


@pytest.mark.parametrize("write", [write_folder, write_zip], ids=["folder", "zip"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_every_layout_is_recognised_and_listed(
    tmp_path: Path, layout: Layout, write: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    path = write(tmp_path / "source.zip", layout.files)

    (listed,) = list_sources([path], "six")

    assert listed.source == layout.source
    assert {(item.reference, item.split, item.label) for item in listed.items} == layout.items
    assert sorted(skip.path for skip in listed.skips) == sorted(layout.skipped)
    assert all(skip.reason for skip in listed.skips)


def test_every_source_has_a_tested_layout() -> None:
    tested = {layout.source for layout in LAYOUTS.values()}

    untested = set(SOURCES) - tested - {"disfa"}
    assert not untested, f"Add a layout to LAYOUTS for {', '.join(sorted(untested))}."


def test_videos_are_listed_by_every_hundredth_frame(tmp_path: Path) -> None:
    frames = [blobs(seed, 32) for seed in range(2)] * 60
    files = {
        "left/LeftVideoSN001_comp.avi": video(frames),
        "right/RightVideoSN001_comp.avi": b"no video",
        "notes.txt": b"hello",
    }

    (listed,) = list_sources([write_folder(tmp_path / "disfa", files)], "six")

    assert listed.source == "disfa"
    assert [(item.reference, item.split, item.label) for item in listed.items] == [
        ("left/LeftVideoSN001_comp.avi#0", "unlabelled", ""),
        ("left/LeftVideoSN001_comp.avi#100", "unlabelled", ""),
    ]
    reasons = {skip.path: skip.reason for skip in listed.skips}
    assert reasons["notes.txt"] == "not a video"
    assert "cannot be read as a video" in reasons["right/RightVideoSN001_comp.avi"]


@pytest.mark.parametrize("name", ["", "folder="])
def test_an_empty_folder_is_called_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / "holiday" / "inner").mkdir(parents=True)

    with pytest.raises(DataError, match="holiday is empty: there is no file"):
        list_sources([f"{name}{tmp_path / 'holiday'}"], "six")


def test_the_step_from_frame_to_frame_can_be_chosen(tmp_path: Path) -> None:
    files = {"left.avi": video([blobs(0, 32)] * 20)}
    path = write_folder(tmp_path / "disfa", files)

    (listed,) = list_sources([path], "six", frame_step=8)

    assert [item.reference for item in listed.items] == ["left.avi#0", "left.avi#8", "left.avi#16"]
    with pytest.raises(DataError, match="step from frame to frame is 0"):
        list_sources([path], "six", frame_step=0)


def test_seven_classes_keep_neutral_but_not_contempt(tmp_path: Path) -> None:
    files = {"neutral/S1.png": PICTURE, "contempt/S2.png": PICTURE, "happy/S3.png": PICTURE}
    path = write_folder(tmp_path / "faces", files)

    (listed,) = list_sources([path], "seven")

    assert {item.label for item in listed.items} == {"neutral", "happiness"}
    assert [skip.reason for skip in listed.skips] == [
        "label contempt is not in the class set seven"
    ]


def test_a_source_can_be_named_by_hand(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "odd", {"happy/photo.png": PICTURE})

    (listed,) = list_sources([f"ck_plus={path}"], "six")

    assert listed.source == "ck_plus"


def test_sources_come_in_the_order_of_the_registry(tmp_path: Path) -> None:
    fer = write_folder(tmp_path / "fer", LAYOUTS["fer2013 folders"].files)
    raf = write_folder(tmp_path / "raf", LAYOUTS["raf_db folders"].files)

    assert [one.source for one in list_sources([fer, raf], "six")] == ["raf_db", "fer2013"]


def test_two_containers_of_one_name_get_two_keys(tmp_path: Path) -> None:
    first = write_folder(tmp_path / "a" / "faces", {"happy/1.png": PICTURE})
    second = write_folder(tmp_path / "b" / "faces", {"sad/1.png": png(blobs(2))})

    assert {one.key for one in list_sources([first, second], "six")} == {"faces", "faces-2"}


@pytest.mark.parametrize(
    ("files", "argument", "text"),
    [
        ({"a/1.png": PICTURE, "b/2.png": PICTURE}, "{}", r"no name .* \(a, b\).* --map a=anger"),
        ({"contempt/1.png": PICTURE}, "folder={}", r"no name .* \(contempt\)"),
        ({"neutral/1.png": PICTURE}, "{}", "holds no usable picture"),
        (
            {"train/1.png": PICTURE, "2.png": PICTURE},
            "{}",
            "holds pictures without labels: none of 2",
        ),
        ({"a/x.zip": b"PK", "a/notes.txt": b"x"}, "{}", r"archives inside: a/x\.zip"),
        ({"notes.txt": b"x"}, "{}", "layout of no known data set"),
        ({"happy/1.png": PICTURE}, "rafdb={}", "no source 'rafdb'"),
    ],
)
def test_unusable_sources_are_refused_with_advice(
    tmp_path: Path, files: dict[str, bytes], argument: str, text: str
) -> None:
    path = write_folder(tmp_path / "faces", files)

    with pytest.raises(DataError, match=text):
        list_sources([argument.format(path)], "six")


def test_no_source_and_unknown_class_sets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No source"):
        list_sources([], "six")
    with pytest.raises(DataError, match="class set 'eight'"):
        list_sources([tmp_path], "eight")
