"""`prepare`, `audit` and `frame` as a user types them."""

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import typer
from typer.testing import CliRunner

from core.cli import data
from core.errors import DataError


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(data.prepare)
    app.command()(data.audit)
    app.command()(data.frame)
    return app


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    dice = np.random.default_rng(0)
    for name in ("happy", "neutral"):
        (tmp_path / "faces" / name).mkdir(parents=True)
        for number in range(3):
            picture = PIL.Image.fromarray(dice.integers(0, 256, (64, 64), dtype=np.uint8))
            picture.save(tmp_path / "faces" / name / f"{number}.png")
    return tmp_path / "faces"


def test_prepare_and_audit(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    out, figures = tmp_path / "out", tmp_path / "figures.json"

    prepared = CliRunner().invoke(app, ["prepare", str(faces), "--out", str(out)])
    audited = CliRunner().invoke(app, ["audit", str(out), "--json", str(figures)])

    assert prepared.exit_code == audited.exit_code == 0
    assert f"3 pictures in {out}, 3 skipped." in prepared.stdout
    assert "Reading pictures: 3 of 3" in prepared.stderr
    assert "| Folder of class folders | train | 3 | 3 |" in audited.stdout
    assert json.loads(figures.read_text())["counts"] == {"folder": {"train": {"happiness": 3}}}


def test_a_step_from_frame_to_frame_is_refused_where_there_is_no_video(
    app: typer.Typer, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    done = CliRunner().invoke(app, ["prepare", str(faces), "--out", str(out), "--frame-step", "5"])

    assert isinstance(done.exception, DataError)
    assert "no source holds videos" in str(done.exception)
    assert not (out / "manifest.csv").exists()


def test_frame_says_in_how_many_pictures_it_found_a_face(
    app: typer.Typer, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    CliRunner().invoke(app, ["prepare", str(faces), "--out", str(out)])

    framed = CliRunner().invoke(app, ["frame", str(out), "--source", "folder"])

    assert framed.exit_code == 0
    assert "A face was found in 0 of 3 pictures looked at." in framed.stdout
    assert "Finding faces: 3 of 3" in framed.stderr


def test_audit_prints_json_only_when_asked(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["prepare", f"folder={faces}", "--out", str(out), "--class-set", "seven"]
    CliRunner().invoke(app, arguments)

    audited = CliRunner().invoke(app, ["audit", str(out), "--json", "-"])

    counts = json.loads(audited.stdout)["counts"]
    assert counts == {"folder": {"train": {"happiness": 3, "neutral": 3}}}


def test_errors_reach_the_command_line_as_one_of_ours(app: typer.Typer, tmp_path: Path) -> None:
    absent, out = tmp_path / "absent.zip", tmp_path / "out"

    result = CliRunner().invoke(app, ["prepare", str(absent), "--out", str(out)])

    assert isinstance(result.exception, DataError)
    assert not out.exists()
