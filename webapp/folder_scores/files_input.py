"""Where the pictures of a whole folder come from: the data folder, single files, or a zip."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import streamlit as st

from core.errors import ImageError
from core.images import SUFFIXES
from core.paths import below, data_root
from core.scoring import list_files
from core.unpacking import free_place, unpack_pictures
from webapp.inputs import LARGEST_PICTURES, LARGEST_ZIP, data_place, too_large
from webapp.text import counted

FOLDER, UPLOAD = "A folder of the data folder", "Upload files or a zip"
MAX_FOLDERS = 500
LISTING_SECONDS = 5  # a listing of folders is kept that long


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files to score: a folder on this machine, or what the visitor uploaded.

    Attributes:
        key: Differs where the files differ.
        folder: On this machine; None for an upload.
        uploads: Name and content of each uploaded file.
    """

    key: str
    folder: Path | None = None
    uploads: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)


def files_input() -> FileSet | None:
    """Draw the choice; None while nothing is chosen."""
    source = st.segmented_control(
        "Pictures from",
        (FOLDER, UPLOAD),
        default=FOLDER if picture_folders(str(data_root())) else UPLOAD,
        required=True,
        key="scores source",
        label_visibility="collapsed",
    )
    return _folder_input() if source == FOLDER else _upload_input()


def _folder_input() -> FileSet | None:
    root = data_root()
    found = picture_folders(str(root))
    if not found:
        st.info(
            "There is no folder with pictures in the app's data folder. Put one there and reload "
            "the page, or upload files."
        )
        st.caption("Where the data folder is", help=f"It is {data_place()}.")
        return None
    name = st.selectbox(
        "Folder below the data folder",
        list(found),
        index=None,
        placeholder="Choose a folder",
        format_func=lambda name: f"{name} ({counted(found[name], 'picture')})",
        key="scores folder",
        help=f"The data folder is {data_place()}.",
    )
    if name is None:
        st.info("Choose a folder of pictures above, or upload pictures or a zip of them.")
        return None
    folder = below(root, name)
    return FileSet(f"{folder} {_state_of(str(folder))}", folder)


def _upload_input() -> FileSet | None:
    kinds = [suffix.removeprefix(".") for suffix in SUFFIXES]
    files = st.file_uploader(
        f"Pictures of at most {LARGEST_PICTURES} MB, or a zip of folders of pictures",
        type=[*kinds, "zip"],
        accept_multiple_files=True,
        max_upload_size=LARGEST_ZIP,
        key="scores files",
    )
    if not files:
        return None
    uploads = tuple((file.name, file.getvalue()) for file in files)
    return FileSet(" ".join(file.file_id for file in files), None, uploads)


def _is_picture(name: str) -> bool:
    """Whether a file is counted, and scored: hidden ones are not."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


@st.cache_data(ttl=LISTING_SECONDS, max_entries=4, show_spinner=False)
def _state_of(folder: str) -> str:
    """What differs once a picture at any depth of a folder has come, gone or changed."""
    state = hashlib.blake2b(digest_size=16)
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(filter(_is_picture, names)):
            path = Path(place, name)
            with suppress(OSError):
                found = path.stat()
                said = f"{path} {found.st_size} {found.st_mtime_ns}\n"
                state.update(said.encode(errors="surrogateescape"))
    return state.hexdigest()


@st.cache_data(ttl=LISTING_SECONDS, max_entries=4, show_spinner="Looking for folders …")
def picture_folders(root: str) -> dict[str, int]:
    """Folders below a root that hold pictures at any depth, each with their number.

    The root itself is left out; names are relative to it, with forward slashes, sorted.
    """
    counts: dict[str, int] = {}
    for place, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        pictures = sum(_is_picture(name) for name in names)
        path = PurePosixPath(Path(place).relative_to(root).as_posix())
        for folder in (path, *path.parents) if pictures else ():
            if str(folder) != ".":
                counts[str(folder)] = counts.get(str(folder), 0) + pictures
    return dict(sorted(counts.items())[:MAX_FOLDERS])


@contextmanager
def on_disk(chosen: FileSet) -> Iterator[tuple[list[Path], Path, Sequence[tuple[str, str]]]]:
    """The files, the folder they are named from, and what was left out with the reason.

    Uploads lie in a temporary folder that goes afterwards.

    Raises:
        ImageError: There is no usable picture, or an archive is damaged or too large.
    """
    if chosen.folder is not None:
        listed: list[Path] = []
        with suppress(ImageError):  # of no file at all, which names a folder of this machine
            listed = list_files([chosen.folder])
        kept = [path for path in listed if path.suffix.lower() in SUFFIXES]
        if not kept:
            raise ImageError(
                f"{chosen.folder.name} holds no picture any more. Choose another folder."
            )
        yield kept, chosen.folder, _others(listed, chosen.folder)
        return
    with tempfile.TemporaryDirectory(prefix="gimefive-") as name:
        root = Path(name)
        skipped: list[tuple[str, str]] = []
        files: list[Path] = []
        for title, data in chosen.uploads:
            is_zip = title.lower().endswith(".zip")
            reason = too_large(len(data), LARGEST_ZIP if is_zip else LARGEST_PICTURES)
            if reason:
                skipped.append((title, reason))
            elif is_zip:
                unpacked = unpack_pictures(data, root)
                files += unpacked.files
                skipped += unpacked.skipped
            else:
                files.append(free_place(root, title))
                files[-1].write_bytes(data)
        if not files:
            why = "".join(f" ({name}: {reason})" for name, reason in skipped[:1])
            raise ImageError(
                f"There is no usable picture among the files{why}. Choose pictures, or a zip."
            )
        yield files, root, skipped


def _others(listed: list[Path], root: Path) -> list[tuple[str, str]]:
    return [
        (path.relative_to(root).as_posix(), "it is no picture file")
        for path in listed
        if path.suffix.lower() not in SUFFIXES
    ]
