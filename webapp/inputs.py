"""Where pictures come from: the visitor's files, the camera, or the sample."""

from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from core.errors import ImageError
from core.images import SUFFIXES, decode
from core.paths import PROJECT_ROOT, data_root
from core.types import Image
from webapp.text import literal

UPLOAD, SAMPLE, CAMERA = "Upload", "Sample photo", "Camera"
FILES, KEPT_FILES = "files", "files kept"
KEPT_SOURCE, LOST_SOURCE = "picture source kept", "picture source lost"
LARGEST_UPLOAD = 200  # MB of any file; as the server's own limit in .streamlit/config.toml
LARGEST_PICTURES = 10  # MB a file
LARGEST_ZIP = 100  # MB of a zip of pictures, which lies in memory
SAMPLE_CREDIT = "Sample photo: the astronaut Eileen Collins, NASA, in the public domain."


@dataclass(frozen=True, slots=True)
class Picture:
    """A file as the visitor gave it; nothing is known of its content yet."""

    name: str
    data: bytes = field(repr=False)

    def decoded(self) -> Image:
        """The picture, upright RGB uint8 (H, W, 3).

        Raises:
            ImageError: The file is too large, or no usable picture.
        """
        reason = too_large(len(self.data), LARGEST_PICTURES)
        if reason:
            raise ImageError(f"The file is too large: {reason}. Make it smaller and try again.")
        return decode(self.data)


def too_large(size: int, most: int) -> str:
    """What is wrong with the size of an uploaded file; "" where nothing is.

    The browser checks it, too; a program that sends files may not.

    Args:
        size: Bytes.
        most: MB allowed.
    """
    if size <= most * 2**20:
        return ""
    return f"it has {size / 2**20:,.1f} MB; expected at most {most}"


def picture_input() -> list[Picture]:
    """Draw the choice of source and the source; the pictures it holds, none at first."""
    known = (UPLOAD, SAMPLE, CAMERA)
    was_lost = st.session_state.pop(LOST_SOURCE, False)
    if was_lost:
        st.session_state["source"] = st.session_state.get(KEPT_SOURCE, UPLOAD)
    source = st.segmented_control(
        "Picture from",
        known,
        # Streamlit warns of a default beside a value that a button has set.
        default=None if "source" in st.session_state else UPLOAD,
        required=True,
        key="source",
        bind="query-params",
        label_visibility="collapsed",
    )
    if source in known:
        st.session_state[KEPT_SOURCE] = source
    elif not was_lost:  # after Back, its parameter is gone from the address
        st.session_state[LOST_SOURCE] = True
        st.rerun()
    if source == SAMPLE:
        st.caption(SAMPLE_CREDIT)
        return [sample_picture()]
    if source == CAMERA:
        shot = st.camera_input("Take a picture", key="camera", width=640)
        return [] if shot is None else [Picture("camera.jpg", shot.getvalue())]
    files = st.file_uploader(
        "Photos with faces",
        type=[suffix.removeprefix(".") for suffix in SUFFIXES],
        accept_multiple_files=True,
        max_upload_size=LARGEST_PICTURES,
        key=FILES,
        on_change=_keep,
    )
    return [Picture(file.name, file.getvalue()) for file in files] or _kept()


def _keep() -> None:
    """Keep what was uploaded for when the visitor comes back: an upload goes with its page."""
    st.session_state[KEPT_FILES] = [
        Picture(file.name, file.getvalue()) for file in st.session_state[FILES]
    ]


def _kept() -> list[Picture]:
    """The pictures that were uploaded before another page was opened, with a way to put away."""
    kept: list[Picture] = st.session_state.get(KEPT_FILES, [])
    if kept:
        names = kept[0].name + (f" and {len(kept) - 1} more" if len(kept) > 1 else "")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Still here from before: {literal(names)}", width="content")
            st.button("Put away", key="put away", on_click=_put_away)
    return kept


def _put_away() -> None:
    st.session_state.pop(KEPT_FILES, None)


def data_place() -> str:
    """Where the data folder is, for people; no path of the machine."""
    root = data_root()
    if root == (PROJECT_ROOT / "data").resolve():
        return "`data` in the folder of this program"
    return f"{literal(root.name)}, which `GIMEFIVE_DATA` names"


def choose_sample() -> None:
    """Turn to the sample photo; for callbacks."""
    st.session_state["source"] = SAMPLE


def sample_picture() -> Picture:
    """The photo that scikit-image brings along."""
    from skimage.data import data_dir

    return Picture("astronaut.png", (Path(data_dir) / "astronaut.png").read_bytes())
