"""Errors become one sentence; Streamlit's own signals pass."""

import logging

import pytest
from streamlit.testing.v1 import AppTest

from core import ImageError
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
