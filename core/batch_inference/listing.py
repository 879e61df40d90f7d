"""The files of a run in a fixed order, on disk: memory stays flat however many there are."""

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from core.batch_inference.store import Store
from core.scoring import no_file, walk_files

T = TypeVar("T")
PART_FILES = 512  # files a part: seconds of work that a dead process may cost
FILE = "_files.parquet"  # names with an underscore are no data to readers of Parquet folders
_SCHEMA = pa.schema([("path", pa.binary())])
_MANY = 1000  # names handed to the database at once


def write_listing(paths: Sequence[Path], store: Store) -> int:
    """List the files of `core.scoring.list_files` in the same order.

    Names are sorted in a database on disk and never all in memory.

    Returns:
        How many.

    Raises:
        ImageError: A path does not exist, or there is no file at all.
    """
    with tempfile.TemporaryDirectory(prefix="gimefive-listing-") as folder:
        names = sqlite3.connect(Path(folder) / "names.sqlite")
        try:
            # A key compares as the tuple of the path's parts does.
            names.execute(
                "CREATE TABLE found (argument INT, key BLOB, path BLOB, "
                "PRIMARY KEY (argument, key)) WITHOUT ROWID"
            )
            for rows in _chunks(walk_files(paths), _MANY):
                names.executemany("INSERT OR IGNORE INTO found VALUES (?, ?, ?)", rows)
            count = int(names.execute("SELECT count(*) FROM found").fetchone()[0])
            if not count:
                raise no_file(paths)
            ordered = names.execute("SELECT path FROM found ORDER BY argument, key")
            written = Path(folder) / FILE
            _write(ordered, written)
        finally:
            names.close()
        store.take(written, FILE)
    return count


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def _write(rows: Iterable[tuple[bytes]], path: Path) -> None:
    """A row group a part."""
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        for part in _chunks(rows, PART_FILES):
            writer.write_table(pa.table({"path": [row[0] for row in part]}, schema=_SCHEMA))


class Listing:
    """The files that `write_listing` found, part by part."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.store.open(FILE))

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
