"""The folder that a data set is written to: never over another set, nor over a user's own files."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.data.demo import DEMO
from core.data.listing import Listed, parse
from core.errors import DataError
from core.labels import CLASS_SETS
from core.shapes import DatasetFile
from core.stored import shaped_or_empty

PARTIAL = ".partial"
TABLES = "tables.json"  # in it: what dataset.json will say, once all but the splits is there
DEMO_ZIP = f"{DEMO}.zip"
WRITTEN = (
    "dataset.json",
    "manifest.csv",
    "images.npy",
    "pairs.csv",
    "mirrored.csv",
    "skipped.csv",
    "statistics.csv",
    "class_means.npz",
    "audit.json",
    "audit.md",
    "splits/published.csv",
    "splits/clean.csv",
)


def refuse_inside(out: Path, sources: Iterable[str | Path]) -> None:
    """Refuse a folder of a source, where our tables would be read as the user's.

    Args:
        out: Folder of the data set, which need not be there.
        sources: As `prepare` takes them.

    Raises:
        DataError: `out` is a source or lies in one, or there is no source of a name given.
    """
    place = out.resolve()
    for source in sources:
        if str(source) == DEMO:
            continue
        root = parse(source)[1].resolve()
        if root.is_dir() and place.is_relative_to(root):
            raise DataError(
                f"{place.name} {'is' if place == root else 'lies in'} the source {root.name}; "
                "expected a folder outside of it, since all that lies in it is read. "
                "Choose another --out."
            )


def refuse_other(out: Path, listed: Sequence[Listed], class_set: str) -> None:
    """Refuse a folder that holds what is none of ours, or a data set whose pictures would go.

    Each source that was prepared there is to be among the new ones: a file or folder at the same
    place, one of the same content, or a folder of the same name whose former place is empty. More
    sources and more classes take nothing away.

    Args:
        out: Folder of the data set, which need not be there.
        listed: What is to be written there.
        class_set: Name in `core.labels.CLASS_SETS` of the classes that are to be kept.

    Raises:
        DataError: Something there would be lost.
    """
    name, info = out.resolve().name, _written(out)
    if info is not None:
        _refuse_fewer_sources(name, info, listed)
        _refuse_fewer_classes(name, info, class_set)
        return
    damaged = all((out / one).is_file() for one in ("dataset.json", "images.npy", "manifest.csv"))
    if damaged or (out / PARTIAL).is_dir():
        return
    foreign = [one for one in WRITTEN if (out / one).exists()]
    if foreign:
        raise DataError(
            f"{name} holds {', '.join(foreign)}, but no data set; expected an empty folder, or "
            "these files would be lost. Choose another --out, or move them away."
        )


def _refuse_fewer_sources(name: str, info: dict[str, Any], listed: Sequence[Listed]) -> None:
    parts = info.get("sources", [])
    gone = [part for part in parts if not any(_is_same(part, one) for one in listed)]
    if not gone:
        return
    known = f"{name} holds a data set made of {_keys(parts)} ({info.get('images', 0):,} pictures)"
    if len(gone) == len(parts):
        raise DataError(
            f"{known}; expected an empty folder or a set of the same sources. "
            "Choose another --out, or delete it first."
        )
    pictures = sum(part.get("images", 0) for part in gone)
    raise DataError(
        f"{known}; of the sources named, {', '.join(one.key for one in listed)}, none is "
        f"{_keys(gone)}, whose {pictures:,} pictures would go. "
        "Name all its sources, choose another --out, or delete the folder first."
    )


def _refuse_fewer_classes(name: str, info: dict[str, Any], class_set: str) -> None:
    kept = CLASS_SETS[class_set]
    gone: Counter[str] = Counter()
    for splits in info["counts"].values():
        for labels in splits.values():
            gone.update({one: count for one, count in labels.items() if one not in kept})
    gone = Counter({label: gone[label] for label in info["labels"] if label in gone})
    if not gone:
        return
    former = next((one for one, known in CLASS_SETS.items() if [*known] == info["labels"]), None)
    raise DataError(
        f"{name} holds a data set of {former or len(info['labels'])} classes "
        f"({info.get('images', 0):,} pictures); as one of {class_set}, its {gone.total():,} "
        f"pictures of {', '.join(gone)} would go. "
        f"{f'Give --class-set {former}, choose' if former else 'Choose'} another --out, or delete "
        "the folder first."
    )


def _keys(parts: Iterable[dict[str, Any]]) -> str:
    return ", ".join(str(part["key"]) for part in parts)


def holds_demo(out: Path) -> bool:
    """Whether the drawn demo was prepared or begun in this folder, and nothing else."""
    info = _written(out)
    keys = [] if info is None else [part["key"] for part in info.get("sources", [])]
    return (out / DEMO_ZIP).is_file() and keys in ([], [DEMO_ZIP])


def _written(out: Path) -> dict[str, Any] | None:
    """What dataset.json says, or will say; None where there is no such set, or it is damaged."""
    paths = (out / "dataset.json", out / PARTIAL / TABLES)
    return next(filter(None, (shaped_or_empty(path, DatasetFile) for path in paths)), None)


def _is_same(part: dict[str, Any], one: Listed) -> bool:
    root = part["root"]
    if os.path.realpath(root) == str(one.root) or part.get("sha256") == one.fingerprint:
        return True
    with suppress(OSError):  # a folder that may not be entered
        return part["key"] == one.key and not Path(root).exists()
    return False
