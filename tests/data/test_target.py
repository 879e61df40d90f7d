"""What lies in the folder of a data set is not lost: a user's files, and sets of other sources."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from made_pictures import blobs, png, write_folder, write_zip

from core.data import NameMap, demo, load_dataset, preparation, prepare
from core.data.dataset import write_csv
from core.data.target import holds_demo
from core.errors import DataError

TABLE = b"path,label\np/0.png,happy\np/1.png,sad\n"


def faces(*seeds: int) -> dict[str, bytes]:
    return {f"{('happy', 'sad')[seed % 2]}/{seed}.png": png(blobs(seed)) for seed in seeds}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Pictures with the user's own table, called as one of ours."""
    files = {f"p/{seed}.png": png(blobs(seed)) for seed in range(2)}
    return write_folder(tmp_path / "own", {**files, "manifest.csv": TABLE})


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "first.zip", faces(1, 2, 3))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "other", faces(11, 12))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "COUNTS", {"train": 1})


@pytest.mark.parametrize("name", ["", "p", "prepared/new"])
@pytest.mark.parametrize("kind", ["", "table="])
def test_a_data_set_is_not_written_into_a_source(own: Path, name: str, kind: str) -> None:
    before = contents(own)

    with pytest.raises(DataError, match=r"(is|lies in) the source own; expected a folder outside"):
        prepare([f"{kind}{own}"], own / name)

    assert contents(own) == before


@pytest.mark.parametrize("source", ["in", "list.csv", "faces.zip"])
def test_files_of_the_user_are_not_replaced(own: Path, source: str) -> None:
    write_folder(own, {"in/happy/5.png": png(blobs(5)), "list.csv": TABLE})
    write_zip(own / "faces.zip", faces(6))
    before = contents(own)

    with pytest.raises(DataError, match=r"own holds manifest\.csv, but no data set; .*--out"):
        prepare([own / source], own)

    assert contents(own) == before


def test_a_data_set_may_lie_beside_its_sources(tmp_path: Path, first: Path, other: Path) -> None:
    assert len(prepare([first], tmp_path).manifest) == 3

    assert len(prepare([first, other], tmp_path).manifest) == 5


@pytest.mark.parametrize("stop", [99, 4], ids=["finished", "before its splits"])
def test_a_data_set_of_other_sources_is_not_replaced(
    tmp_path: Path, first: Path, other: Path, few: None, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    out, calls = tmp_path / "out", iter(range(999))

    def dying(path: Path, table: pd.DataFrame) -> None:
        if next(calls) == stop:
            raise KeyboardInterrupt
        write_csv(path, table)

    with monkeypatch.context() as patch:
        patch.setattr(preparation, "write_csv", dying)
        try:
            prepare([first], out)
        except KeyboardInterrupt:
            assert not (out / "dataset.json").exists()
    before = contents(out)
    cases: list[list[str | Path]] = [[other], ["demo"], [other, "demo"]]
    said = r"out holds a data set made of first\.zip \(3 pictures\); .*Choose another --out"

    for sources in cases:
        with pytest.raises(DataError, match=said):
            prepare(sources, out)

    assert contents(out) == before
    assert prepare([first], out).manifest["path"].str.startswith("first.zip!").all()


def test_a_source_that_is_not_named_again_is_not_dropped(
    tmp_path: Path, first: Path, other: Path
) -> None:
    out = tmp_path / "out"
    prepare([first, other], out)
    before = contents(out)
    third = write_zip(tmp_path / "third.zip", faces(21))
    said = (
        r"out .* made of first\.zip, other \(5 pictures\); .* none is {}, whose {} pictures .*--out"
    )

    for sources, gone in (([other], (r"first\.zip", 3)), ([first, third], ("other", 2))):
        with pytest.raises(DataError, match=said.format(*gone)):
            prepare(sources, out)

    assert contents(out) == before


def test_a_class_that_is_not_wanted_again_is_not_dropped(tmp_path: Path) -> None:
    calm = {"neutral/5.png": png(blobs(5)), "neutral/6.png": png(blobs(6))}
    source = write_folder(tmp_path / "faces", {**faces(1, 2, 3), **calm})
    out = tmp_path / "out"
    prepare([source], out, class_set="seven")
    before = contents(out)
    said = (
        r"out holds a data set of seven classes \(5 pictures\); as one of six, its 2 pictures of "
        r"neutral would go\. Give --class-set seven, choose another --out"
    )

    with pytest.raises(DataError, match=said):
        prepare([source], out)

    assert contents(out) == before


def test_a_set_without_neutral_faces_is_prepared_with_six_classes_again(
    tmp_path: Path, first: Path
) -> None:
    prepare([first], tmp_path / "out", class_set="seven")

    assert len(prepare([first], tmp_path / "out").manifest) == 3


def add(first: Path, other: Path) -> list[Path]:
    return [other, first]


def change(first: Path, _: Path) -> list[Path]:
    return [write_zip(first, faces(1, 2, 4))]


def move_zip(first: Path, _: Path) -> list[Path]:
    return [first.rename(first.with_name("renamed.zip"))]


def copy_zip(first: Path, _: Path) -> list[Path]:
    return [Path(shutil.copy(first, first.with_name("copied.zip")))]


@pytest.mark.parametrize("step", [add, change, move_zip, copy_zip])
def test_the_same_sources_are_prepared_again(
    tmp_path: Path, first: Path, other: Path, step: Callable[[Path, Path], list[Path]]
) -> None:
    out = tmp_path / "out"
    prepare([first], out)
    sources = step(first, other)

    dataset = prepare(sources, out)

    assert dataset.data_hash == prepare(sources, tmp_path / "elsewhere").data_hash


def test_other_options_and_a_new_place_are_no_other_sources(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "here" / "faces", {**faces(1, 2), "odd/3.png": png(blobs(3))})
    out = tmp_path / "out"
    prepare([source], out)

    prepare([source], out, class_set="seven")
    mapped = prepare([f"folder={source}"], out, names=NameMap.parse(["odd=fear"]))
    assert sorted(mapped.manifest["label"]) == ["fear", "happiness", "sadness"]

    (tmp_path / "there").mkdir()
    moved = source.rename(tmp_path / "there" / "faces")
    write_folder(moved, faces(4))
    assert len(prepare([moved], out).manifest) == 3


def test_work_of_a_killed_run_and_a_damaged_set_may_be_replaced(
    tmp_path: Path, first: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "find_pairs", die)
        with pytest.raises(KeyboardInterrupt):
            prepare([first], out)

    assert len(prepare([other], out).manifest) == 2
    (out / "dataset.json").write_text("{")
    assert len(prepare([first], out).manifest) == 3


def test_a_data_file_of_the_user_is_none_of_ours(tmp_path: Path, first: Path) -> None:
    out = write_folder(tmp_path / "out", {"dataset.json": b'{"name": "mine"}'})

    with pytest.raises(DataError, match=r"out holds dataset\.json, but no data set"):
        prepare([first], out)

    assert contents(out) == {"dataset.json": b'{"name": "mine"}'}


def test_the_demo_is_prepared_again_also_where_its_folder_was_copied(
    tmp_path: Path, few: None, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = prepare(["demo"], "demo")
    copied = Path(shutil.copytree(tmp_path / "demo", tmp_path / "copied"))

    assert prepare(["demo"], "demo", class_set="seven").data_hash == made.data_hash
    assert prepare(["demo"], copied, class_set="seven").data_hash == made.data_hash
    assert holds_demo(copied)
    prepare([first], tmp_path / "out")
    shutil.copy(copied / "demo.zip", tmp_path / "out")
    assert not holds_demo(tmp_path / "out")
    assert load_dataset("demo").info["class_set"] == "seven"
