"""Where parts of a result lie: a folder of this machine, or one that fsspec reaches."""

import hashlib
import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import fsspec
import pyarrow.parquet as pq

from core.errors import CoreError
from core.files import replacing

# Names with an underscore are no data to readers of Parquet folders.
REQUEST, LISTING, DONE = "_request.json", "_files.parquet", "_SUCCESS"
DIGITS = 16  # of a part's hash, kept in its name
_PART = re.compile(r"part-(\d{7})-([0-9a-f]{16})\.(csv|parquet)")


def is_remote(place: str) -> bool:
    """Whether this is an address such as s3://bucket/name and no path of this machine."""
    return "://" in place


class Store:
    """A folder of parts.

    A part's name holds its number and the hash of its content, and a part appears whole or not at
    all; so the names alone say what is done, and a damaged part is told from a whole one.

    Args:
        place: A path, or an address that fsspec knows; made when first written to.

    Raises:
        CoreError: The address is of a kind that cannot be reached here.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.remote = is_remote(place)
        try:
            self._files, self._root = fsspec.core.url_to_fs(place)
        except (ImportError, ValueError) as error:
            raise CoreError(
                f"{place} cannot be reached: {str(error).splitlines()[0]} Install what it names, "
                "or give a path of this machine."
            ) from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def write(self, name: str, content: bytes) -> None:
        """Put a file there at once."""
        if self.remote:
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(self._path(name), content)
            return
        target = Path(self._path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            temporary.write_bytes(content)

    def take(self, file: Path, name: str) -> None:
        """Put a copy of a local file there at once."""
        if self.remote:
            self._files.makedirs(self._root, exist_ok=True)
            self._files.put_file(str(file), self._path(name))
        else:
            self.write(name, file.read_bytes())

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            OSError: There is none.
        """
        content: bytes = self._files.cat_file(self._path(name))
        return content

    def open(self, name: str) -> IO[bytes]:
        """A file opened for reading."""
        opened: IO[bytes] = self._files.open(self._path(name), "rb")
        return opened

    def read_object(self, name: str) -> dict[str, Any]:
        """The object in a JSON file; empty where there is none."""
        try:
            found = json.loads(self.read(name))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def names(self) -> list[str]:
        """The files that are there, sorted."""
        if not self._files.exists(self._root):
            return []
        found = self._files.ls(self._root, detail=False, refresh=True)
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def remove(self, name: str) -> None:
        """Take a file away; none is no error."""
        if self._files.exists(self._path(name)):
            self._files.rm_file(self._path(name))

    def foreign(self) -> list[str]:
        """Names at an address that no run put there."""
        own = {REQUEST, LISTING, DONE}
        return [name for name in self.names() if name not in own and not _PART.fullmatch(name)]

    def drop(self) -> None:
        """Take the whole folder away; at an address, `foreign` has to be asked before."""
        if self._files.exists(self._root):
            self._files.rm(self._root, recursive=True)

    def write_part(self, number: int, content: bytes, suffix: str) -> None:
        """Keep a part, in the place of a damaged one with its number."""
        name = f"part-{number:07d}-{hashed(content)}{suffix}"
        self.write(name, content)

    def parts(self) -> dict[int, str]:
        """Names of whole parts by their numbers; of two with one number the last."""
        matches = (_PART.fullmatch(name) for name in self.names())
        return {int(match[1]): match[0] for match in matches if match}

    def is_whole(self, name: str) -> bool:
        """Whether a part's content is what its name says."""
        match = _PART.fullmatch(name)
        return match is not None and hashed(self.read(name)) == match[2]


def hashed(content: bytes) -> str:
    """What a part's name says of its content."""
    return hashlib.sha256(content).hexdigest()[:DIGITS]


class Listing:
    """The files of a run, part by part: a row group each of a Parquet file."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.store.open(LISTING))

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return int(self._file.num_row_groups)

    @property
    def files(self) -> int:
        """How many files there are."""
        return int(self._file.metadata.num_rows)

    def size(self, part: int) -> int:
        """How many files a part has."""
        return int(self._file.metadata.row_group(part).num_rows)

    def part(self, number: int) -> list[Path]:
        """The files of a part, in order."""
        column = self._file.read_row_group(number)["path"]
        return [Path(os.fsdecode(path)) for path in column.to_pylist()]
