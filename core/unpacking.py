"""Pictures out of a zip archive into a folder, within limits and nowhere else."""

import shutil
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import ImageError
from core.files import UNREADABLE
from core.images import SUFFIXES

MAX_FILES = 5_000
MAX_MEMBER = 64 * 2**20  # bytes; a photo needs less
MAX_TOTAL = 512 * 2**20  # bytes on disk
MAX_NAME = 240  # bytes; disks take 255, and a number may be set before the name
MAX_SUFFIX = 16  # bytes
MAX_PATH = 3_500  # bytes; Linux takes 4,095
_ENCRYPTED = 0x1  # bit of a zip entry's flags
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an archive gave.

    Attributes:
        files: The pictures on disk, in the archive's order.
        skipped: Names that were not taken, each with the reason.
    """

    files: tuple[Path, ...]
    skipped: tuple[tuple[str, str], ...]


def unpack_pictures(archive: bytes, target: Path) -> Unpacked:
    """Write the picture files of a zip below a folder, keeping its folders' names.

    Sizes are those really unpacked, not those the archive claims.

    Args:
        archive: The zip file's content.
        target: An existing folder.

    Raises:
        ImageError: The bytes are no zip, or it holds more than the limits allow.
    """
    try:
        opened = zipfile.ZipFile(BytesIO(archive))
    except UNREADABLE as error:
        raise ImageError(
            "The file is no zip archive, or it is damaged. Pack it again as .zip."
        ) from error
    files: list[Path] = []
    skipped: list[tuple[str, str]] = []
    total = 0
    with opened:
        for member in opened.infolist():
            if member.filename.endswith(("/", "\\")):
                continue
            reason = _unfit(member)
            if reason:
                skipped.append((member.filename, reason))
                continue
            if len(files) == MAX_FILES:
                raise ImageError(
                    f"The archive holds more than {MAX_FILES:,} pictures. Split it, or put the "
                    "pictures into a folder below the data folder."
                )
            path = None
            try:
                path = free_place(target, member.filename)
                total += _write(opened, member, path, MAX_TOTAL - total)
            except UNREADABLE as error:
                if path is not None:
                    path.unlink(missing_ok=True)
                skipped.append((member.filename, f"it cannot be unpacked ({error})"))
                continue
            files.append(path)
    return Unpacked(tuple(files), tuple(skipped))


def _unfit(member: zipfile.ZipInfo) -> str:
    """Why a member is not taken; "" where it is."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.suffix.lower() not in SUFFIXES:
        return "it is no picture file"
    if any(part.startswith((".", "__MACOSX")) for part in path.parts):
        return "it is a hidden file"
    if member.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    return ""


def free_place(target: Path, name: str) -> Path:
    """Where a file of any name goes: below the target whatever it says, and never over another.

    The folders on the way are made. A name longer than disks allow is cut and keeps its suffix.
    """
    given = PurePosixPath(name.replace("\\", "/")).parts
    parts = [_short(part) for part in given if part.strip("./:")]
    path = target.joinpath(*parts) if parts else target / "picture"
    if len(_bytes(str(path))) > MAX_PATH:
        path = target / parts[-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    stem, number = path.stem, 1
    while path.exists():
        number += 1
        path = path.with_name(f"{number}_{stem}{path.suffix}")
    return path


def _short(part: str) -> str:
    """A part of a path of at most `MAX_NAME` bytes, with its suffix."""
    if len(_bytes(part)) <= MAX_NAME:
        return part
    suffix = PurePosixPath(part).suffix
    suffix = suffix if len(_bytes(suffix)) <= MAX_SUFFIX else ""
    stem = _bytes(part.removesuffix(suffix))[: MAX_NAME - len(_bytes(suffix))]
    return stem.decode("utf-8", errors="ignore") + suffix


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", errors="surrogatepass")


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, left: int) -> int:
    """Unpack one member; the number of bytes."""
    limit = min(MAX_MEMBER, left)
    with opened.open(member) as source, path.open("wb") as target:
        shutil.copyfileobj(_Limited(source, limit), target, _CHUNK)
        return target.tell()


class _Limited:
    """A reader that refuses to give more than so many bytes."""

    def __init__(self, source: IO[bytes], limit: int) -> None:
        self._source, self._left = source, limit

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ImageError(
                f"The archive unpacks to more than {MAX_MEMBER // 2**20} MB a picture or "
                f"{MAX_TOTAL // 2**20} MB in all. Pack fewer or smaller pictures."
            )
        return data
