"""Tables with the columns `emotion,pixels,Usage`, the form FER2013 was first published in.

The columns may have any order and case, and `Usage` may be absent.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.data.containers import Container, Skip
from core.data.name_map import NameMap, Split, as_split
from core.data.sources.base import Item, pictures
from core.data.sources.class_folders import NO_NUMBERS, class_folders
from core.data.sources.columns import (
    EMPTY,
    LABELS,
    USAGES,
    number_text,
    read_label,
    read_splits,
    split_in_name,
)
from core.data.tables import forms, named_rows, refuse_damaged

NUMBERS = {  # in the column `emotion`
    "0": "anger",
    "1": "disgust",
    "2": "fear",
    "3": "happiness",
    "4": "sadness",
    "5": "surprise",
    "6": "neutral",
}

_CONTEST = frozenset({"publictest", "privatetest"})  # Usage as FER2013's publishers wrote it
_PIXELS = re.compile(r"\[?\d+([\s,]+\d+){63,}\]?")


@dataclass(frozen=True, slots=True)
class PixelTable:
    """A table of pixels and its columns.

    Attributes:
        member: Its name in the container.
        label: Name of the column of classes.
        usage: Name of the column of splits; "" where there is none.
    """

    member: str
    label: str
    usage: str

    @property
    def stem(self) -> str:
        """Its file name in lower case, without folders and suffix."""
        return PurePosixPath(self.member).stem.lower()

    @property
    def named_split(self) -> Split | None:
        """The one split that the table's name says, as in `test.csv`; None for none."""
        return split_in_name(self.stem)


def pixel_tables(container: Container) -> list[PixelTable]:
    """Tables whose header names `pixels` and a column of classes."""
    found = []
    for member, form in forms(container).items():
        columns = form.columns
        label = next((name for name in LABELS if name in columns), "")
        if "pixels" in columns and label:
            usage = next((name for name in USAGES if name in columns), "")
            found.append(PixelTable(member, label, usage))
    return found


def is_ck_plus(table: PixelTable) -> bool:
    """Whether a table of pixels is CK+ by its name, as in `ckextended.csv`."""
    return table.stem.startswith("ck")


def fer_tables(container: Container) -> list[PixelTable]:
    """The tables to read: one with all splits where there is one, else one a split."""
    found = [table for table in pixel_tables(container) if not is_ck_plus(table)]
    # The contest's archive holds the same rows three times; one table with all is enough.
    named = [table for table in found if table.stem == "fer2013"]
    whole = [table for table in found if table.usage and not table.named_split]
    return (named or whole)[:1] or found


def table_or_folder_items(
    container: Container,
    names: NameMap,
    chosen: list[PixelTable],
    labels: Mapping[str, str],
    fixed: Split | None = None,
    numbers: Mapping[str, str] = NO_NUMBERS,
) -> Iterator[Item | Skip]:
    """The rows of all tables; the pictures in class folders where there is no table.

    Args:
        container: The source's files.
        names: What the user says names mean.
        chosen: Tables in it; all other files are left out.
        labels: As `table_items` takes them.
        fixed: As `table_items` takes it.
        numbers: Class by number of a folder, as `class_folders` takes them.
    """
    if not chosen:
        yield from class_folders(container, names, numbers=numbers)
        return
    refuse_damaged(container)
    yield from beside(container, {table.member for table in chosen})
    for table in chosen:
        yield from table_items(container, table, labels, fixed)


def headless(container: Container) -> str:
    """The first table whose first line already has pixels, so that its columns have no names."""
    return next(
        (
            member
            for member, form in forms(container).items()
            if any(map(_PIXELS.fullmatch, form.first))
        ),
        "",
    )


def beside(container: Container, taken: set[str]) -> Iterator[Skip]:
    """All files but those that are taken: with a table of pixels nothing else is read."""
    labelled = {table.member for table in pixel_tables(container)}
    of_pixels = {member for member, form in forms(container).items() if "pixels" in form.columns}
    found = set(pictures(container))
    names = ", ".join(sorted(PurePosixPath(member).name for member in taken))
    for member in container.members:
        if member in taken:
            continue
        if member in labelled:
            yield Skip(member, f"another table of pixels beside {names}; give it alone to read it")
        elif member in found:
            yield Skip(member, f"a picture beside {names}; give its folder alone to read it")
        elif member in of_pixels:
            yield Skip(member, "a table of pixels without a column of labels")
        else:
            yield Skip(member, "not a picture")


def table_items(
    container: Container, table: PixelTable, labels: Mapping[str, str], fixed: Split | None
) -> Iterator[Item | Skip]:
    """One item a row.

    Args:
        container: The source's files.
        table: One in it.
        labels: Canonical name of every number in the column of classes; words stand for themselves.
        fixed: Split of all rows, whatever the column of splits says; None to read it.
    """
    rows = [
        (number_text(row.get(table.label, "")), row.get(table.usage, ""))
        for row in named_rows(container, table.member)
    ]
    words = {word for word, _ in rows}
    contest = any(usage.strip().lower() in _CONTEST for _, usage in rows)
    # Numbers that lack 0, or have one more than there are, may begin at 1 or be another set's.
    from_one = labels is NUMBERS and "1" in words and "0" not in words and not contest
    known = None if "7" in words - set(labels) or from_one else labels
    usages = read_splits(usage for _, usage in rows if table.usage)
    for number, (word, usage) in enumerate(rows):
        reference = f"{table.member}#{number}"
        if not word:
            yield Skip(reference, f"its cell in column {table.label} is empty")
            continue
        label, doubt = read_label(word, known)
        if not table.usage or fixed:
            yield Item(reference, fixed or table.named_split or "train", label, word, "", doubt)
            continue
        split = usages[usage]
        usage = usage or EMPTY
        read = as_split(split.value) or "train"
        yield Item(reference, read, label, word, usage, doubt, split.doubt)
