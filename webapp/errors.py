"""Errors as sentences on the page, and the log that keeps the rest."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import streamlit as st

from core import CoreError
from core.paths import PROJECT_ROOT, cache_root, data_root, read_only, run_root
from webapp.text import literal

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

logger = logging.getLogger(__name__)
UNEXPECTED = (
    "Something went wrong that should not have. What happened is in the app's log; "
    "please try again, or with another picture or setting."
)
FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# At INFO these write down the network addresses of everyone who opens the camera page.
TALKATIVE = ("aioice", "aiortc", "streamlit_webrtc")
LOG_BYTES = 8000  # read from the end of a log
LOG_LINES = 20  # shown of them


def sentence(error: Exception) -> str:
    """What to tell the visitor; an error nobody foresaw goes to the log with its traceback."""
    if isinstance(error, CoreError):
        return without_server_folders(str(error))
    logger.error("A page met an unexpected error", exc_info=error)
    return UNEXPECTED


def without_server_folders(text: str) -> str:
    """The text with files named from the app's folders on, and uploads as the visitor named them.

    >>> without_server_folders(f"{run_root()}/mine/card.json is missing")
    'mine/card.json is missing'
    """
    text = re.sub(rf"(?<![\w./-]){re.escape(gettempdir())}/[^/\s]+/", "", text)
    roots = {PROJECT_ROOT, data_root(), run_root(), cache_root(), Path(gettempdir())}
    for root in sorted(roots, key=lambda root: -len(root.parts)):
        if len(root.parts) > 1:  # "/" is no folder of the app's own
            pattern = rf"(?<![\w./-]){re.escape(str(root))}(/|(?![\w-]))"
            text = re.sub(pattern, partial(_short, root.name), text)
    return text


def _short(name: str, found: re.Match[str]) -> str:
    """Nothing for a root with something below it, its name for the root alone."""
    return "" if found[1] else name


@contextmanager
def shown_errors(place: "DeltaGenerator | None" = None) -> Iterator[None]:
    """Show an error in the page and go on after the block.

    Args:
        place: Where; None for where the page stands.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a page's outermost edge; `sentence` logs
        (place or st).error(literal(sentence(error)))


def show_log(*paths: Path, empty: str = "") -> None:
    """Draw a closed box with the end of what work beside the app has logged.

    A read-only server, which strangers may see, keeps its logs to itself.

    Args:
        paths: Files; the first that holds something is shown.
        empty: What the box says where none does; without it there is no box then.
    """
    text = next(filter(None, map(_end, paths)), empty)
    if text and not read_only():
        with st.expander("Log", key="log"):
            st.code(without_server_folders(text), language=None, wrap_lines=True)


def _end(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LOG_BYTES))
            text = file.read().decode(errors="replace").rstrip()
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_LINES:])


def set_up() -> None:
    """Send the log to the terminal; visitors' addresses stay out of it."""
    # Without a handler, errors caught at the edge of a page or a video frame would leave no trace.
    logging.basicConfig(level=logging.INFO, format=FORM)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
