"""`export`: what goes into the ONNX file, and what is said of it."""

import json
from pathlib import Path

import onnxruntime
import pytest
import torch
from command_line import exit_code
from noise_run import save_run

from core.models import MODELS, Card, build, save_weights
from core.preprocess import Preprocess


def cropping_network(folder: Path) -> Path:
    """A checkpoint of a network that takes pixels of 48 x 48 and looks at 44 x 44 of them."""
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    labels = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    save_weights(build("mini_xception", 7).state_dict(), folder / "weights.safetensors")
    Card(
        model="mini_xception",
        labels=labels,
        preprocess=MODELS["mini_xception"].preprocess,
        temperature=1.5,
        threshold=0.4,
    ).save(folder / "card.json")
    return folder


def test_export_says_what_size_the_graph_takes_and_the_file_says_what_its_users_need(
    own_runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, target = cropping_network(own_runs / "crops"), tmp_path / "net.onnx"

    assert exit_code("export", run.name, "--onnx", target, monkeypatch=monkeypatch) == 0

    session = onnxruntime.InferenceSession(str(target))
    said = capsys.readouterr()
    assert session.get_inputs()[0].shape[1:] == [48, 48]
    assert "48 x 48 grey pixels go in" in said.err
    stored = session.get_modelmeta().custom_metadata_map
    needed = {name: json.loads(stored[name]) for name in stored if name != "layer"}
    assert needed["labels"] == list(Card.load(run / "card.json").labels)
    assert (needed["temperature"], needed["threshold"]) == (1.5, 0.4)
    assert Preprocess.from_json(needed["preprocess"]) == MODELS["mini_xception"].preprocess
    assert json.loads(said.out).items() >= needed.items()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("export", "mine", "--onnx", "a.txt"), "a.txt ends in .txt; expected .onnx."),
        (("classify", "in", "--out", "a.xlsx"), "a.xlsx ends in .xlsx; expected .csv or .parquet."),
        (("classify", "in", "--out", "scores"), "scores has no ending; expected .csv or .parquet."),
        (("mislabelled", "in", "--out", "a.tsv"), "a.tsv ends in .tsv; expected .csv."),
    ],
)
def test_a_file_is_not_written_under_the_name_of_another_form(
    words: tuple[str, ...],
    sentence: str,
    own_runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_run(own_runs / "mine", depth=2, width=4)
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)

    assert exit_code(*words, monkeypatch=monkeypatch) == 2

    assert sentence in capsys.readouterr().err
    assert not (tmp_path / words[-1]).exists()
