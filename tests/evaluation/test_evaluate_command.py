"""`python -m core evaluate` on a small network, from the weights file to the JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from command_line import exit_code
from grey_faces import rows_of, write_dataset

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

    code: int
    out: str
    err: str


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `python -m core` in this process."""

    def run(*arguments: str) -> Done:
        code = exit_code(*arguments, monkeypatch=monkeypatch)
        return Done(code, *capsys.readouterr())

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


STRATA = "name,glasses,hat\n" + "".join(
    f"raf_db.zip!{i}/face.png,{'yes' if i < 10 else 'no'},{'red' if i else ''}\n" for i in range(20)
)


@pytest.fixture
def strata(tmp_path: Path, run: Path, core: Command) -> Path:
    """A list of twenty of the forty test faces, and an evaluated run."""
    assert core("evaluate", "tiny").code == 0
    path = tmp_path / "worn.csv"
    path.write_text(STRATA)
    return path


def test_strata_are_printed_kept_and_written(core: Command, strata: Path, tmp_path: Path) -> None:
    target = tmp_path / "strata.json"

    done = core("strata", "tiny", str(strata), "--column", "glasses", "--json", str(target))

    assert done.code == 0, done.err
    (found,) = json.loads(target.read_text())["groupings"]
    assert [(row["stratum"], row["n"]) for row in found["rows"]] == [
        ("yes", 10),
        ("no", 10),
        ("", 20),
    ]
    assert found["name"] == "worn, glasses"
    for text in ("by worn, glasses", "yes", "10 (few)", "(in none)", "less the rest"):
        assert text in done.out
    assert f"kept in {tmp_path / 'checkpoints' / 'tiny'}" in done.err


def test_faithfulness_by_stratum_is_measured_when_asked_for(core: Command, strata: Path) -> None:
    done = core("strata", "tiny", str(strata), "--column", "hat", "--faces", "3", "--json", "-")

    (found,) = json.loads(done.out)["groupings"]
    asked = {row["stratum"]: row["faithfulness"] for row in found["rows"]}
    assert found["faces"] == 3
    assert all(one is None or 1 <= one["n"] <= 3 for one in asked.values())
    assert any(asked.values())


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], "worn.csv has several columns that may hold strata: glasses, hat. Choose one (--col"),
        (
            ["--column", "shoes"],
            "worn.csv has no column 'shoes' of strata: found name, glasses",
        ),
    ],
)
def test_an_unclear_list_of_strata_is_one_line_on_stderr(
    core: Command, strata: Path, arguments: list[str], wanted: str
) -> None:
    done = core("strata", "tiny", str(strata), *arguments)

    assert done.code == 1
    assert done.err.startswith("Error: ")
    assert wanted in done.err
    assert done.err.count("\n") == 1


def test_a_column_without_a_list_is_refused(core: Command, run: Path) -> None:
    done = core("strata", "tiny", "--column", "glasses")

    assert done.code == 2
    assert "name the file of the list" in done.err


def test_strata_of_a_run_without_predictions_say_what_to_do(core: Command, run: Path) -> None:
    done = core("strata", "tiny", "--by", "sharpness")

    assert done.code == 1
    assert "Run: python -m core evaluate tiny" in done.err
