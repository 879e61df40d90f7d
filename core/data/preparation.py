"""Build a prepared data set: manifest, cache, splits, audit.

Layout of the folder: see `core.data.dataset`. Unfinished work lies in `.partial`, named after the
request, and is taken up again after a kill; a finished folder with the same request is left alone.
"""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data import exclude
from core.data.auditing import write_audit
from core.data.cache import Facts, Progress, fill, lay_out
from core.data.containers import Skip
from core.data.dataset import FORMAT, Dataset, counts_of, data_hash, load_dataset, write_csv
from core.data.demo import DEMO, draw_demo
from core.data.duplicates import Pairs, find_pairs, group_rows
from core.data.listing import Listed, list_sources
from core.data.mirrored import find_mirrored
from core.data.name_map import NO_NAMES, NameMap
from core.data.sources import SOURCES
from core.data.splits import clean_split, published_split, rules_of
from core.data.statistics import write_statistics
from core.data.target import DEMO_ZIP, PARTIAL, TABLES, refuse_inside, refuse_other
from core.data.understanding import Understood, refuse_open
from core.errors import DataError
from core.files import read_object, write_json
from core.labels import CLASS_SETS
from core.preprocess import Preprocess
from core.process import Claim
from core.types import Image

METHOD = 4  # raised when the same sources give another manifest, pairs or statistics
COPY_ROWS = 4096  # pictures copied at a time, 16 MB


def claimed(folder: Path) -> AbstractContextManager[None]:
    """Hold `folder`, which no other process or thread does meanwhile.

    Raises:
        DataError: Another one holds it.
    """
    return Claim(folder / ".claim").held(
        lambda number: DataError(
            f"{folder.name} is being prepared by process {number}. Wait for it, or stop it first."
        )
    )


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be prepared; equal requests give equal data sets."""

    listed: tuple[Listed, ...]
    class_set: str
    frame_step: int | None = None
    names: NameMap = NO_NAMES

    @property
    def hash(self) -> str:
        """sha256 over everything the manifest and cache depend on."""
        parts: list[Any] = [FORMAT, METHOD, self.class_set, Preprocess().to_json()]
        parts += [[one.source, one.key, one.fingerprint, len(one.items)] for one in self.listed]
        parts += [] if self.frame_step is None else [self.frame_step]
        parts += [] if self.names == NO_NAMES else [self.names.classes, self.names.splits]
        return sha256(json.dumps(parts).encode()).hexdigest()


def prepare(
    sources: Sequence[str | Path],
    out: str | Path,
    class_set: str = "six",
    workers: int = 2,
    progress: Progress | None = None,
    exclude_file: str | Path | None = None,
    frame_step: int | None = None,
    names: NameMap = NO_NAMES,
    show: Callable[[tuple[Understood, ...]], None] | None = None,
) -> Dataset:
    """Prepare a data set, or do nothing where `out` already holds it.

    Args:
        sources: Folders, zips or pixel tables; `name=path` says which source one is, "demo" stands
            for drawings made here.
        out: Folder of the data set, made if absent.
        class_set: "six" or "seven"; pictures of other classes are skipped and counted.
        workers: Processes that decode.
        progress: Called with pictures done, pictures in all, and what is going on.
        exclude_file: Exclude list whose pictures join the one already there.
        frame_step: Of videos every so many frames are taken; None for the source's own step.
        names: What the user says names in the sources mean.
        show: Called with what was understood of each source, before anything is built.

    Raises:
        DataError: A source or the exclude list cannot be used, a question about names is open,
            `out` is in use by another preparation, lies in a source, or holds what would go.
    """
    report = progress or (lambda done, total, what: None)
    out = Path(out)
    refuse_inside(out, sources)
    handed = None if exclude_file is None else exclude.read_handed(Path(exclude_file))
    report(0, 0, "listing sources")
    drawn = (out / DEMO_ZIP).exists()
    paths = [draw_demo(out) if str(one) == DEMO else one for one in sources]
    listed = tuple(list_sources(paths, class_set, frame_step, names))
    if show is not None:
        show(tuple(one.understood for one in listed))
    refuse_open([one.understood for one in listed])
    request = Request(listed, class_set, frame_step, names)
    out.mkdir(parents=True, exist_ok=True)
    with claimed(out):
        try:
            refuse_other(out, listed, class_set)
        except DataError:
            if not drawn:
                (out / DEMO_ZIP).unlink(missing_ok=True)
            raise
        built = None
        if not _is_finished(out, request):
            info = _tables_of(out, request) or _build(request, out, max(1, workers), report)
            built = Dataset(out, info)
        if handed is not None:
            exclude.adopt(handed, out)
        if built is not None or not _is_current(out):
            report(0, 0, "writing splits and audit")
            _write_derived(built or load_dataset(out))
        _note_places(out, request)
    return load_dataset(out)


def understand(
    sources: Sequence[str | Path],
    class_set: str = "six",
    frame_step: int | None = None,
    names: NameMap = NO_NAMES,
) -> tuple[Understood, ...]:
    """What `prepare` would take of the sources, and as what; nothing is written.

    Args:
        sources: As for `prepare`.
        class_set: As for `prepare`.
        frame_step: As for `prepare`.
        names: As for `prepare`.

    Raises:
        DataError: A source cannot be used at all; open questions are no error.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [draw_demo(Path(folder)) if str(one) == DEMO else one for one in sources]
        return tuple(one.understood for one in list_sources(paths, class_set, frame_step, names))


def _is_finished(out: Path, request: Request) -> bool:
    try:
        return str(load_dataset(out).info["request"]) == request.hash
    except (DataError, KeyError):
        return False


def _tables_of(out: Path, request: Request) -> dict[str, Any] | None:
    """What a former try that ended before its splits knows of the same request; None for none."""
    info = read_object(out / PARTIAL / TABLES)
    whole = all((out / name).is_file() for name in ("images.npy", "manifest.csv", "pairs.csv"))
    return info if whole and info.get("request") == request.hash else None


def _build(request: Request, out: Path, workers: int, progress: Progress) -> dict[str, Any]:
    """Write images and tables; what dataset.json is to say of them."""
    work = out / PARTIAL / request.hash[:16]
    _forget_other_requests(work)
    work.mkdir(parents=True, exist_ok=True)
    facts = fill(list(request.listed), work, workers, progress)
    manifest, skips = _rows(request, facts)
    if manifest.empty:
        first = next(fact.error for fact in facts if fact.error)
        raise DataError(f"None of {len(facts)} pictures could be read. First: {first}")
    kept = manifest.pop("listed").to_numpy(np.int64)
    images_path = _compact(work, kept, len(facts))
    images: Image = np.load(images_path, mmap_mode="r")
    progress(0, 0, "comparing pictures")
    alike = manifest["source"].map({name: one.alike for name, one in SOURCES.items()})
    look = (images, manifest["pixel_hash"].tolist(), alike.to_numpy(dtype=bool))
    pairs = find_pairs(*look)
    progress(0, 0, "looking for mirrored copies")
    mirrored = find_mirrored(*look)
    manifest["group"] = group_rows(pairs, len(manifest))

    # From here on the folder is unfinished until dataset.json is there again.
    (out / "dataset.json").unlink(missing_ok=True)
    images_path.replace(out / "images.npy")
    write_csv(out / "manifest.csv", manifest)
    write_csv(out / "pairs.csv", _pair_table(pairs))
    write_csv(out / "mirrored.csv", mirrored)
    write_csv(out / "skipped.csv", pd.DataFrame(skips, columns=["path", "reason"]))
    info = _info(request, manifest, skips)
    write_json(out / PARTIAL / TABLES, info)
    return info


def _forget_other_requests(work: Path) -> None:
    if work.parent.is_dir():
        for other in work.parent.iterdir():
            if other.name == TABLES:
                other.unlink()
            elif other != work:
                shutil.rmtree(other, ignore_errors=True)


def _rows(request: Request, facts: list[Facts]) -> tuple[pd.DataFrame, list[Skip]]:
    """The manifest (with the row of the listing in column `listed`) and what was skipped."""
    rows: list[dict[str, Any]] = []
    skips: list[Skip] = []
    number = 0
    for one in request.listed:
        skips += [Skip(f"{one.key}!{skip.path}", skip.reason) for skip in one.skips]
        for item in one.items:
            fact = facts[number]
            path = f"{one.key}!{item.reference}"
            if fact.error:
                skips.append(Skip(path, fact.error))
            else:
                rows.append(
                    {
                        "id": len(rows),
                        "source": one.source,
                        "split": item.split,
                        "label": item.label,
                        "subject": item.group,
                        "stratum": item.stratum,
                        "path": path,
                        "width": fact.width,
                        "height": fact.height,
                        "mode": fact.mode,
                        "pixel_hash": fact.pixel_hash,
                        "perceptual_hash": fact.perceptual_hash,
                        "listed": number,
                    }
                )
            number += 1
    table = pd.DataFrame(rows)
    absent = [name for name in ("subject", "stratum") if rows and not table[name].any()]
    return table.drop(columns=absent), skips


def _compact(work: Path, kept: NDArray[np.int64], total: int) -> Path:
    """The cache without the rows of unreadable pictures."""
    path = work / "images.npy"
    if len(kept) == total:
        return path
    images = np.load(path, mmap_mode="r")
    result = work / "compact.npy"
    shape = (len(kept), *images.shape[1:])
    target = lay_out(result, shape)
    for start in range(0, len(kept), COPY_ROWS):
        target[start : start + COPY_ROWS] = images[kept[start : start + COPY_ROWS]]
    target.flush()
    return result


def _pair_table(pairs: Pairs) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "first": pairs.first,
            "second": pairs.second,
            "exact": pairs.exact.astype(int),
            "correlation": np.round(pairs.correlation.astype(np.float64), 5),
        }
    )


def _info(request: Request, manifest: pd.DataFrame, skips: list[Skip]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "request": request.hash,
        "class_set": request.class_set,
        "labels": list(CLASS_SETS[request.class_set]),
        "preprocess": Preprocess().to_json(),
        "images": len(manifest),
        "skipped": len(skips),
        "skipped_by_reason": dict(Counter(skip.reason for skip in skips).most_common(20)),
        "counts": counts_of(manifest),
        "names": list(request.names.pairs()),
        "frame_step": request.frame_step,
        "sources": _sources(request),
        "data_hash": data_hash(manifest),
    }


def _sources(request: Request) -> list[dict[str, Any]]:
    return [
        {
            "name": one.source,
            "key": one.key,
            "root": str(one.root),
            "kind": one.kind,
            "bytes": one.bytes,
            "sha256": one.fingerprint,
            "images": len(one.items),
        }
        for one in request.listed
    ]


def _note_places(out: Path, request: Request) -> None:
    """Write down where unchanged sources lie now; their pictures are read from there."""
    info = load_dataset(out).info
    if info["sources"] != (now := _sources(request)):
        write_json(out / "dataset.json", {**info, "sources": now})


def _is_current(out: Path) -> bool:
    """Whether splits, statistics and audit are those of the manifest and the exclude list."""
    return load_dataset(out).info.get("exclude") == exclude.digest(out)


def _write_derived(dataset: Dataset) -> None:
    """Write splits, statistics, audit and then dataset.json, which says that all is done."""
    out = dataset.folder
    if (out / "dataset.json").is_file():
        # Half of the splits would be another list's; ended here, the tables need no second build.
        (out / PARTIAL).mkdir(exist_ok=True)
        (out / "dataset.json").replace(out / PARTIAL / TABLES)
    excluded = exclude.ids(out, dataset.manifest)
    for name, table in (
        ("published", published_split(dataset.manifest, excluded, dataset.mirrored)),
        ("clean", clean_split(dataset.manifest, excluded, dataset.mirrored)),
    ):
        write_csv(out / "splits" / f"{name}.csv", table)
    write_statistics(dataset)
    write_audit(dataset)
    info = {
        **dataset.info,
        "exclude": exclude.digest(out),
        "excluded": len(excluded),
        "clean_rules": rules_of(dataset.mirrored),
    }
    write_json(out / "dataset.json", info)
    shutil.rmtree(out / PARTIAL, ignore_errors=True)
