"""What a source is: where it comes from, how its layout is recognised and what it lists."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from core.data.containers import PICTURES, Container, Skip, suffix
from core.data.name_map import Doubt, NameMap, as_split, read_split
from core.data.name_map import Split as Split  # for the sources that import it from here
from core.labels import COLOURS
from core.registry import Registry

RECOGNISED = 0.9  # share of the pictures that must follow a layout; strays are skipped later
PAPER_NAMES = rf"_({'|'.join(COLOURS)})\.[a-z]+$"  # ends of file names in the paper's form


@dataclass(frozen=True, slots=True)
class Item:
    """A picture a source lists.

    A word that the user maps to another meaning (`NameMap`) is replaced where sources are listed,
    so that a source says only what it read and how sure it is.  A doubt is "near" where a word is
    taken for one it nearly is, which is told; "number" where a bare number may stand for different
    classes, and "unknown" of a split, which are asked; "unknown" of a class leaves it out.

    Attributes:
        reference: Member of the container, or `member#n` (see `core.data.pictures`).
        split: As its publisher has it.
        label: Canonical name, the publisher's name where we know none, "" for unlabelled.
        label_word: The class as the source writes it: a folder's name, a number, a cell.
        split_word: The split as the source writes it; "" where it says none.
        doubt: Of the label.
        split_doubt: Of the split.
        group: Name of the pictures that must stay in one part, as a person; "" for none.
        stratum: Name of the condition the picture was taken in; "" for none.
    """

    reference: str
    split: Split
    label: str
    label_word: str = ""
    split_word: str = ""
    doubt: Doubt = ""
    split_doubt: Doubt = ""
    group: str = ""
    stratum: str = ""


def _no_subsource(name: str) -> str:
    return ""


def _asked(container: Container, table: str) -> bool:
    return False


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
        items: Lists pictures, and files that are none of the set's with the reason; what the user
            says names mean helps to tell which folders are the classes.
        alike: True where one person shows one expression after another before one background, so
            that pictures resemble each other without being copies.
        subsource: A finer origin by a picture's file name, "" for none.
        every: Lists as `items`, but every so many frames of videos; None where there are no videos.
        numbers: Class by number, as the publisher numbers them; empty where it does not.
        folders_over: Whether class folders count whatever a table beside them says; how often it
            says otherwise is told instead of asked.
        numbers_beside: True where numbers in tables beside class folders are the publisher's, too.
    """

    name: str
    title: str
    licence: str
    obtain: str
    url: str
    matches: Callable[[Container], bool]
    items: Callable[[Container, NameMap], Iterator[Item | Skip]]
    alike: bool = False
    subsource: Callable[[str], str] = _no_subsource
    every: Callable[[Container, int], Iterator[Item | Skip]] | None = None
    numbers: Mapping[str, str] = field(default_factory=dict)
    folders_over: Callable[[Container, str], bool] = _asked
    numbers_beside: bool = False


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
    """The split a folder's name stands for; None where it is none, or not for sure."""
    meaning = read_split(folder)
    return None if meaning.doubt else as_split(meaning.value)
