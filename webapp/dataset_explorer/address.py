"""Where a visitor is in the explorer: kept in the page's address, so that a link leads back.

The names of parameters and widgets agree: `data`, `view`, `picture`, `page`, and one a filter.
"""

import re
from collections.abc import Sequence

import streamlit as st

from webapp.navigation import VIEW

OVERVIEW, PICTURES, LEAKS, MISLABELLED, LOOKS, MAP, EXCLUDED, PREPARE = VIEWS = (
    "Overview",
    "Pictures",
    "Leaks",
    "Mislabelled",
    "How it looks",
    "Map",
    "Excluded",
    "Prepare",
)
DATA, PICTURE, PAGE = "data", "picture", "page"
FILTERS = ("source", "origin", "split", "clean", "reason", "label", "finding")


def show_view(view: str) -> None:
    """Turn to a view; for callbacks."""
    st.session_state[VIEW] = view


def show_pictures(**chosen: Sequence[str]) -> None:
    """Turn to the pictures with these filters and no others; for callbacks."""
    for name in FILTERS:
        st.session_state[name] = list(chosen.get(name, ()))
    first_page()
    show_view(PICTURES)


def first_page() -> None:
    """Begin at the first page; for callbacks of everything that changes what is listed."""
    turn_to(1)


def turn_to(page: int) -> None:
    """Turn to a page of the grid; for callbacks."""
    st.session_state[PAGE] = page


def open_picture(number: int) -> None:
    """Show a picture in full, over the present view; for callbacks."""
    st.query_params[PICTURE] = str(number)


def close_picture() -> None:
    """Put the picture away; for callbacks."""
    st.query_params.pop(PICTURE, None)


def asked_picture(count: int) -> int | None:
    """The picture the address names; None where it names none, or none of the `count` there are."""
    text = st.query_params.get(PICTURE, "")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) and int(text) < count else None


def linked_choices(
    title: str, names: Sequence[str], key: str, shown: "dict[str, str]", placeholder: str
) -> list[str]:
    """A box in the sidebar for several names, which stand in the address as they are.

    Args:
        title: Above the box.
        names: To choose from.
        key: Of the widget and of the parameter.
        shown: How names are written on the screen, where that differs.
        placeholder: Shown while nothing is chosen, which means all.
    """
    kept = st.session_state.get(key, st.query_params.get_all(key))
    fitting = [name for name in kept if name in names]
    if key not in st.session_state or fitting != kept:
        st.session_state[key] = fitting  # another data set may lack what was chosen
    picked: list[str] = st.sidebar.multiselect(
        title,
        names,
        format_func=lambda name: shown.get(name, name),
        key=key,
        placeholder=placeholder,
        on_change=first_page,
    )
    if picked:
        st.query_params[key] = picked
    else:
        st.query_params.pop(key, None)
    return picked
