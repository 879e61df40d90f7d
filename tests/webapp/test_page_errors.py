"""Errors as sentences, and what the log keeps."""

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from streamlit.testing.v1 import AppTest

from core import ImageError
from core.paths import PROJECT_ROOT
from webapp import errors
from webapp.errors import UNEXPECTED, sentence


def test_our_errors_are_shown_as_they_are() -> None:
    assert sentence(ImageError("Found text.")) == "Found text."


def test_others_are_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        text = sentence(RuntimeError("/secret/path"))

    assert text == UNEXPECTED
    assert "/secret/path" in caplog.text


def test_a_page_goes_on_after_an_error_and_stops_where_it_is_told_to() -> None:
    def page() -> None:
        import streamlit as st

        from core import ImageError
        from webapp.errors import shown_errors

        with shown_errors():
            raise ImageError("Found *nothing*.")
        st.text("after")
        with shown_errors():
            st.stop()
        st.text("never")

    app = AppTest.from_function(page).run()

    assert not app.exception
    assert [error.value for error in app.error] == [r"Found \*nothing\*."]
    assert [text.value for text in app.text] == ["after"]


def _page_with_a_log(log: "Path", other: "Path") -> None:
    from webapp.errors import show_log

    show_log(log, other)


def test_the_end_of_the_first_log_that_says_something_is_shown(tmp_path: Path) -> None:
    empty, full = tmp_path / "train.log", tmp_path / "output.log"
    lines = [f"line {number}" for number in range(30)]
    full.write_text("\n".join([*lines, f"{PROJECT_ROOT}/core/video/job.py: at the very end"]))

    app = AppTest.from_function(_page_with_a_log, args=(empty, full)).run()

    shown = app.code[0].value.splitlines()
    assert shown == [*lines[11:], "core/video/job.py: at the very end"]


def test_there_is_no_log_where_there_is_nothing_to_say_or_strangers_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "job.log"
    page = partial(AppTest.from_function, _page_with_a_log, args=(log, log))
    assert not page().run().expander

    log.write_text("Something.")
    assert page().run().expander
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")
    assert not page().run().expander


@pytest.fixture(autouse=True)
def _levels_restored() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in errors.TALKATIVE}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("name", ["aioice.ice", "aiortc.rtp", "streamlit_webrtc.webrtc"])
def test_addresses_of_visitors_stay_out_of_the_log(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    errors.set_up()

    logging.getLogger(name).info("Adding ICE candidate: 192.0.2.7")
    logging.getLogger(name).warning("Could not decode a frame")

    assert caplog.messages == ["Could not decode a frame"]


def test_our_own_words_reach_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        errors.set_up()
        logging.getLogger("webapp.live_camera.stream").info("A stream began")

    assert caplog.messages == ["A stream began"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("{runs}/mine/card.json is missing", "mine/card.json is missing"),
        ("Nothing in {runs}.", "Nothing in runs."),
        ("{data}/raf-db and {runs}/mine", "raf-db and mine"),
        ("{data}-two is another folder", "{data}-two is another folder"),
        ("/home/me/faces has no picture", "/home/me/faces has no picture"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
    ],
)
def test_no_folder_of_the_server_is_shown(
    said: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {"runs": "/srv/studio/runs", "data": "/srv/studio/data"}
    monkeypatch.setenv("GIMEFIVE_RUNS", folders["runs"])
    monkeypatch.setenv("GIMEFIVE_DATA", folders["data"])

    assert sentence(ImageError(said.format(**folders))) == shown.format(**folders)


def test_an_uploaded_file_is_named_as_the_visitor_named_it() -> None:
    with TemporaryDirectory() as folder:
        assert sentence(ImageError(f"{folder}/a/me.jpg is no picture")) == "a/me.jpg is no picture"
