"""FER+ votes: beside the table of FER2013, and by the names of pictures."""

from pathlib import Path

import pytest
from made_pictures import blobs, items, pixels_cell, png, reasons, write_folder

from core.data import SOURCES
from core.data.listing import Listed, list_sources
from core.data.sources.fer_plus import majority
from core.errors import DataError

PICTURE = png(blobs(1))
CELL = pixels_cell(blobs(1, 48))
VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def read(folder: Path, files: dict[str, bytes]) -> Listed:
    (one,) = list_sources([write_folder(folder, files)], "six")
    return one


@pytest.mark.parametrize(
    ("votes", "answer"),
    [
        ((0, 6, 4, 0, 0, 0, 0, 0, 0, 0), "happiness"),
        ((0, 5, 5, 0, 0, 0, 0, 0, 0, 0), None),
        ((0, 4, 3, 1, 1, 1, 0, 0, 0, 0), "happiness"),  # 4 of 7: single votes do not count
        ((0, 0, 0, 0, 0, 0, 0, 0, 3, 7), "nf"),
        ((1, 1, 1, 1, 1, 1, 1, 1, 1, 1), None),
    ],
)
def test_the_majority_leaves_single_votes_out(votes: tuple[int, ...], answer: str | None) -> None:
    assert majority(votes) == answer


def fer(*votes: str) -> dict[str, bytes]:
    faces = [f"0,{CELL},Training", f"0,{CELL},PublicTest"]
    return {
        "fer2013.csv": "\n".join(["emotion,pixels,Usage", *faces]).encode(),
        "fer2013new.csv": "\n".join([VOTES, *votes]).encode(),
    }


def test_votes_count_the_rows_of_the_table_beside_them(tmp_path: Path) -> None:
    files = fer("Training,,0,0,0,0,0,0,0,0,0,10", "PublicTest,fer0000000.png,0,0,0,8,2,0,0,0,0,0")
    folder = write_folder(tmp_path / "fer", files)

    (one,) = list_sources([folder], "six")
    (own,) = list_sources([f"fer2013={folder}"], "six")

    assert items(one) == {"fer2013.csv#1": ("test", "sadness")}
    assert reasons(one) == {"fer2013.csv#0": "the votes of FER+ say that it shows no face"}
    assert items(own) == {"fer2013.csv#0": ("train", "anger"), "fer2013.csv#1": ("test", "anger")}
    assert SOURCES[one.source].title.startswith("FER+")


@pytest.mark.parametrize(
    "votes",
    [
        ("Training,a.png,9,0,0,0,0,0,0,0,0,0",),
        ("Training,a.png,9,0,0,0,0,0,0,0,0,0",) * 2,
        ("Training,a.png,9,0,0,0,0,0,0,0,0,0",) * 3,
    ],
)
def test_votes_of_other_rows_are_refused(tmp_path: Path, votes: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=r"fer2013new\.csv does not count the rows of fer2013\.csv"):
        read(tmp_path / "fer", fer(*votes))


def test_votes_alone_are_told_what_they_lack(tmp_path: Path) -> None:
    (tmp_path / "fer2013new.csv").write_text(f"{VOTES}\nTraining,a.png,9,0,0,0,0,0,0,0,0,0\n")

    with pytest.raises(DataError, match=r"lacks the votes .* or the pictures"):
        list_sources([tmp_path / "fer2013new.csv"], "six")


def test_votes_name_the_pictures_of_fer_plus_folders(tmp_path: Path) -> None:
    files = {
        "FER2013Train/label.csv": b'fer0000000.png,"(0, 0, 48, 48)",0,0,0,0,0,0,9,0,1,0\n',
        "FER2013Train/fer0000000.png": PICTURE,
        "FER2013Valid/label.csv": b'fer0028638.png,"(0, 0, 48, 48)",0,0,0,0,9,0,0,0,1,0\n',
        "FER2013Valid/fer0028638.png": PICTURE,
        "FER2013Valid/fer0028639.png": PICTURE,
    }

    one = read(tmp_path / "fer", files)

    assert items(one) == {
        "FER2013Train/fer0000000.png": ("train", "fear"),
        "FER2013Valid/fer0028638.png": ("valid", "anger"),
    }
    assert reasons(one) == {"FER2013Valid/fer0028639.png": "no votes for this name"}
