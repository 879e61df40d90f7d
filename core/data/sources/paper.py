"""The paper's own form: `NAME_emotion.jpg` and headerless label tables `name,number`."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from core.data.containers import Container, Skip
from core.data.name_map import NameMap
from core.data.sources.base import (
    PAPER_NAMES,
    RECOGNISED,
    SOURCES,
    Item,
    Source,
    pictures,
    share,
)
from core.data.sources.class_folders import folder_splits, strays
from core.data.tables import Form, raw_rows
from core.labels import EMOTIONS, NEUTRAL, canonical

_NUMBERS = (*EMOTIONS, NEUTRAL)
_FORM = Form("utf-8-sig", ",", hinted=False, first=())  # of the label tables
_TABLES = {f"{split}_labels.csv" for split in ("train", "test", "valid")}
_VALID_ONLY = r"(^|/)valid/img\d+_[a-z]+\.[a-z]+$"


def _matches(container: Container) -> bool:
    return share(pictures(container), PAPER_NAMES) >= RECOGNISED


def _matches_valid(container: Container) -> bool:
    found = pictures(container)
    return _matches(container) and share(found, _VALID_ONLY) >= RECOGNISED


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    yield from strays(container, frozenset(_TABLES))
    numbers = _label_tables(container)
    splits = folder_splits(pictures(container), names)
    for member in pictures(container):
        path = PurePosixPath(member)
        match = re.search(PAPER_NAMES, path.name, re.IGNORECASE)
        if match is None:
            yield Skip(member, "its name does not end in _EMOTION")
            continue
        label = match.group(1).lower()
        listed = numbers.get(path.name)
        if listed is not None and listed != label:
            yield Skip(member, f"its name says {label}, the label table {listed}")
            continue
        others = {canonical(folder) for folder in path.parts[:-1]} - {None, label}
        if others:
            yield Skip(member, f"its name says {label}, its folder {others.pop()}")
            continue
        split, word, doubt = splits[member]
        yield Item(member, split, label, split_word=word, split_doubt=doubt)


def _label_tables(container: Container) -> dict[str, str]:
    """Canonical label of every picture name in the label tables."""
    labels: dict[str, str] = {}
    for member in container.members:
        if PurePosixPath(member).name.lower() not in _TABLES:
            continue
        for row in raw_rows(container, member, _FORM):
            if len(row) == 2 and row[1].strip().isdecimal():
                number = int(row[1])
                known = number < len(_NUMBERS)
                labels[row[0].strip()] = _NUMBERS[number] if known else f"number {number}"
    return labels


SOURCES.register("gimefive_valid")(
    Source(
        name="gimefive_valid",
        title="FER GiMEFiVE valid",
        licence="As RAF-DB, whose pictures these are: research only.",
        obtain="Download it with the paper's code (github.com/werywjw/SEP-CVDL).",
        url="https://github.com/werywjw/SEP-CVDL",
        matches=_matches_valid,
        items=_items,
    )
)
SOURCES.register("paper")(
    Source(
        name="paper",
        title="Folder in the paper's form",
        licence="As the pictures in it.",
        obtain="Folders train, test, valid with NAME_emotion.jpg, and NAME,NUMBER tables.",
        url="",
        matches=_matches,
        items=_items,
    )
)
