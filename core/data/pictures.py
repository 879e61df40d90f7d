"""From a reference inside a container to a picture: image files, CSV rows, video frames.

A reference is a member name, or `member#n` for the n-th data row of a table of pixels or the n-th
frame of a video (both from 0).
"""

import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image

from core.data.containers import TEXT_TABLES, VIDEOS, Container, read, suffix
from core.data.tables import named_rows
from core.errors import DataError, ImageError
from core.files import UNREADABLE
from core.images import VIDEO_OPTIONS, decode
from core.types import Image

_BLOCK = 2**20  # bytes

if TYPE_CHECKING:
    from av.container import InputContainer


def split_reference(reference: str) -> tuple[str, int | None]:
    """Member and number of a reference; the number is None for an image file.

    >>> split_reference("fer2013.csv#12")
    ('fer2013.csv', 12)
    """
    member, mark, number = reference.rpartition("#")
    if mark and number.isdecimal() and suffix(member) in TEXT_TABLES | VIDEOS:
        return member, int(number)
    return reference, None


def fingerprint_of(container: Container) -> tuple[int, str]:
    """Bytes of a container, and what tells whether it has changed.

    Returns:
        Size of a file, or of all members of a folder; sha256 of a file, or of a folder's names,
        sizes and times of change.  A table with pictures beside it has both.
    """
    if container.kind == "folder":
        return _stats(container)
    with container.root.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if len(container.members) == 1 or container.kind != "file":
        return container.root.stat().st_size, digest
    return _stats(container, digest)


def _stats(container: Container, begun: str = "") -> tuple[int, str]:
    total = 0
    seen = hashlib.sha256(begun.encode())
    for member in container.members:
        stat = _path(container, member).stat()
        total += stat.st_size
        seen.update(f"{member}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return total, seen.hexdigest()


def _path(container: Container, member: str) -> Path:
    """Where a member of a folder, or of a table, lies on the disk."""
    folder = container.root if container.kind == "folder" else container.root.parent
    return Path(container.linked.get(member) or folder / member)


class Files:
    """The files that some references of a container lead to, to be compared with another's.

    Nothing is looked at before it is asked for.
    """

    def __init__(self, container: Container, references: Iterable[str]) -> None:
        self._container = container
        self._references = references

    def equal(self, other: "Files") -> bool:
        """Whether both have files of the same names and content, wherever the folder lies.

        Folders around all files do not count, nor does the name of a lone file. Content is read
        only where names and sizes agree, and by its CRC-32, which zips hold.
        """
        if self._names != other._names:
            return False
        pairs = list(zip(self._members, other._members, strict=True))
        try:
            return all(self._size(one) == other._size(two) for one, two in pairs) and all(
                self._checksum(one) == other._checksum(two) for one, two in pairs
            )
        except UNREADABLE:
            return False

    def overlap(self, other: "Files") -> bool:
        """Whether both have a file of the disk in common; files inside zips are none."""
        return not self._places.isdisjoint(other._places)

    @cached_property
    def _members(self) -> list[str]:
        return sorted({split_reference(one)[0] for one in self._references})

    @cached_property
    def _names(self) -> list[str]:
        if len(self._members) == 1:
            return [""]
        first, last = (one.split("/")[:-1] for one in (self._members[0], self._members[-1]))
        shared = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
        around = sum(len(folder) + 1 for folder, _ in shared)
        return [one[around:] for one in self._members]

    @cached_property
    def _places(self) -> frozenset[str]:
        if self._container.kind == "zip":
            return frozenset()
        real = cache(os.path.realpath)  # a folder once for all its files
        paths = (_path(self._container, one) for one in self._members)
        return frozenset(f"{real(path.parent)}/{path.name}" for path in paths)

    @cached_property
    def _zipped(self) -> dict[str, zipfile.ZipInfo]:
        with zipfile.ZipFile(self._container.root) as archive:
            return {info.filename.replace("\\", "/"): info for info in archive.infolist()}

    def _size(self, member: str) -> int:
        if self._container.kind == "zip":
            return self._zipped[member].file_size
        return _path(self._container, member).stat().st_size

    def _checksum(self, member: str) -> int:
        if self._container.kind == "zip":
            return self._zipped[member].CRC
        found = 0
        with self._container.open(member) as file:
            while block := file.read(_BLOCK):
                found = zlib.crc32(block, found)
        return found


class PictureReader:
    """Reads pictures of one container; quickest where references come in order.

    Not safe to share between threads: it keeps the open CSV or video between calls.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._member = ""
        self._next = 0
        self._stream: Iterator[str | Image] = iter(())

    def read(self, reference: str) -> tuple[Image, str]:
        """The picture and the colour mode it is stored in.

        Returns:
            RGB uint8 (H, W, 3), and Pillow's name of the stored mode ("RGB", "L", ...).

        Raises:
            CoreError: It is no picture, or too large a one.
        """
        member, number = split_reference(reference)
        if number is None:
            return decode_with_mode(read(self._container, member))
        if member != self._member or number < self._next:
            self._member, self._next = member, 0
            self._stream = self._open(member)
        for picture in self._stream:
            self._next += 1
            if self._next > number:
                # Parsed only here, so that one bad row does not end the others.
                return (
                    (parse_pixels(picture), "L") if isinstance(picture, str) else (picture, "RGB")
                )
        self._member = ""
        raise DataError(f"{member} has no picture number {number}; it may have been cut short.")

    def _open(self, member: str) -> Iterator[str | Image]:
        if suffix(member) in TEXT_TABLES:
            return _pixel_cells(self._container, member)
        return _video_frames(self._container, member)


def decode_with_mode(data: bytes) -> tuple[Image, str]:
    """Decode an image file.

    Returns:
        RGB uint8 (H, W, 3), upright, and the mode in the file's header.

    Raises:
        ImageError: The bytes are no usable picture.
    """
    picture = decode(data)
    try:
        with PIL.Image.open(io.BytesIO(data)) as header:
            return picture, header.mode
    except Exception as error:  # OpenCV decodes what Pillow may refuse, and not only by OSError
        raise ImageError(
            "The header of the picture cannot be read. Save it as JPEG or PNG and try again."
        ) from error


def parse_pixels(text: str) -> Image:
    """The grey square of a `pixels` cell, as RGB uint8 (S, S, 3).

    Args:
        text: Numbers from 0 to 255, row after row, with blanks or commas between, perhaps in
            brackets.

    Raises:
        ImageError: The numbers are no square of bytes.
    """
    try:
        numbers = np.array(text.strip(" []()").replace(",", " ").split(), dtype=np.float64)
    except ValueError as error:
        raise ImageError(f"The pixels cell holds something that is no number: {error}.") from error
    side = round(numbers.size**0.5)
    if side < 8 or side * side != numbers.size:
        raise ImageError(
            f"The pixels cell holds {numbers.size} numbers; expected those of a grey square, such "
            "as 48 x 48."
        )
    with np.errstate(invalid="ignore"):  # "nan" reads as a number
        grey = numbers.clip(0, 255).astype(np.uint8)
    if not np.array_equal(grey, numbers):
        raise ImageError(
            f"The pixels cell holds numbers from {numbers.min():g} to {numbers.max():g}; expected "
            "whole ones from 0 to 255."
        )
    return np.repeat(grey.reshape(side, side, 1), 3, axis=2)


def _pixel_cells(container: Container, member: str) -> Iterator[str]:
    for row in named_rows(container, member):
        yield row.get("pixels", "")


@contextmanager
def opened_video(container: Container, member: str) -> Iterator["InputContainer"]:
    """A member as a video, closed behind the block.

    Raises:
        FFmpegError: It is none.
    """
    import av

    with container.open(member) as file, av.open(file, "r", options=VIDEO_OPTIONS) as video:
        yield video


def _video_frames(container: Container, member: str) -> Iterator[Image]:
    import av

    try:
        with opened_video(container, member) as video:
            for frame in video.decode(video=0):
                yield np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    except (av.FFmpegError, IndexError, *UNREADABLE) as error:
        raise DataError(f"{member} cannot be read as a video: {error}.") from error
