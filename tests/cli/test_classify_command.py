"""`classify` where what it is given is not only pictures."""

import csv
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from command_line import exit_code
from noise_run import save_run


@pytest.fixture
def few(own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures, below the one to work in, where `mine` is a checkpoint."""
    save_run(own_runs / "mine", depth=2, width=4)
    folder = tmp_path / "few"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    for name, pixels in zip("ab", noise, strict=True):
        PIL.Image.fromarray(pixels).save(folder / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return folder


def classified(monkeypatch: pytest.MonkeyPatch, *words: str, out: str = "s.csv") -> int:
    options = ("--out", out, "--checkpoint", "mine", "--faces", "whole", "--engine", "here")
    return exit_code("classify", *words, *options, monkeypatch=monkeypatch)


def files_in(table: str) -> list[str]:
    with Path(table).open(newline="") as file:
        return [row["filepath"] for row in csv.DictReader(file)]


def test_where_no_file_is_a_picture_the_exit_code_says_so(
    few: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("list.csv").write_text("path,label\nfew/a.png,happy\n")

    assert classified(monkeypatch, "list.csv") == 1

    said = capsys.readouterr()
    assert "1 unreadable. Written to s.csv." in said.out
    assert "Error: Nothing was scored: none of what was given is a picture" in said.err
    assert classified(monkeypatch, "list.csv", "few") == 0


def test_its_own_table_and_the_files_of_the_system_are_no_pictures_of_a_folder(
    few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (few / name).write_bytes(b"of the system")
    named = [str(path) for path in sorted(few.iterdir()) if path.suffix != ".png"]

    for out in ("few/s.csv", "few/s.csv", str(few / "s.csv")):
        assert classified(monkeypatch, "few", *named, out=out) == 0
        assert files_in(out) == ["few/a.png", "few/b.png"]


def test_a_path_that_is_named_twice_is_scored_once(
    few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (few / ".hidden").mkdir()
    (few / "b.png").rename(few / ".hidden" / "b.png")
    Path("link").symlink_to(few)
    named = ("few/a.png", "few", "./few", str(few), "link", "few/../few/a.png", "few/.hidden")

    assert classified(monkeypatch, *named, "few/.hidden") == 0

    assert files_in("s.csv") == ["few/a.png", "few/.hidden/b.png"]


@pytest.mark.parametrize("engine", ["foo", "ray,foo", ""])
def test_an_unknown_engine_is_told_with_every_word_that_is_known(
    engine: str,
    few: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("classify", "few", "--out", "s.csv", "--engine", engine)

    assert exit_code(*words, monkeypatch=monkeypatch) == 2

    assert (
        f"--engine names {engine.rpartition(',')[2]!r}; expected one of auto, exact, int8, torch, "
        "one of ray, processes, here, or one of each"
    ) in capsys.readouterr().err
