"""Decode every listed picture once into the uint8 cache, in parallel and resumable.

Pictures are worked on in chunks. A chunk's pixels go straight into the memory-mapped array, then
its facts, with a hash of those pixels, go into a small file that is renamed into place: a chunk
whose file tells of what the array holds is done, any other is done again.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import PIL.Image

from core.data.containers import open_container
from core.data.listing import Listed
from core.data.pictures import PictureReader
from core.errors import CoreError, DataError, sentence_of
from core.files import read_object, replacing, write_json
from core.preprocess import Preprocess
from core.process import end_with_parent
from core.types import Image

CHUNK = 512  # pictures: a second or so of work, lost at most once a worker by a kill
INLINE = 2 * CHUNK  # below this, starting processes costs more than it saves

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one listed picture after reading it.

    Attributes:
        width: Pixels of the original; 0 where it could not be read.
        mode: Colour mode of the file, in Pillow's names.
        pixel_hash: 32 hex digits of the decoded RGB pixels and their size.
        perceptual_hash: 16 hex digits, imagehash's pHash of the grey 64 x 64 square.
        error: Why it could not be read, else "".
    """

    width: int
    height: int
    mode: str
    pixel_hash: str
    perceptual_hash: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Work for one process: pictures `first` and following of the listing."""

    number: int
    root: str
    first: int
    references: tuple[str, ...]


def pixel_hash(image: Image) -> str:
    """32 hex digits that agree only for pictures of equal size and equal RGB pixels."""
    digest = hashlib.blake2b(str(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def fill(listed: list[Listed], folder: Path, workers: int, progress: Progress) -> list[Facts]:
    """Read all pictures into `folder`/images.npy and give their facts in order.

    Args:
        listed: Sources in the order of the manifest.
        folder: Work folder of this very request; finished chunks in it are not done again.
        workers: Processes; 1 stays in this one.
        progress: Called after every chunk.

    Raises:
        CoreError: A container can no longer be opened.
    """
    chunks = list(_chunks(listed))
    total = sum(len(chunk.references) for chunk in chunks)
    array = _array(folder, total)
    todo = _unfinished(chunks, array)
    done = total - sum(len(chunk.references) for chunk in todo)
    progress(done, total, "reading pictures")
    many = workers > 1 and total - done > INLINE
    for chunk in _parallel(todo, array, workers) if many else _inline(todo, array):
        done += len(chunk.references)
        progress(done, total, "reading pictures")
    _reader.cache_clear()  # closes the source where this process has read it
    facts: list[Facts] = []
    for chunk in chunks:
        rows = read_object(_facts_path(folder, chunk.number)).get("facts", [])
        facts.extend(Facts(**row) for row in rows)
    return facts


def work(chunk: Chunk, array_path: Path) -> Chunk:
    """Read one chunk; runs in a worker process."""
    array: Any = np.load(array_path, mmap_mode="r+")
    reader = _reader(chunk.root, str(array_path))
    preprocess = Preprocess()
    rows = []
    for offset, reference in enumerate(chunk.references):
        try:
            image, mode = reader.read(reference)
            pixels = preprocess.pixels(image)
        except CoreError as error:
            rows.append(asdict(Facts(0, 0, "", "", "", str(error))))
            continue
        array[chunk.first + offset] = pixels
        height, width = image.shape[:2]
        facts = Facts(width, height, mode, pixel_hash(image), _perceptual_hash(pixels))
        rows.append(asdict(facts))
    array.flush()
    known = {"pixels": _hash_of(array, chunk), "facts": rows}
    write_json(_facts_path(array_path.parent, chunk.number), known)
    return chunk


def _unfinished(chunks: list[Chunk], array_path: Path) -> list[Chunk]:
    """Chunks without facts, or whose facts tell of other pixels than the array's."""
    array = np.load(array_path, mmap_mode="r")
    known = [read_object(_facts_path(array_path.parent, chunk.number)) for chunk in chunks]
    return [
        chunk
        for chunk, facts in zip(chunks, known, strict=True)
        if not facts or facts.get("pixels") != _hash_of(array, chunk)
    ]


def _hash_of(array: Image, chunk: Chunk) -> str:
    block = array[chunk.first : chunk.first + len(chunk.references)]
    return hashlib.blake2b(np.ascontiguousarray(block).data, digest_size=16).hexdigest()


@lru_cache(maxsize=1)
def _reader(root: str, request: str) -> PictureReader:
    """The reader of the last source, kept over chunks: a zip's list of names takes a while.

    The request's folder is part of the key, because its name changes with the source's content.
    """
    return PictureReader(open_container(Path(root)))


def _perceptual_hash(pixels: Image) -> str:
    return str(imagehash.phash(PIL.Image.fromarray(pixels)))


def _chunks(listed: list[Listed]) -> Iterator[Chunk]:
    number = first = 0
    for one in listed:
        for start in range(0, len(one.items), CHUNK):
            part = one.items[start : start + CHUNK]
            references = tuple(item.reference for item in part)
            yield Chunk(number, str(one.root), first, references)
            number += 1
            first += len(part)


def _array(folder: Path, total: int) -> Path:
    path = folder / "images.npy"
    size = Preprocess().size
    if not path.is_file():
        with replacing(path) as temporary:
            lay_out(temporary, (total, size, size)).flush()
    return path


def lay_out(path: Path, shape: tuple[int, ...]) -> "np.memmap[Any, np.dtype[np.uint8]]":
    """A new array on disk, uint8 and zero, all of its room taken.

    An array without room ends the process by a signal at the first write to it.

    Raises:
        DataError: There is no room for it.
    """
    array: Any = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    size, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    try:
        if free < size:
            raise DataError(
                f"{size / 1e6:,.1f} MB are needed in {path.parent} and {free / 1e6:,.1f} MB are "
                "free. Free some space, or choose a folder on another disk."
            )
        if hasattr(os, "posix_fallocate"):
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system without promises
            raise DataError(sentence_of(error)) from error
    laid: np.memmap[Any, np.dtype[np.uint8]] = array
    return laid


def _facts_path(folder: Path, number: int) -> Path:
    return folder / f"chunk-{number:06d}.json"


def _inline(chunks: list[Chunk], array: Path) -> Iterator[Chunk]:
    for chunk in chunks:
        yield work(chunk, array)


def _parallel(chunks: list[Chunk], array: Path, workers: int) -> Iterator[Chunk]:
    # Spawned, because a forked copy of a process with threads (the app) can hang.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, end_with_parent) as pool:
        waiting: set[Future[Chunk]] = {pool.submit(work, chunk, array) for chunk in chunks}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()
