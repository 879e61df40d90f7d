"""Pictures in a grid, each of which is a button."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.types import Image

TILE = 112  # px
# The button lies over its whole tile, so that a click on the picture opens it; the picture's own
# button, which enlarges it, would lie on top of that.
STYLE = """<style>
[class*="st-key-tile-"] {position: relative; padding-bottom: 1.7rem; border-radius: .4rem;}
[class*="st-key-tile-"]:hover {outline: 2px solid rgba(128, 128, 160, .6);}
[class*="st-key-tile-"] [data-testid="stElementToolbar"] {display: none;}
[class*="st-key-tile-"] .stElementContainer:has(.stButton),
[class*="st-key-tile-"] .stButton, [class*="st-key-tile-"] .stButton > div,
[class*="st-key-tile-"] .stButton button
{position: absolute; inset: 0; width: 100%; height: 100%;}
[class*="st-key-tile-"] .stButton button
{align-items: flex-end; padding: 0 0 .15rem 0; z-index: 1;}
[class*="st-key-tile-"] .stButton button p {font-size: .8rem; white-space: nowrap;}
</style>"""


def tile(
    picture: Image,
    caption: str,
    key: str,
    on_click: Callable[..., None],
    argument: Any,  # noqa: ANN401 - whatever the callback takes
    *,
    alt: str,
    explained: str = "",
) -> None:
    """One picture with a button over it; the page must have drawn STYLE.

    Args:
        picture: uint8 (H, W) or (H, W, 3).
        caption: Below it.
        key: Of the button, unique on the page.
        on_click: Called with `argument`.
        argument: Which picture it is.
        alt: Read aloud in place of the picture.
        explained: Shown when the pointer rests on it.
    """
    place = st.container(key=f"tile {key}", width=TILE, gap=None)
    place.image(picture, width=TILE, alt=alt)
    place.button(
        caption,
        key=key,
        on_click=on_click,
        args=(argument,),
        help=explained or None,
        type="tertiary",
        width="stretch",
    )
