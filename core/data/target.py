"""The folder that a data set is written to: never over another set, nor over a user's own files."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.data.demo import DEMO
from core.data.listing import Listed, parse
from core.errors import DataError
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


def refuse_other(out: Path, listed: Sequence[Listed]) -> None:
    """Refuse a folder that holds what is none of ours, or a data set of other sources.

    A set of the same sources is one that shares a source with them: a file or folder at the same
    place, one of the same content, or a folder of the same name whose former place is empty.

    Args:
        out: Folder of the data set, which need not be there.
        listed: What is to be written there.

    Raises:
        DataError: Something there would be lost.
    """
    name, info = out.resolve().name, _written(out)
    if info is not None:
        parts = info.get("sources", [])
        if parts and not any(_is_same(part, one) for part in parts for one in listed):
            keys = ", ".join(str(part["key"]) for part in parts)
            raise DataError(
                f"{name} holds a data set made of {keys} ({info.get('images', 0):,} pictures); "
                "expected an empty folder or a set of the same sources. "
                "Choose another --out, or delete it first."
            )
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
