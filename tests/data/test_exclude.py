"""Exclude lists: a list that is handed over joins the one made by hand."""

from pathlib import Path

import pandas as pd
import pytest
import typer
from made_pictures import blobs, png, write_folder
from typer.testing import CliRunner

from core.cli import data
from core.data import Dataset, exclude_path, load_dataset, prepare, read_exclude, write_exclude
from core.errors import DataError


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    files = {f"happy/{seed}.png": png(blobs(seed)) for seed in range(6)}
    return prepare([write_folder(tmp_path / "faces", files)], tmp_path / "out", workers=1)


def hand(path: Path, hashes: list[str]) -> Path:
    pd.DataFrame({"pixel_hash": hashes, "reason": "handed"}).to_csv(path, index=False)
    return path


def excluded(dataset: Dataset) -> list[int]:
    table = dataset.split("clean")
    return table.loc[table["reason"] == "excluded", "id"].tolist()


def test_a_list_handed_over_joins_the_one_made_by_hand(tmp_path: Path, dataset: Dataset) -> None:
    out, hashes = dataset.folder, dataset.manifest["pixel_hash"].tolist()
    write_exclude(out, dataset.manifest.iloc[[0, 1]].assign(reason="by hand"))
    path = hand(tmp_path / "list.csv", [hashes[1], "", hashes[4], "00ff"])

    again = prepare([tmp_path / "faces"], out, exclude_file=path)

    listed = read_exclude(exclude_path(out))
    assert listed["pixel_hash"].tolist() == [hashes[0], hashes[1], hashes[4], "00ff"]
    assert listed["reason"].tolist() == ["by hand", "by hand", "handed", "handed"]
    assert listed["path"].tolist()[:2] == ["faces!happy/0.png", "faces!happy/1.png"]
    assert excluded(again) == [0, 1, 4]
    before = exclude_path(out).stat().st_mtime_ns
    prepare([tmp_path / "faces"], out, exclude_file=path)
    assert exclude_path(out).stat().st_mtime_ns == before


def test_hashes_count_whatever_their_case_and_spaces(tmp_path: Path, dataset: Dataset) -> None:
    hashes = dataset.manifest["pixel_hash"].tolist()
    path = hand(tmp_path / "list.csv", [f" {hashes[2].upper()}", hashes[2], f"{hashes[3]} "])

    again = prepare([tmp_path / "faces"], dataset.folder, exclude_file=path)

    assert excluded(again) == [2, 3]
    assert len(read_exclude(exclude_path(dataset.folder))) == 2


def test_a_list_is_only_taken_once_the_set_is_built(tmp_path: Path, dataset: Dataset) -> None:
    write_exclude(dataset.folder, dataset.manifest.iloc[[0]])
    path = hand(tmp_path / "list.csv", ["00ff"])
    for picture in (tmp_path / "faces" / "happy").iterdir():
        picture.write_bytes(b"no picture")

    with pytest.raises(DataError, match="None of 6 pictures could be read"):
        prepare([tmp_path / "faces"], dataset.folder, exclude_file=path)

    listed = read_exclude(exclude_path(dataset.folder))
    assert listed["path"].tolist() == ["faces!happy/0.png"]
    assert load_dataset(dataset.folder).data_hash == dataset.data_hash


def test_the_command_line_says_how_many_of_the_list_are_in_the_set(
    tmp_path: Path, dataset: Dataset
) -> None:
    hashes = dataset.manifest["pixel_hash"].tolist()
    path = hand(tmp_path / "list.csv", [*hashes[:3], hashes[0].upper(), "", "00ff"])
    app = typer.Typer()
    app.command()(data.prepare)
    command = [str(tmp_path / "faces"), "--out", str(dataset.folder)]

    done = CliRunner().invoke(app, [*command, "--exclude", str(path)])

    assert done.exit_code == 0, done.output
    assert "Exclude list: 3 of 4 listed pictures are in the set." in done.stdout
    assert "Exclude list" not in CliRunner().invoke(app, command).stdout
