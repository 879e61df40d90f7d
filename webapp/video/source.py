"""Where a video comes from: an upload, the data folder, or a short film of the sample photo."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import streamlit as st

from core.errors import VideoError
from core.files import readable
from core.paths import below, data_root
from core.video import RATE, is_annotated, is_video, list_videos, open_writer, sample_film
from webapp.inputs import LARGEST_UPLOAD, SAMPLE_CREDIT, data_place, too_large
from webapp.text import counted

UPLOAD, FOLDER, SAMPLE = "Upload", "Data folder", "Sample film"
UPLOADED = ("mp4", "m4v", "mov", "avi", "webm", "mkv", "mpg", "mpeg", "wmv", "3gp", "mts", "m2ts")
MOST_LISTED = 500
LISTING_SECONDS = 60  # a listing of the data folder is kept that long
SAMPLE_SECONDS = 6
FILM = "film"  # the folder of an upload
LONGEST_NAME = 160  # bytes; file systems take 255 and results put words behind it


@dataclass(frozen=True, slots=True)
class Chosen:
    """A video, or a folder of videos, that may be analysed.

    Attributes:
        title: As the visitor knows it.
        path: On this machine; None for what has to be written first.
        upload: An uploaded file.
    """

    title: str
    path: Path | None = None
    upload: BinaryIO | None = field(default=None, repr=False)

    def on_disk(self, folder: Path) -> Path:
        """The file to analyse; an upload or the sample is written into `folder`."""
        if self.path is not None:
            if self.path.is_dir():
                list_videos(self.path)  # says so where there is none
            return self.path
        if self.upload is None:
            return _sample(folder / "sample.mp4")
        name = PurePosixPath(self.title)
        target = folder / FILM / f"{plain(name.stem)}{name.suffix.lower()}"
        target.parent.mkdir()
        with target.open("wb") as file:
            while part := self.upload.read(2**20):
                file.write(part)
        return target


def plain(title: str) -> str:
    """A title as a file may be called: spaces and signs become "_", cut at LONGEST_NAME."""
    name = re.sub(r"[^\w.-]+", "_", title).encode()[:LONGEST_NAME].decode(errors="ignore")
    return name.strip("._") or "video"


def video_input() -> Chosen | None:
    """Draw the choice; None while nothing is chosen.

    Raises:
        CoreError: What was chosen cannot be used.
    """
    kind = st.segmented_control(
        "Video from",
        (UPLOAD, FOLDER, SAMPLE),
        default=UPLOAD,
        required=True,
        key="video_source",
        label_visibility="collapsed",
    )
    if kind == SAMPLE:
        st.caption(f"{SAMPLE_SECONDS} seconds in which the photo wanders about. {SAMPLE_CREDIT}")
        return Chosen("Sample film")
    return _from_data_folder() if kind == FOLDER else _uploaded()


def _uploaded() -> Chosen | None:
    file = st.file_uploader(
        f"A video with faces, at most {LARGEST_UPLOAD} MB",
        type=list(UPLOADED),
        max_upload_size=LARGEST_UPLOAD,
        key="video_file",
    )
    if file is None:
        return None
    reason = too_large(file.size, LARGEST_UPLOAD)
    if reason:
        raise VideoError(
            f"The file is too large: {reason}. Shorten it, put it into the data folder, or use "
            "`python -m core video`."
        )
    st.caption("The file is kept once its analysis has begun; to leave the page before loses it.")
    return Chosen(file.name, upload=file)


def _from_data_folder() -> Chosen | None:
    root = data_root()
    found = videos_below(str(root))
    if not found:
        st.info(
            f"There is no video below the data folder ({data_place()}). Put one there and reload "
            "the page, or upload one."
        )
        return None
    name = st.selectbox(
        "Video, or folder of videos, below the data folder",
        list(found),
        index=None,
        placeholder="Choose a video or a folder",
        format_func=lambda name: (
            f"{readable(name)}/ ({counted(found[name], 'video')})"
            if found[name]
            else readable(name)
        ),
        key="video_path",
    )
    if name is None:
        return None
    if found[name]:
        st.caption(
            "All its videos are analysed one after the other; recordings whose names differ only "
            "in left and right are compared."
        )
    return Chosen(readable(name), below(root, name))


@st.cache_data(ttl=LISTING_SECONDS, max_entries=4, show_spinner="Looking for videos …")
def videos_below(root: str) -> dict[str, int]:
    """Videos below a root, and the folders that hold some.

    Returns:
        Paths from the root with forward slashes, each with the number of videos in the folder, 0
        for a video itself; folders first.
    """
    files: list[str] = []
    folders: dict[str, int] = {}
    for place, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        path = PurePosixPath(Path(place).relative_to(root).as_posix())
        own = [
            name
            for name in names
            if is_video(Path(place, name)) and not is_annotated(Path(place, name))
        ]
        files += [str(path / name) for name in own]
        for folder in (path, *path.parents) if own else ():
            if str(folder) != ".":
                folders[str(folder)] = folders.get(str(folder), 0) + len(own)
    several = {name: count for name, count in sorted(folders.items()) if count > 1}
    return dict([*several.items(), *((name, 0) for name in sorted(files))][:MOST_LISTED])


def _sample(path: Path) -> Path:
    with open_writer(path, 640, 480, RATE) as (writer, _):
        for number, image in enumerate(sample_film(SAMPLE_SECONDS * RATE)):
            writer.write(image, number / RATE)
    return path
