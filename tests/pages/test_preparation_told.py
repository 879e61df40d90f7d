"""What the explorer tells of a preparation that the visitor began, on whatever view they are."""

import shutil
import time
from pathlib import Path
from typing import Literal

import pytest
from streamlit.testing.v1 import AppTest

from webapp.dataset_explorer import preparing
from webapp.dataset_explorer.start import WATCHED

State = Literal["finished", "failed"]


def ended(app: AppTest, view: str, state: State, message: str = "") -> AppTest:
    """The explorer's view for somebody whose preparation of "mine" has ended meanwhile."""
    preparing.record_path("mine").parent.mkdir(exist_ok=True)
    preparing.Preparation("mine", (), "six", state, time.time(), message).save()
    preparing.log_path("mine").write_text("Traceback: at the very end")
    app.run().switch_page("../pages/dataset_explorer.py")
    app.query_params["view"] = view
    app.session_state[WATCHED] = "mine"
    return app.run()


@pytest.fixture(autouse=True)
def root(drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root of one's own with the drawings."""
    folder = tmp_path / "data"
    shutil.copytree(drawings / "demo", folder / "demo")
    monkeypatch.setenv("GIMEFIVE_DATA", str(folder))
    return folder


@pytest.mark.parametrize("view", ["Prepare", "Overview"])
def test_why_it_failed_is_said_with_its_log(app: AppTest, view: str) -> None:
    ended(app, view, "failed", "Out of luck.")

    assert "Out of luck." in app.error[0].value
    assert app.code[0].value == "Traceback: at the very end"


def test_that_it_is_ready_is_said_once(app: AppTest) -> None:
    ended(app, "Overview", "finished")

    assert [toast.value for toast in app.toast] == ["mine is ready."]
    assert not app.run().toast


def test_a_set_with_nothing_to_learn_from_is_no_success_alone(app: AppTest, root: Path) -> None:
    shutil.copytree(root / "demo", root / "mine")
    clean = root / "mine" / "splits" / "clean.csv"
    clean.write_text(
        clean.read_text().replace(",train,", ",drop,contradicting").replace(",valid,", ",drop,")
    )

    ended(app, "Prepare", "finished")

    assert ["nothing is left to learn from" in said.value for said in app.warning] == [True]
