"""A whole run: list, score what is not done yet, put the parts together."""

import csv
import io
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from core.batch_inference.engines import Cluster, begun
from core.batch_inference.store import DONE, LISTING, REQUEST, Listing, Store, is_remote
from core.batch_inference.work import PARQUET, PartWork, Request, csv_header, schema
from core.checkpoints import WEIGHTS, find_checkpoint
from core.errors import CoreError, ImageError
from core.files import file_hash, fingerprint, replacing
from core.process import Claim
from core.scoring import header, no_file, walk_files

T = TypeVar("T")
PART_FILES = 512  # files a part: seconds of work that a dead process may cost
NAMES = 1000  # handed to the database at once
_PATHS = pa.schema([("path", pa.binary())])
FORMAT = 3  # of the parts, raised when they hold other text or columns


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        files: Files listed.
        kept: Files whose rows an earlier, interrupted run had kept.
        damaged: Parts of it that were damaged, hence done again.
        counts: Rows by status, and of pictures with more faces ("more") or turned ("turned").
    """

    files: int
    kept: int
    damaged: int
    counts: dict[str, int] = field(default_factory=dict)


def score_all(
    paths: Sequence[Path],
    out: str,
    request: Request,
    *,
    cluster: Cluster = "auto",
    workers: int = 0,
    restart: bool = False,
    on_listed: Callable[[int, int], None] = lambda files, kept: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Score all files and write `out`; after any end the same call goes on with what is not done.

    Parts are kept as they are done, in the hidden folder ".NAME.parts" beside `out` or, where `out`
    is an address, in it: a folder of Parquet files, which then stays. Which files there are is
    decided once, at the start.

    Args:
        paths: Pictures, or folders searched through.
        out: CSV or Parquet file to write; or an address that fsspec knows, for Parquet.
        request: What is asked; its suffix is that of `out`.
        cluster: Where the work is done, see `begun`.
        workers: Processes; 0 for one a core.
        restart: Whether parts that are there, and what is finished at an address, are dropped.
        on_listed: Called with the numbers of files in all and of those done before.
        on_progress: Called with the number of files done.

    Raises:
        ImageError: A path does not exist, or there is no file.
        CheckpointError: The checkpoint cannot be used.
        CoreError: Another process writes `out`, parts of another run or the scores of other files
            are there, or the cluster cannot be used.
        OSError: The result cannot be written.
    """
    folder = find_checkpoint(request.checkpoint)
    request = replace(request, weights=fingerprint(folder / WEIGHTS))
    remote = is_remote(out)
    # Hidden, so that a folder of pictures that takes its own scores lists no parts.
    store = Store(out if remote else str(Path(out).with_name(f".{Path(out).name}.parts")))
    identity = {
        "format": FORMAT,
        "paths": [str(path.absolute()) for path in paths],
        "named": [os.fspath(path) for path in paths],  # as the listing, whose paths may be relative
        "card": file_hash(folder / "card.json"),
        **request.to_json(),
    }
    with ExitStack() as stack:
        engine_of = stack.enter_context(begun(cluster, workers))
        from core.models import Card  # loads torch, while a cluster starts

        labels = Card.load(folder / "card.json").labels
        if not remote:
            stack.enter_context(_held(Path(out)))
        _take_up(store, identity, restart=restart)
        if DONE in store.names():
            _refuse_others(paths, store)
        if LISTING not in store.names():
            try:
                write_listing(paths, store, None if remote else Path(out))
            except ImageError:
                store.drop()
                raise
        listing, found = Listing(store), store.parts()
        damaged = [number for number, name in found.items() if not store.is_whole(name)]
        for number in damaged:
            store.remove(found.pop(number))
        done = kept = sum(listing.size(number) for number in found)
        on_listed(listing.files, kept)
        missing = [number for number in range(listing.parts) if number not in found]
        work = engine_of(len(missing))
        task = PartWork(request, store.place)
        for number in work(task, missing, workers) if missing else ():
            done += listing.size(number)
            on_progress(done)
        if gone := listing.parts - len(store.parts()):
            raise CoreError(
                f"{gone} parts of {store.place} went away meanwhile. Ask for the same again."
            )
        if remote:
            store.write(DONE, b"")
            counts = _counted(row for table in _tables(store) for row in _said(table))
        else:
            counts = _joined(store, Path(out), request.suffix, labels)
            store.drop()
    return Outcome(listing.files, kept, len(damaged), counts)


def _held(out: Path) -> AbstractContextManager[None]:
    """Make sure that nobody else writes the file meanwhile.

    Raises:
        CoreError: Somebody does.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    claim = Claim(out.with_name(f".{out.name}.claim"))
    return claim.held(
        lambda number: CoreError(
            f"{out} is being written by process {number}. Wait for it, or name another --out."
        )
    )


def _take_up(store: Store, identity: dict[str, Any], *, restart: bool) -> None:
    """Go on with the parts that are there, or begin; parts of another run are not lost."""
    if store.remote and (others := store.foreign()):
        raise CoreError(
            f"{store.place} holds {len(others)} files of something else, such as {others[0]}. "
            "Name another --out, where nothing is yet."
        )
    found = store.read_object(REQUEST)
    if found == identity and not restart:
        return
    if (parts := store.parts()) and not restart:
        if found.get("format", FORMAT) != FORMAT:
            raise CoreError(
                f"{store.place} holds {len(parts)} parts of an earlier version of this program, "
                "whose tables have other columns. Name another --out, or drop them with --restart."
            )
        other = ", ".join(sorted(key for key in identity if found.get(key) != identity[key]))
        raise CoreError(
            f"{store.place} holds {len(parts)} parts of another run (other {other}). Ask for the "
            "same again to go on with it, name another --out, or drop them with --restart."
        )
    store.drop()
    store.write(REQUEST, json.dumps(identity, indent=1).encode())


def _refuse_others(paths: Sequence[Path], store: Store) -> None:
    """Refuse to take the finished scores of other files for those of the files that are there now.

    Raises:
        CoreError: The files are not those that were scored.
        ImageError: As for `write_listing`.
    """
    scored = Listing(store)
    with tempfile.TemporaryDirectory(prefix="gimefive-listing-") as folder:
        write_listing(paths, Store(folder))
        now = Listing(Store(folder))
        if now.files != scored.files or any(
            now.part(number) != scored.part(number) for number in range(now.parts)
        ):
            raise CoreError(
                f"{store.place} holds the scores of {scored.files:,} files; now there are "
                f"{now.files:,}, and not the same. Name another --out, or score all of them again "
                "with --restart."
            )


def _joined(store: Store, out: Path, suffix: str, labels: Sequence[str]) -> dict[str, int]:
    """Write the parts as one file, replaced at once, and count its rows."""
    with replacing(out) as temporary:
        if suffix == PARQUET:
            with pq.ParquetWriter(temporary, schema(labels), compression="zstd") as writer:
                return _counted(_written(_tables(store), writer))
        with temporary.open("wb") as file:
            file.write(csv_header(labels))
            return _counted(_copied(store, file, header(labels)))


def _written(tables: Iterable[pa.Table], writer: pq.ParquetWriter) -> Iterator[dict[str, Any]]:
    """Write tables; what the rows of each say, as it is written."""
    for table in tables:
        writer.write_table(table)
        yield from _said(table)


def _copied(store: Store, file: IO[bytes], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Copy parts in CSV; the rows of each, as it is copied."""
    for _, name in sorted(store.parts().items()):
        content = store.read(name)
        file.write(content)
        yield from csv.DictReader(io.StringIO(content.decode(), newline=""), columns)


def _tables(store: Store) -> Iterator[pa.Table]:
    for _, name in sorted(store.parts().items()):
        yield pq.read_table(io.BytesIO(store.read(name)))


def _said(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.select(["status", "note", "read_as"]).to_pylist()
    return rows


def _counted(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    counts = dict.fromkeys(("ok", "no_face", "unreadable", "more", "turned"), 0)
    for row in rows:
        counts[row["status"]] += 1
        counts["more"] += "the largest was scored" in row["note"]
        counts["turned"] += "turned" in row["read_as"]
    return counts


def write_listing(paths: Sequence[Path], store: Store, without: Path | None = None) -> int:
    """List the files of `core.scoring.list_files` in the same order.

    Names are sorted in a database on disk and never all in memory.

    Args:
        paths: Files and folders.
        store: Takes the listing.
        without: A file that is left out.

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
            for rows in _chunks(walk_files(paths, without), NAMES):
                names.executemany("INSERT OR IGNORE INTO found VALUES (?, ?, ?)", rows)
            count = int(names.execute("SELECT count(*) FROM found").fetchone()[0])
            if not count:
                raise no_file(paths)
            ordered = names.execute("SELECT path FROM found ORDER BY argument, key")
            written = Path(folder) / LISTING
            _write(ordered, written)
        finally:
            names.close()
        store.take(written, LISTING)
    return count


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def _write(rows: Iterable[tuple[bytes]], path: Path) -> None:
    """A row group a part."""
    with pq.ParquetWriter(path, _PATHS, compression="zstd") as writer:
        for part in _chunks(rows, PART_FILES):
            writer.write_table(pa.table({"path": [row[0] for row in part]}, schema=_PATHS))
