"""What the explorer tells of a preparation that the visitor began, on whatever view they are."""

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
def _forgotten(data: Path) -> None:
    """The drawings are other tests', too."""
    preparing.record_path("mine").unlink(missing_ok=True)


@pytest.mark.parametrize("view", ["Prepare", "Overview"])
def test_why_it_failed_is_said_with_its_log(app: AppTest, view: str) -> None:
    ended(app, view, "failed", "Out of luck.")

    assert "Out of luck." in app.error[0].value
    assert app.code[0].value == "Traceback: at the very end"


def test_that_it_is_ready_is_said_once(app: AppTest) -> None:
    ended(app, "Overview", "finished")

    assert [toast.value for toast in app.toast] == ["mine is ready."]
    assert not app.run().toast
