"""Buttons that hand out what a closer look shows."""

from collections.abc import Callable
from pathlib import PurePath

import streamlit as st

from webapp.explaining.sheet import Sheet
from webapp.explaining.subject import Subject


def offer(
    subject: Subject, what: str, figure: Callable[[], Sheet], numbers: Callable[[], str]
) -> None:
    """Draw three buttons; their files are made at the click.

    That happens outside of the visit's script, so nothing here may ask for what is kept for the
    visit: `figure` and `numbers` work on values at hand.

    Args:
        subject: Gives the files their names.
        what: Of them, one word, for example "parts".
        figure: Makes the figure.
        numbers: Makes the JSON.
    """
    stem = f"{PurePath(subject.picture.name).stem}-face{subject.number + 1}-{what}"
    choices: tuple[tuple[str, Callable[[], str | bytes], str, str, str], ...] = (
        ("PNG", lambda: figure().png(), "png", "image/png", "The figure as a picture"),
        (
            "SVG",
            lambda: figure().svg(),
            "svg",
            "image/svg+xml",
            "The figure with its words as text",
        ),
        ("JSON", numbers, "json", "application/json", "All numbers, maps included"),
    )
    with st.container(horizontal=True):
        for title, data, suffix, kind, explained in choices:
            st.download_button(
                title,
                data,
                f"{stem}.{suffix}",
                kind,
                key=f"{what} {title}",
                help=explained,
                icon=":material/download:",
                on_click="ignore",
            )
