"""Errors as sentences, and what the log keeps."""

import logging
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core import ImageError
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
