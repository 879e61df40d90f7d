"""`python -m core evaluate` on a small network, from the weights file to the JSON."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from grey_faces import rows_of, write_dataset

from core.cli import main
from core.evaluation import Predictions
from core.labels import EMOTIONS
from core.models import Card, build, save_weights
from core.predict import Predictor

Command = Callable[..., "Done"]
ROWS = [
    *rows_of("raf_db", "test", "test", [(i % 6, (5 * i) % 6) for i in range(40)]),
    *rows_of("raf_db", "train", "valid", [(i % 6, i % 6) for i in range(60)]),
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    return write_dataset(tmp_path / "data" / "raf-db", ROWS, "a-hash")


@pytest.fixture
def run(own_runs: Path, data: Path) -> Path:
    """A network of 4 channels with random weights."""
    folder = own_runs / "tiny"
    folder.mkdir()
    options = {"width": 4, "depth": 2}
    save_weights(build("gimefive", 6, **options).state_dict(), folder / "weights.safetensors")
    facts = {"name": "raf-db", "data_hash": "a-hash", "sources": ["raf_db"], "split": "clean"}
    card = Card(model="gimefive", labels=EMOTIONS, model_options=options, data=facts)
    card.save(folder / "card.json")
    return folder


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and its texts."""

    code: object
    out: str
    err: str


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `python -m core` in this process."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["core", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        return Done(left.value.code, *capsys.readouterr())

    return run


def test_the_command_writes_the_figures_of_the_predictor_itself(
    core: Command, run: Path, tmp_path: Path
) -> None:
    target = tmp_path / "figures.json"

    done = core("evaluate", "tiny", "--split", "test", "--json", str(target))

    assert done.code == 0, done.err
    found = json.loads(target.read_text())
    images = np.stack([np.full((64, 64), row.shown * 40, np.uint8) for row in ROWS[:40]])
    logits = Predictor.load(run).logits(images)
    assert found["n"] == 40
    assert found["accuracy"] == np.mean(logits.argmax(axis=1) == [row.true for row in ROWS[:40]])
    assert found["data_hash"] == "a-hash"
    assert list(found["per_class"]) == list(EMOTIONS)
    assert "40 images" in done.out
    probabilities = Predictions.load(run).of_split("test").probabilities
    scaled = np.exp(logits / Card.load(run / "card.json").temperature)
    expected = scaled / scaled.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-9)


def test_json_on_standard_output_is_nothing_but_json(core: Command, run: Path) -> None:
    done = core("evaluate", "tiny", "--split", "valid", "--json", "-")

    found = json.loads(done.out)

    assert (found["checkpoint"], found["split"], found["n"]) == ("tiny", "valid", 60)


def test_a_split_the_data_lack_is_one_line_on_stderr(core: Command, run: Path) -> None:
    done = core("evaluate", "tiny", "--split", "published_valid")

    assert done.code == 1
    assert done.err.startswith("Error: tiny was evaluated on test, test_clean, valid, not on")
    assert done.err.count("\n") == 1


def test_an_unknown_split_is_refused(core: Command, run: Path) -> None:
    done = core("evaluate", "tiny", "--split", "exam")

    assert done.code == 2
    assert done.err.startswith("Error: ")
    assert "test_clean" in done.err


def test_table_2_is_printed_in_every_form(core: Command, own_runs: Path) -> None:
    rows = json.loads(core("table2", "--format", "json").out)

    assert len(rows) == 20
    assert core("table2").out.startswith("| data | model |")
    assert core("table2", "--format", "csv").out.startswith("dataset,model,name,")
    assert core("table2", "--format", "latex").out.startswith(r"\begin{tabular}")
    assert len(json.loads(core("table2", "--preliminary", "--format", "json").out)) == 9
