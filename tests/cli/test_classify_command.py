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
