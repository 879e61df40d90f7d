"""What a source is: where it comes from, how its layout is recognised and what it lists."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from core.data.containers import PICTURES, Container, Skip, suffix
from core.labels import canonical
from core.registry import Registry

Split = Literal["train", "test", "valid", "unlabelled"]

RECOGNISED = 0.9  # share of the pictures that must follow a layout; strays are skipped later

_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A picture a source lists.

    Attributes:
        reference: Member of the container, or `member#n` (see `core.data.pictures`).
        split: As its publisher has it.
        label: Canonical name, the publisher's name where we know none, "" for unlabelled.
    """

    reference: str
    split: Split
    label: str


def _no_subsource(name: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Source:
    """A data set's layout and provenance.

    Attributes:
        name: Registry name, permanent; the manifest's `source`.
        title: For people.
        licence: What its publisher allows, in a sentence.
        obtain: How to get it, in a sentence.
        url: The publisher's page; "" where there is none.
        matches: Whether a container has this layout.
        items: Lists pictures, and files that are none of the set's with the reason.
        alike: True where one person shows one expression after another before one background, so
            that pictures resemble each other without being copies.
        subsource: A finer origin by a picture's file name, "" for none.
        every: Lists as `items`, but every so many frames of videos; None where there are no videos.
    """

    name: str
    title: str
    licence: str
    obtain: str
    url: str
    matches: Callable[[Container], bool]
    items: Callable[[Container], Iterator[Item | Skip]]
    alike: bool = False
    subsource: Callable[[str], str] = _no_subsource
    every: Callable[[Container, int], Iterator[Item | Skip]] | None = None


SOURCES: Registry[Source] = Registry("source")


def pictures(container: Container) -> list[str]:
    """Members that are image files by their suffix."""
    return [member for member in container.members if suffix(member) in PICTURES]


def share(members: list[str], pattern: str) -> float:
    """Share of member names in which the pattern is found, 0 for no members."""
    if not members:
        return 0.0
    find = re.compile(pattern, re.IGNORECASE).search
    return sum(find(member) is not None for member in members) / len(members)


def split_of(folder: str) -> Split | None:
    """The split a folder's name stands for."""
    return _SPLITS.get(folder.lower())


def strays(container: Container, known: frozenset[str]) -> Iterator[Skip]:
    """Files that are no pictures, save label files the source has read.

    Args:
        container: The source's files.
        known: Lower-case file names (without folders) of the label files.
    """
    for member in container.members:
        name = member.rpartition("/")[2].lower()
        if suffix(member) not in PICTURES and name not in known:
            yield Skip(member, "not a picture")


def class_folders(
    container: Container,
    *,
    label_of: Callable[[str], str | None] = canonical,
    label_files: frozenset[str] = frozenset(),
) -> Iterator[Item | Skip]:
    """Items of `[SPLIT/]CLASS/NAME` below any folder.

    Args:
        container: The source's files.
        label_of: Canonical name of a class folder; None keeps the folder's own name as label.
        label_files: See `strays`.
    """
    yield from strays(container, label_files)
    for member in pictures(container):
        parts = member.split("/")
        if len(parts) < 2:
            yield Skip(member, "not inside a class folder")
            continue
        above = split_of(parts[-3]) if len(parts) > 2 else None
        yield Item(member, above or "train", label_of(parts[-2]) or parts[-2].lower())
