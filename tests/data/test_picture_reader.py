import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_pictures import blobs, damage, pixels_cell, png, video, write_folder, write_zip

from core.data.containers import open_container
from core.data.pictures import PictureReader, parse_pixels, split_reference
from core.errors import DataError, ImageError


def test_a_pixels_cell_becomes_a_grey_square() -> None:
    picture = parse_pixels(" ".join(str(number) for number in range(64)))

    assert picture.shape == (8, 8, 3)
    assert picture[1, 2].tolist() == [10, 10, 10]


@pytest.mark.parametrize("cell", ["1 2 3", "", "a " * 64, "256 " * 64, "-1 " * 64])
def test_a_cell_that_is_no_square_of_bytes_is_refused(cell: str) -> None:
    with pytest.raises(ImageError, match="pixels cell"):
        parse_pixels(cell)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("a/b.jpg", ("a/b.jpg", None)),
        ("fer2013.csv#7", ("fer2013.csv", 7)),
        ("left/SN001.avi#100", ("left/SN001.avi", 100)),
        ("strange#7.jpg", ("strange#7.jpg", None)),
        ("strange.jpg#7", ("strange.jpg#7", None)),
    ],
)
def test_references_name_files_rows_and_frames(
    reference: str, parts: tuple[str, int | None]
) -> None:
    assert split_reference(reference) == parts


def test_rows_are_read_in_any_order_and_a_bad_one_ends_nothing(tmp_path: Path) -> None:
    pictures = [blobs(seed, 16) for seed in range(3)]
    cells = [pixels_cell(picture) for picture in pictures]
    rows = [f"0,{cells[0]},Training", "0,1 2 3,Training", f"0,{cells[2]},Training"]
    table = "\n".join(["emotion,pixels,Usage", *rows])
    root = write_folder(tmp_path / "fer", {"fer2013.csv": table.encode()})
    reader = PictureReader(open_container(root))

    last, mode = reader.read("fer2013.csv#2")
    with pytest.raises(ImageError):
        reader.read("fer2013.csv#1")
    first, _ = reader.read("fer2013.csv#0")

    assert mode == "L"
    np.testing.assert_array_equal(last[:, :, 1], pictures[2][:, :, 0])
    np.testing.assert_array_equal(first[:, :, 1], pictures[0][:, :, 0])
    with pytest.raises(DataError, match="no picture number 3"):
        reader.read("fer2013.csv#3")


def test_frames_of_a_video_are_found_by_number(tmp_path: Path) -> None:
    frames = [np.full((48, 64, 3), 40 * number, np.uint8) for number in range(5)]
    root = write_folder(tmp_path / "disfa", {"left.avi": video(frames)})
    reader = PictureReader(open_container(root))

    means = [float(reader.read(f"left.avi#{number}")[0].mean()) for number in (3, 1, 4)]

    np.testing.assert_allclose(means, [120, 40, 160], atol=2)


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_video_damaged_in_its_zip_is_refused_in_words(tmp_path: Path, share: float) -> None:
    film = {"left.avi": video([blobs(number) for number in range(20)])}
    path = damage(write_zip(tmp_path / "a.zip", film, zipfile.ZIP_DEFLATED), "left.avi", share)
    reader = PictureReader(open_container(path))

    with pytest.raises(DataError, match=r"left\.avi cannot be read as a video"):
        reader.read("left.avi#19")


def test_the_stored_mode_is_told(tmp_path: Path) -> None:
    files = {"grey.png": png(blobs(1)[:, :, 0]), "colour.png": png(blobs(1))}
    reader = PictureReader(open_container(write_folder(tmp_path / "a", files)))

    assert reader.read("grey.png")[1] == "L"
    assert reader.read("colour.png")[1] == "RGB"
    assert reader.read("grey.png")[0].shape == (64, 64, 3)
