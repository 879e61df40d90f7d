"""Errors as a visitor sees them: one clear sentence, never a traceback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core import CoreError
from webapp.text import literal

logger = logging.getLogger(__name__)

UNEXPECTED = (
    "Something went wrong that should not have. What happened is in the app's log; "
    "please try again, or with another picture or setting."
)


def sentence(error: Exception) -> str:
    """What to tell the visitor; an error nobody foresaw goes to the log with its traceback."""
    if isinstance(error, CoreError):
        return str(error)
    logger.error("A page met an unexpected error", exc_info=error)
    return UNEXPECTED


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show an error in the page and go on after the block."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a page's outermost edge; `sentence` logs
        st.error(literal(sentence(error)))
