"""`prepare`, `audit`, `mislabelled` and `frame` as a user types them."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest
import typer
from typer.testing import CliRunner

from core.cli import data
from core.data import load_dataset, read_exclude
from core.data.votes import CHOICES
from core.errors import DataError


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(data.prepare)
    app.command()(data.audit)
    app.command()(data.mislabelled)
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
    assert "| Own pictures | train | 3 | 3 |" in audited.stdout
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


def test_mislabelled_ranks_and_compares_with_raters(
    app: typer.Typer, tmp_path: Path, made_checkpoint: Callable[..., Path]
) -> None:
    made_checkpoint("judge", data={"sources": ["ck_plus"]}, share=0.9)
    dice = np.random.default_rng(0)
    for name in ("happy", "surprise"):
        folder = tmp_path / "fer" / "train" / name
        folder.mkdir(parents=True)
        for number in range(30):
            picture = PIL.Image.fromarray(dice.integers(0, 256, (48, 48), dtype=np.uint8))
            picture.save(folder / f"Training_{number}.png")
    out, ranking = tmp_path / "out", tmp_path / "ranking.csv"
    CliRunner().invoke(app, ["prepare", f"fer2013={tmp_path / 'fer'}", "--out", str(out)])
    manifest = load_dataset(out).manifest
    pd.DataFrame(
        {
            "folder": "train/happy",
            "name": [f"Training_{number}.png" for number in range(30)],
            "usage": "Training",
            **dict.fromkeys(CHOICES, 0),
            "surprise": 8,
            "happiness": 2,
        }
    ).to_csv(tmp_path / "ferplus-votes.csv", index=False)

    done = CliRunner().invoke(
        app, ["mislabelled", str(out), "--run", "judge", "--out", str(ranking)]
    )

    assert done.exit_code == 0, done.output
    kept, table = out / "mislabelled" / "judge-train.csv", pd.read_csv(ranking)
    trained = int((load_dataset(out).split("clean")["part"] == "train").sum())
    assert f"{trained} pictures of train" in done.stdout
    assert "by answers of the network." in done.stdout
    assert "one other choice for 100.0% of the first" in done.stdout
    assert kept.is_file()
    # The network says surprise with 0.9 everywhere: all that is labelled happiness comes first.
    happy = table["label"] == "happiness"
    assert happy.tolist() == sorted(happy, reverse=True)
    assert table.loc[happy, "surprise"].eq(8).all()
    assert table.loc[~happy, "surprise"].isna().all()
    assert set(read_exclude(ranking)["pixel_hash"]) <= set(manifest["pixel_hash"])


def test_a_ranking_that_could_not_be_kept_is_refused_before_the_work(
    app: typer.Typer, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    CliRunner().invoke(app, ["prepare", str(faces), "--out", str(out)])
    monkeypatch.setattr("core.cli.data.os.access", lambda path, mode: mode != os.W_OK)

    done = CliRunner().invoke(app, ["mislabelled", str(out)])

    assert isinstance(done.exception, DataError), done.output
    assert "with --out" in str(done.exception)
