"""Folders of one's own in the explorer: what was understood, and what names mean."""

import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from streamlit.testing.v1 import AppTest

from core.data import load_dataset
from webapp.dataset_explorer import prepare_job, preparing

PAGE = "../pages/dataset_explorer.py"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data root."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("GIMEFIVE_DATA", str(folder))
    return folder


def make(root: Path, *folders: str) -> None:
    """A picture in every folder."""
    dice = np.random.default_rng(3)
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
        cells = dice.integers(0, 256, (8, 8), dtype=np.uint8)
        picture = PIL.Image.fromarray(np.kron(cells, np.ones((8, 8), np.uint8)))
        picture.save(root / folder / f"{number}.png")


def test_what_was_understood_is_shown_before_the_button_builds_it(
    app: AppTest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, ...]] = []
    monkeypatch.setattr(preparing, "_start", lambda *values: begun.append(values[-1].pairs()[0]))
    make(root / "own", "train/1", "train/2", "val_set/2")
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Prepare"
    app.run()

    app.multiselect(key="prepare sources").set_value(["own"]).run()

    assert app.dataframe[0].value["class"].tolist() == ["?", "?", "?"]
    assert app.dataframe[0].value["split"].tolist() == ["train", "train", "valid (val_set)"]
    assert "own gives its classes as numbers (1, 2)" in app.warning[0].value.replace("\\", "")
    assert app.button(key="prepare").disabled

    app.text_input(key="prepare map").set_value("1=anger, 2=fear")
    app.text_input(key="prepare name").set_value("mine").run()

    assert app.dataframe[0].value["class"].tolist() == ["anger", "fear", "fear"]
    assert not app.warning

    app.button(key="prepare").click().run()

    assert not app.exception
    assert begun == [("1=anger", "2=fear")]
    assert str(root) not in str([*app.warning, *app.markdown])


def test_a_preparation_does_what_names_were_said_to_mean(root: Path) -> None:
    make(root / "own", "train/1", "archive/2", "misc/3")
    preparing.record_path("mine").parent.mkdir()
    preparing.Preparation(
        "mine",
        (str(root / "own"),),
        "six",
        "running",
        time.time(),
        class_map=("1=anger", "2=fear", "3=skip"),
        split_map=("archive=test", "misc=train"),
    ).save()

    assert prepare_job.run("mine")

    manifest = load_dataset(root / "mine").manifest
    assert manifest[["label", "split"]].to_numpy().tolist() == [
        ["fear", "test"],
        ["anger", "train"],
    ]


def test_what_cannot_be_used_is_said_before_the_button(app: AppTest, root: Path) -> None:
    make(root / "own", "")
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Prepare"
    app.run()

    app.multiselect(key="prepare sources").set_value(["own"]).run()
    app.text_input(key="prepare map").set_value("1=cheese").run()

    assert not app.exception
    assert "no pair NAME=MEANING" in app.error[0].value
    assert str(root) not in app.error[0].value

    app.text_input(key="prepare map").set_value("").run()

    assert "own holds pictures without labels" in app.warning[0].value
