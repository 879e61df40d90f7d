"""The commands a user types: what they write, and one line where something is wrong."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import PIL.Image
import pytest
import typer
from clips import walking_face, write_clip
from command_line import exit_code
from noise_run import save_run
from photos import sample_photo
from typer.core import TyperGroup

from core.models import MODELS

LABELS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")


@pytest.fixture
def untrained(own_runs: Path) -> str:
    return save_run(own_runs / "untrained", depth=3, width=8).name


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut.png"
    PIL.Image.fromarray(sample_photo()).save(path)
    return path


def test_models_lists_all_with_exact_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("models", "--json", tmp_path / "models.json", monkeypatch=monkeypatch) == 0

    rows = json.loads((tmp_path / "models.json").read_text())
    assert [row["name"] for row in rows] == list(MODELS)
    assert rows[0] == {
        "name": "gimefive", "layers": 15, "architecture": "+DO+BN-SE", "parameters": 10_478_086,
    }  # fmt: skip
    assert "10,478,086" in capsys.readouterr().out


def test_classify_writes_a_row_a_file(
    untrained: str,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    out = tmp_path / "out" / "scores.csv"

    code = exit_code(
        "classify", photo, tmp_path / "broken.jpg", "--out", out, "--checkpoint", untrained,
        "--faces", "detect", monkeypatch=monkeypatch,
    )  # fmt: skip

    with out.open(newline="") as file:
        good, bad = csv.DictReader(file)
    assert code == 0
    assert sum(float(good[label]) for label in LABELS) == pytest.approx(1.0)
    assert good["predicted"] in LABELS
    assert (good["status"], bad["status"]) == ("ok", "unreadable")
    assert bad["error"]
    assert "2 files: 1 scored" in capsys.readouterr().out


def test_no_picture_is_overwritten(
    untrained: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own" / "overlay.png"
    own.parent.mkdir()
    own.write_bytes(photo.read_bytes())

    for command, out in (("classify", own), ("explain", own.parent)):
        assert exit_code(
            command, own, "--out", out, "--checkpoint", untrained, monkeypatch=monkeypatch
        )

    assert own.read_bytes() == photo.read_bytes()
    assert list(own.parent.iterdir()) == [own]


@pytest.mark.parametrize(("faces", "is_told"), [("auto", True), ("whole", False)])
def test_classify_says_what_helps_where_files_without_a_face_are_faces_themselves(
    faces: str,
    is_told: bool,
    untrained: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    PIL.Image.fromarray(np.full((300, 500, 3), 128, np.uint8)).save(tmp_path / "wall.png")

    code = exit_code("classify", tmp_path / "wall.png", "--out", tmp_path / "s.csv", "--checkpoint",
               untrained, "--faces", faces, monkeypatch=monkeypatch)  # fmt: skip

    said = capsys.readouterr().out
    assert code == 0
    assert ("1 without a face found" in said) == is_told
    assert ("--faces whole scores them as they are." in said) == is_told


def test_classify_says_that_there_were_more_faces_and_gives_them_rows(
    untrained: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    head = sample_photo()[:260, 90:400]
    pair, out = tmp_path / "pair.png", tmp_path / "s.csv"
    PIL.Image.fromarray(np.hstack([head, head[:, ::-1]])).save(pair)
    words = ("classify", pair, "--out", out, "--checkpoint", untrained)

    assert exit_code(*words, monkeypatch=monkeypatch) == 0
    alone = capsys.readouterr().out
    assert exit_code(*words, "--all-faces", monkeypatch=monkeypatch) == 0

    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert "In 1 of them more than one face was found, and the largest scored" in alone
    assert len({(row["left"], row["top"]) for row in rows}) == 2


def test_explain_writes_pictures_and_the_numbers_behind_them(
    untrained: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "explained"

    code = exit_code("explain", photo, "--out", out, "--checkpoint", untrained, "--target", "all",
               monkeypatch=monkeypatch)  # fmt: skip

    content = json.loads((out / "explanation.json").read_text())
    assert code == 0
    assert (content["method"], content["checkpoint"]) == ("smooth_layer_cam", "untrained")
    (face,) = content["faces"]
    assert len(face["landmarks"]) == 68
    assert list(face["maps"]) == list(face["blank"]) == list(LABELS)
    assert np.array(face["maps"]["fear"]).shape == (16, 16)
    assert face["predicted"] == max(face["probabilities"], key=face["probabilities"].__getitem__)
    with PIL.Image.open(out / f"face-1-{face['predicted']}.png") as picture:
        assert picture.size == (768, 256)
    with PIL.Image.open(out / "overlay.png") as picture:
        assert picture.size == (512, 512)
    assert len(list(out.glob("face-1-*.png"))) == 6


def test_an_exported_file_answers_like_the_checkpoint(
    untrained: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "model.onnx"

    assert exit_code("export", untrained, "--onnx", target, monkeypatch=monkeypatch) == 0

    from core.predict import Predictor

    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    session = onnxruntime.InferenceSession(str(target))
    logits, maps = session.run(None, {"pixels": pixels})
    expected = Predictor.load(untrained, "torch").logits(pixels)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert maps.shape == (2, 6, 16, 16)
    said = capsys.readouterr()
    assert json.loads(said.out)["labels"] == list(LABELS)
    assert said.err.startswith("The network untrained, as an ONNX file: 64 x 64 grey pixels go in,")
    assert (
        f"scores of 6 expressions and a map of each by Grad-CAM come out. Written to {target}."
        in (said.err)
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("classify", "/nowhere", "--out", "x.csv"), "does not exist"),
        (("classify", ".", "--out", "x.csv", "--faces", "some"), "auto, whole or detect"),
        (
            ("classify", ".", "--out", "x.csv", "--faces", "whole", "--all-faces"),
            "--all-faces cannot apply beside --faces whole",
        ),
        (("explain", "x.png", "--out", "x", "--checkpoint", "none-such"), "no checkpoint"),
        (("train", "nonsense"), "DATA-MODEL-RECIPE"),
        (("train",), "Nothing to train"),
        (("evaluate",), "Missing"),
        (("classify", "a", "--out", "file/s.csv"), "file is no folder"),
        (("classify", "a", "--out", "empty"), "empty is a folder; expected the name of a file"),
        (("explain", "x.png", "--out", "file"), "file is a file; expected a folder"),
        (("video", "x.mp4", "--out", "file/below"), "file is no folder"),
        (("export", "untrained", "--onnx", "empty"), "empty is a folder"),
        (("models", "--json", "nowhere/m.json"), "cannot be written"),
        (("prepare", "demo", "--out", "file"), "file is a file; expected a folder"),
        (("classify", "empty", "--out", "s.csv"), "no file in empty"),
        (("classify", ".", "--out", "s.csv", "--checkpoint", "net.pth"), "of another program"),
        (("classify", ".", "--out", "s.csv", "--checkpoint", "inside/in"), "lacks card.json and"),
        (("train", "marked.json", "--run", "mine"), "nowhere"),
        (("train", "wide.json", "--run", "mine"), "nowhere"),
        (("explain", "x.png", "--out", "x", "--faces", "most"), "auto, whole or detect"),
        (
            ("models", "--summary", "vgg", "--json", "m.json"),
            "--json cannot apply beside",
        ),
        (("train", "--list", "--set", "epochs=1"), "--set cannot apply beside --list"),
        (("tune", "--resume", "--run", "x", "--trials", "5"), "--trials cannot apply beside"),
        (("tune", "table3", "--resume", "--run", "x"), "table3 cannot apply beside --resume"),
        (("bench", "--only", "naps", "--checkpoint", "untrained"), "no bench 'naps'"),
    ],
)
def test_an_error_is_one_line_on_stderr_and_a_failing_exit_code(
    words: tuple[str, ...],
    sentence: str,
    untrained: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "inside" / "in").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    (tmp_path / "net.pth").write_bytes(b"PK")
    settings = json.dumps({"model": "gimefive", "data": "nowhere", "epochs": 1})
    (tmp_path / "marked.json").write_text(settings, encoding="utf-8-sig")
    (tmp_path / "wide.json").write_text(settings, encoding="utf-16")

    code = exit_code(*words, monkeypatch=monkeypatch)

    captured = capsys.readouterr()
    assert code != 0
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_every_verb_explains_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.cli import app

    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    verbs = list(group.commands)

    assert {"classify", "explain", "models", "export", "train", "evaluate", "bench"} <= set(verbs)
    for verb in verbs:
        assert exit_code(verb, "--help", monkeypatch=monkeypatch) == 0


def test_figures_printed_as_json_are_nothing_but_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("models", "--json", "-", monkeypatch=monkeypatch) == 0

    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == list(MODELS)


def test_a_device_that_is_not_there_is_refused_before_a_folder_is_made(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)

    code = exit_code("train", "rafdb-gimefive-paper", "--set", "accelerator=cuda", "--run", "mine",
               monkeypatch=monkeypatch)  # fmt: skip

    assert code == 1
    assert "0 of them can be used here" in capsys.readouterr().err
    assert list(own_runs.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_replaced_for_a_while_and_named(
    untrained: str,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("GIMEFIVE_CACHE", str(photo / "cache"))

    code = exit_code("classify", photo, "--out", tmp_path / "s.csv", "--checkpoint", untrained,
               monkeypatch=monkeypatch)  # fmt: skip

    assert code == 0
    assert "astronaut.png/cache, cannot be written" in caplog.text
    assert "set GIMEFIVE_CACHE" in caplog.text
    assert (tmp_path / "s.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_stops_early_is_no_error(unbuffered: str) -> None:
    command = f"{sys.executable} -m core train --list | true"
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}

    done = subprocess.run(
        command, shell=True, env=environment, capture_output=True, text=True
    )  # fmt: skip

    assert done.stderr == ""


@pytest.mark.slow
def test_the_module_runs_as_a_program() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "core", "train", "--list"], capture_output=True, text=True
    )

    assert result.returncode == 0
    assert result.stdout.startswith("rafdb-vgg-paper\n")


@pytest.mark.parametrize("verb", ["classify", "video"])
def test_scoring_a_second_time_loads_no_torch(
    verb: str,
    untrained: str,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    film = write_clip(tmp_path / "in.mp4", walking_face(6))
    words = {
        "classify": (photo, "--out", "scores.csv"),
        "video": (film, "--out", "film", "--method", "grad_cam"),
    }[verb]
    command = [verb, *map(str, words), "--checkpoint", untrained, "--restart"]
    monkeypatch.chdir(tmp_path)
    assert exit_code(*command, monkeypatch=monkeypatch) == 0  # writes the network's file
    code = (
        f"import sys; sys.argv = {['core', *command]!r}\n"
        "from core.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as ended:\n    assert not ended.code\n"
        "print('torch' in sys.modules, file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "False"
