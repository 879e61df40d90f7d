"""A preparation that ends in the middle, or finds no room, leaves nothing that looks finished."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evaluated_run import write_pictures
from made_pictures import blobs, damage, jpeg, png, write_folder, write_zip

from core.data import preparation, prepare, statistics
from core.data.dataset import write_csv
from core.errors import DataError


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("source") / "pictures")


def test_a_preparation_that_ended_at_any_table_is_begun_again_to_the_same_set(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepare([pictures], tmp_path / "whole")

    for number in (1, 4, 6):  # pairs, a split, statistics
        out, calls = tmp_path / f"out-{number}", iter(range(99))
        with monkeypatch.context() as patch:

            def die(path: Path, table: pd.DataFrame) -> None:
                if next(calls) == number:  # noqa: B023
                    raise KeyboardInterrupt
                write_csv(path, table)

            for module in (preparation, statistics):
                patch.setattr(module, "write_csv", die)
            with pytest.raises(KeyboardInterrupt):
                prepare([pictures], out)
        assert not (out / "dataset.json").exists()

        again = prepare([pictures], out)

        np.testing.assert_array_equal(again.images, whole.images)
        assert again.info == whole.info
        pd.testing.assert_frame_equal(again.split("clean"), whole.split("clean"))
        assert not (out / ".partial").exists()


def test_facts_of_other_pixels_than_the_arrays_are_not_trusted(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepare([pictures], tmp_path / "whole")
    out = tmp_path / "out"

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(preparation, "find_pairs", die)
        with pytest.raises(KeyboardInterrupt):
            prepare([pictures], out)
    (array,) = (out / ".partial").glob("*/images.npy")
    np.load(array, mmap_mode="r+")[3] = 0

    np.testing.assert_array_equal(prepare([pictures], out).images, whole.images)


def test_an_array_without_room_is_refused_before_it_is_laid_out(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    with pytest.raises(DataError, match=r"0\.6 MB are needed .* and 0\.1 MB are free"):
        prepare([pictures], tmp_path / "out")

    assert not list((tmp_path / "out").rglob("*.npy"))
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_where_no_picture_can_be_read_the_first_one_is_quoted(tmp_path: Path) -> None:
    files = {"happy/1.png": b"first words", "happy/2.png": b"", "odd/3.png": png(blobs(1))}

    with pytest.raises(DataError, match=r"None of 2 pictures .* First: .*'first words'"):
        prepare([write_folder(tmp_path / "faces", files)], tmp_path / "out")


@pytest.mark.parametrize(
    ("method", "share"),
    [(zipfile.ZIP_STORED, 0.5), (zipfile.ZIP_DEFLATED, 0), (zipfile.ZIP_LZMA, 0.5)],
)
def test_a_damaged_picture_in_a_zip_is_one_row_among_the_skipped(
    tmp_path: Path, method: int, share: float
) -> None:
    files = {f"happy/{seed}.png": png(blobs(seed)) for seed in range(5)}
    path = damage(write_zip(tmp_path / "faces.zip", files, method), "happy/3.png", share)

    dataset = prepare([path], tmp_path / "out")

    assert len(dataset.manifest) == 4
    (row,) = pd.read_csv(tmp_path / "out" / "skipped.csv").itertuples()
    assert row.path == "faces.zip!happy/3.png"
    assert str(row.reason).startswith("happy/3.png cannot be read: ")


def test_a_jpeg_whose_header_one_decoder_refuses_is_one_row_among_the_skipped(
    tmp_path: Path,
) -> None:
    files = {f"happy/{seed}.jpg": jpeg(blobs(seed)) for seed in range(5)}
    whole = files["happy/3.jpg"]
    assert whole[2:4] == b"\xff\xe0"
    rest = whole[4 + int.from_bytes(whole[4:6], "big") :]
    files["happy/3.jpg"] = b"\xff\xd8" + b"\xff\xe0\x00\x07JFIF\0" + rest

    dataset = prepare([write_folder(tmp_path / "faces", files)], tmp_path / "out")

    assert len(dataset.manifest) == 4
    (row,) = pd.read_csv(tmp_path / "out" / "skipped.csv").itertuples()
    assert row.path == "faces!happy/3.jpg"
    assert "header" in str(row.reason)
    assert str(row.reason).endswith("Save it as JPEG or PNG and try again.")
