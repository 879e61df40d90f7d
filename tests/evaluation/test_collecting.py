"""8 bits are measured on the clean validation part of the run's own data."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from evaluated_run import prepared, write_run
from typer.testing import CliRunner

from core.cli import inference
from core.data import load_dataset
from core.errors import DataError
from core.evaluation import measure_quantisation
from core.inference import Quantisation, engine


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "shapes", data)


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.evaluation.collecting.FEWEST_TO_CALIBRATE", 5)


@pytest.mark.usefixtures("few_are_enough")
def test_figures_are_those_of_the_validation_faces(run: Path, data: Path) -> None:
    found = measure_quantisation(run, data)

    valid = load_dataset(data).part("clean", "valid")
    exact, _ = engine(run, "exact").run(valid.images)
    small, _ = engine(run, "int8").run(valid.images)
    assert found.faces == len(valid)
    assert found.accuracy_exact == np.mean(exact.argmax(1) == valid.labels)
    assert found.accuracy_int8 == np.mean(small.argmax(1) == valid.labels)
    assert Quantisation.load(run) == found


def test_faces_that_a_network_has_learnt_from_do_not_judge_8_bits(
    run: Path, data: Path, tmp_path: Path
) -> None:
    other = tmp_path / "published"
    shutil.copytree(run, other)
    card = json.loads((other / "card.json").read_text())
    card["data"]["split"] = "published"
    (other / "card.json").write_text(json.dumps(card))

    with pytest.raises(DataError, match="published was trained on the clean validation faces"):
        measure_quantisation(other, data)


def test_too_few_faces_do_not_judge_8_bits(run: Path, data: Path) -> None:
    with pytest.raises(DataError, match="9 clean validation faces for shapes; expected 50 or more"):
        measure_quantisation(run, data)


@pytest.mark.usefixtures("few_are_enough")
def test_the_command_says_what_it_costs(run: Path, data: Path) -> None:
    app = typer.Typer()
    app.command()(inference.quantise)

    said = CliRunner().invoke(app, [str(run), "--data", str(data)])

    found = Quantisation.load(run)
    assert found is not None
    assert said.exit_code == 0
    assert f"{100 * found.accuracy_int8:.2f} % in 8 bits" in said.stdout


def test_data_without_all_of_the_classes_are_refused(
    run: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.data.Dataset.labels", ("happiness", "surprise"))

    with pytest.raises(DataError, match="holds the classes happiness, surprise;"):
        measure_quantisation(run, data)
