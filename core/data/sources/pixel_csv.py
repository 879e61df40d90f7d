"""Tables with the columns `emotion,pixels,Usage`, the form FER2013 was first published in."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from core.data.containers import Container, Skip, suffix
from core.data.name_map import NameMap
from core.data.pictures import csv_rows
from core.data.sources.base import Item, Split
from core.data.sources.class_folders import NO_NUMBERS, class_folders

NUMBERS = {  # in the column `emotion`
    "0": "anger",
    "1": "disgust",
    "2": "fear",
    "3": "happiness",
    "4": "sadness",
    "5": "surprise",
    "6": "neutral",
}


def pixel_tables(container: Container) -> list[str]:
    """CSV members whose header names `emotion` and `pixels`."""
    found = []
    for member in container.members:
        if suffix(member) == ".csv":
            with container.open(member) as file:
                header = file.readline(1000).decode("utf-8", errors="replace").lower()
            if {"emotion", "pixels"} <= {name.strip(' \r\n"\ufeff') for name in header.split(",")}:
                found.append(member)
    return found


def is_ck_plus(member: str) -> bool:
    """Whether a table of pixels is CK+ by its name, as in `ckextended.csv`."""
    return PurePosixPath(member).stem.lower().startswith("ck")


def table_or_folder_items(
    container: Container,
    names: NameMap,
    tables: list[str],
    labels: dict[str, str],
    splits: dict[str, Split],
    numbers: Mapping[str, str] = NO_NUMBERS,
) -> Iterator[Item | Skip]:
    """The rows of all tables; the pictures in class folders where there is no table.

    Args:
        container: The source's files.
        names: What the user says names mean.
        tables: Names of tables in it.
        labels: As `table_items` takes them.
        splits: As `table_items` takes them.
        numbers: Class by number of a folder, as `class_folders` takes them.
    """
    if not tables:
        yield from class_folders(container, names, numbers=numbers)
    for table in tables:
        yield from table_items(container, table, labels, splits)


def table_items(
    container: Container, member: str, labels: dict[str, str], splits: dict[str, Split]
) -> Iterator[Item | Skip]:
    """One item a row.

    Args:
        container: The source's files.
        member: The table's name in it.
        labels: Canonical name of every number in the column `emotion`.
        splits: Split of every value in the column `Usage`; the value "" is the default.
    """
    for number, row in enumerate(csv_rows(container, member)):
        reference = f"{member}#{number}"
        label = labels.get(row.get("emotion", "").strip())
        usage = row.get("usage", "").strip()
        split = splits.get(usage, splits.get(""))
        if label is None:
            yield Skip(reference, f"unknown number {row.get('emotion', '')!r} in column emotion")
        elif split is None:
            yield Skip(reference, f"unknown value {usage!r} in column Usage")
        else:
            yield Item(reference, split, label)
