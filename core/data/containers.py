"""Folders and zip archives behind one small interface; nothing is ever unpacked to disk."""

import os
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Protocol, cast

from core.errors import DataError
from core.files import UNREADABLE, readable, unreadable
from core.images import SUFFIXES

PICTURES = frozenset(SUFFIXES)
VIDEOS = frozenset({".avi", ".mp4", ".mov", ".mkv", ".wmv", ".webm", ".mpg", ".mpeg"})
TEXT_TABLES = frozenset({".csv", ".tsv", ".tab", ".txt"})
ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".7z", ".rar", ".xz", ".bz2"})

# A picture of a face needs far less; more is a decompression bomb or no picture.
PICTURE_BYTES = 64 * 2**20
TABLE_BYTES = 2 * 2**30  # of all tables of an archive; FER2013's has four of 900 MB together
MOST_LINKS = 1_000  # to folders that are followed; links among each other multiply
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
NESTED = "an archive inside; unpack it and give the inner file as a source of its own"
_WORKBOOKS = frozenset({".xlsx", ".xls", ".ods", ".numbers"})
_HEAD = 2**16  # bytes that hold the names of a table's columns
_ENCRYPTED = 0x1  # bit of a zip entry's flags


@dataclass(frozen=True, slots=True)
class Skip:
    """A file that was not taken, and why, in words for a user."""

    path: str
    reason: str


class Container(Protocol):
    """Files below one root, each named by its path with forward slashes.

    Attributes:
        root: The folder, zip or single file.
        kind: "folder", "zip" or "file".
        skips: Members that were not taken at all, with the reason.
        linked: The real file of every member that a link leads to, or whose name is no text.
    """

    root: Path
    kind: str
    skips: tuple[Skip, ...]
    linked: Mapping[str, str]

    @property
    def members(self) -> tuple[str, ...]:
        """All usable member names, sorted."""

    def open(self, member: str) -> BinaryIO:
        """Open a member for reading.

        Raises:
            FileNotFoundError: There is no such member.
        """


def suffix(member: str) -> str:
    """Lower-case suffix of a member name, with its dot."""
    # pathlib would do, at ten times the cost, and a data set has tens of thousands of names.
    name = member.rpartition("/")[2]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def read(container: Container, member: str, limit: int = PICTURE_BYTES) -> bytes:
    """All bytes of a member.

    Raises:
        DataError: The member is larger than `limit` or cannot be read.
    """
    try:
        with container.open(member) as file:
            data = file.read(limit + 1)
    except UNREADABLE as error:
        raise DataError(unreadable(member, error)) from error
    if len(data) > limit:
        raise DataError(f"{member} is larger than {limit // 2**20} MB, too large for a picture.")
    return data


def open_container(path: Path) -> Container:
    """The folder, zip archive or single label file at `path`.

    Raises:
        DataError: Nothing is there, the zip is damaged, or a member's path leads out of it.
    """
    if path.is_dir():
        return FolderContainer(path)
    if not path.is_file():
        raise DataError(f"{path} does not exist. Give a folder or the zip as downloaded.")
    if suffix(path.name) in _WORKBOOKS:  # most are zips of other things
        raise DataError(f"{path.name} is a spreadsheet. Save it as CSV and give that file.")
    if zipfile.is_zipfile(path):
        return ZipContainer(path)
    if suffix(path.name) in TEXT_TABLES:
        return FileContainer(path)
    raise DataError(
        f"{path.name} is neither a folder, a zip archive nor a table of text ("
        f"{', '.join(sorted(TEXT_TABLES))}). Unpack it, or give the zip as downloaded."
    )


class FolderContainer:
    """A folder; links in it are followed, but not to a folder they lie in.

    Names that are no text stand as `readable` has them, so that tables can hold them.

    Attributes:
        linked: As in `Container`.
    """

    kind = "folder"

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        inside: list[str] = []
        skips: list[Skip] = []
        linked: dict[str, str] = {}
        for found in _walk(self.root):
            if isinstance(found, Skip):
                skips.append(Skip(readable(found.path), found.reason))
                continue
            path, real = found
            member = readable(path)
            if _is_system(member):
                continue
            if member != path:
                real = real or str(self.root / path)
            if suffix(member) in ARCHIVES:
                skips.append(Skip(member, NESTED))
                continue
            inside.append(member)
            if real:
                linked[member] = real
        self._members = dict.fromkeys(sorted(inside))
        self.skips = tuple(sorted(skips, key=lambda skip: skip.path))
        self.linked: Mapping[str, str] = linked

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self._members)

    def open(self, member: str) -> BinaryIO:
        if member not in self._members:  # a path that was made up may lead anywhere
            raise FileNotFoundError(member)
        return Path(self.linked.get(member) or self.root / member).open("rb")


class FileContainer:
    """A single table, with the pictures that it names; a table of pixels names none.

    Pictures are found where the table says, from its own folder, else below that by their names;
    none is looked for beside one that is read `alone`.
    """

    kind = "file"
    skips: tuple[Skip, ...] = ()
    linked: Mapping[str, str] = MappingProxyType({})

    def __init__(self, root: Path, *, alone: bool = False) -> None:
        self.root = root.resolve()
        named = () if alone else sorted(_named_pictures(self.root))
        self._members = dict.fromkeys([self.root.name, *named])

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self._members)

    def open(self, member: str) -> BinaryIO:
        if member not in self._members:
            raise FileNotFoundError(member)
        return (self.root.parent / member).open("rb")


def _named_pictures(table: Path) -> set[str]:
    """Existing pictures among the cells of a table, by their paths from its folder."""
    with table.open("rb") as file:
        if b"pixels" in file.read(_HEAD).replace(b"\0", b"").lower():
            return set()
        file.seek(0)
        data = file.read()
    text = _text(data).replace("\\", "/")
    cells = {cell.strip() for cell in re.split(r'[,;|\t\r\n"]', text)}
    cells |= {line.rpartition(" ")[0].strip() for line in text.splitlines()}
    cells |= {cell.strip() for cell in re.findall(r'"([^"\r\n]+)"', text)}  # may hold separators
    named = {cell for cell in cells if suffix(cell) in PICTURES}
    found = {path for path in map(posixpath.normpath, named) if _is_file(table.parent / path)}
    if named and len(found) >= len({posixpath.normpath(cell) for cell in named}):
        return found
    names = {cell.rpartition("/")[2].lower() for cell in cells}
    for entry in _walk(table.parent):
        if isinstance(entry, Skip):
            continue
        name = entry[0].rpartition("/")[2].lower()
        if suffix(name) in PICTURES and (name in names or name.rpartition(".")[0] in names):
            found.add(entry[0])
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a cell may be no name at all
        return False


def _text(data: bytes) -> str:
    for encoding in ("utf-16",) if b"\0" in data[:_HEAD] else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return data.decode("latin-1")


class ZipContainer:
    """A zip archive, read member by member.

    Raises:
        DataError: The archive is damaged or holds a path that leads out of it.
    """

    kind = "zip"
    linked: Mapping[str, str] = MappingProxyType({})

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        try:
            self._zip = zipfile.ZipFile(self.root)
        except UNREADABLE as error:
            raise DataError(
                f"{root.name} is a damaged zip ({error}). Download it again."
            ) from error
        skips: list[Skip] = []
        inside: dict[str, zipfile.ZipInfo] = {}
        room = TABLE_BYTES
        for info in self._zip.infolist():
            _refuse_traversal(root.name, info.filename)
            member = info.filename.replace("\\", "/")  # as old tools on Windows write folders
            if member.endswith("/") or _is_system(member):
                continue
            reason = _zip_reason(info, room)
            before = inside.get(member, info).filename
            if not reason and before != info.filename:
                reason = "the archive has this file under another spelling"
            if reason:
                skips.append(Skip(member, reason))
            else:
                if member in inside:  # as in all programs, that of a later packing
                    skips.append(Skip(member, "the archive has this file twice; the last counts"))
                inside[member] = info
                room -= info.file_size if suffix(member) in TEXT_TABLES else 0
        self._infos = dict(sorted(inside.items()))
        self.skips = tuple(skips)

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self._infos)

    def open(self, member: str) -> BinaryIO:
        if member not in self._infos:
            raise FileNotFoundError(member)
        return cast("BinaryIO", self._zip.open(self._infos[member]))


def _walk(root: Path) -> Iterator[tuple[str, str] | Skip]:
    """Files as (path below the root, real path where a link leads to it, else ""), and the rest."""
    links = 0
    waiting: list[tuple[str, str, tuple[str, ...]]] = [("", "", (str(root),))]
    while waiting:
        inside, real, above = waiting.pop()
        try:
            with os.scandir(root / inside) as found:
                entries = list(found)
        except OSError as error:
            yield Skip(inside or root.name, f"a folder that cannot be read ({error.strerror})")
            continue
        for entry in entries:
            member = f"{inside}/{entry.name}" if inside else entry.name
            linked = entry.is_symlink()
            target = os.path.realpath(entry.path) if linked else real and f"{real}/{entry.name}"
            reason = _unfit(entry)
            if reason:
                yield Skip(member, reason)
            elif not entry.is_dir():
                yield member, target
            elif linked and any(_lies_in(folder, target) for folder in above):
                yield Skip(member, "a link to a folder above it")
            elif linked and links >= MOST_LINKS:
                yield Skip(member, f"a link to a folder, after {MOST_LINKS:,} others")
            else:
                links += linked
                waiting.append((member, target, (*above, target or f"{root}/{member}")))


def _unfit(entry: "os.DirEntry[str]") -> str:
    """Why an entry of a folder can be neither read nor walked; "" where it can."""
    try:
        if entry.is_dir() or entry.is_file():
            return ""
    except OSError as error:  # as for links in a circle
        return f"a link that cannot be followed ({error.strerror})"
    return "a link to nothing" if entry.is_symlink() else "neither a file nor a folder"


def _lies_in(folder: str, other: str) -> bool:
    return folder == other or folder.startswith(other.rstrip("/") + "/")


def _is_system(member: str) -> bool:
    parts = member.split("/")
    twin = parts[-1].startswith("._")  # macOS keeps a file's attributes in one beside it
    return twin or "__MACOSX" in parts or parts[-1].lower() in _SYSTEM_FILES


def _refuse_traversal(archive: str, member: str) -> None:
    # zipfile turns os.sep into "/" on reading, but Windows paths survive elsewhere.
    parts = member.replace("\\", "/").split("/")
    drive = len(member) > 1 and member[1] == ":"
    if parts[0] == "" or drive or ".." in parts:
        raise DataError(
            f"{archive} holds the path {member!r}, which leads out of the archive. "
            "It is refused as a whole: download the data set again from its publisher."
        )


def _zip_reason(info: zipfile.ZipInfo, room: int) -> str:
    if info.flag_bits & _ENCRYPTED:
        return "encrypted; unpack it with its password and give the folder"
    ending = suffix(info.filename)
    if ending in ARCHIVES:
        return NESTED
    if ending in PICTURES and info.file_size > PICTURE_BYTES:
        return f"{info.file_size // 2**20} MB unpacked, too large for a picture"
    if ending in TEXT_TABLES and info.file_size > room:
        most = f"the tables of an archive may have {TABLE_BYTES // 2**20:,} MB together"
        return f"{info.file_size // 2**20:,} MB unpacked; {most}"
    return ""
