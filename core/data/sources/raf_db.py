"""RAF-DB (Li et al., 2017): numbered class folders, or a list with aligned pictures."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath

from core.data.containers import Container, Skip
from core.data.name_map import NameMap, Split
from core.data.sources.base import (
    RECOGNISED,
    SOURCES,
    Item,
    Source,
    pictures,
    share,
)
from core.data.sources.class_folders import class_folders
from core.data.sources.columns import number_text
from core.data.tables import raw_rows, tables
from core.errors import DataError

NUMBERS = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happiness",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}
_LISTED = re.compile(r"(?:.*[/\\])?((train|test)_\d+)(?:_aligned)?\.[a-z]+", re.IGNORECASE)
# Numbers alone are not enough: others count their classes in another order.
_FOLDERS = r"(^|/)(train|test)/[1-7]/(train|test)_\d{4,5}[^/]*$"
_LABEL_FILES = frozenset({"train_labels.csv", "test_labels.csv"})
_COMPOUND = "compound"  # the folder of RAF-DB's second part, whose numbers mean other classes
_COMPOUND_NUMBERS = frozenset({"8", "9", "10", "11"})
_NOTES = r"(^|/)Annotation/(auto|manual|boundingbox)/"


def _matches(container: Container) -> bool:
    return _in_folders(container) or bool(_lists(container))


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    lists = [] if _in_folders(container) else _lists(container)
    if lists:
        yield from _listed(container, lists)
    else:
        yield from class_folders(container, names, numbers=NUMBERS, label_files=_LABEL_FILES)


def _in_folders(container: Container) -> bool:
    return share(pictures(container), _FOLDERS) >= RECOGNISED


def _lists(container: Container) -> list[str]:
    """Tables of names and numbers, as `EmoLabel/list_patition_label.txt`, spelt so by its
    publishers: known by their content.
    """
    return [member for member in tables(container) if _is_list(container, member)]


def _is_list(container: Container, member: str) -> bool:
    try:
        rows = list(islice(raw_rows(container, member), 2))
    except DataError:
        return False
    # A header may come first; a picture's name follows at once.
    return any(
        len(row) == 2
        and _LISTED.fullmatch(row[0].strip()) is not None
        and number_text(row[1]).isdecimal()
        for row in rows
    )


def _is_own(container: Container, member: str) -> bool:
    """Whether a table is one that comes with the folders; with words or more it is another's."""
    if member.rpartition("/")[2].lower() not in _LABEL_FILES:
        return False
    rows = [row for row in raw_rows(container, member) if _LISTED.fullmatch(row[0].strip())]
    return bool(rows) and all(len(row) == 2 and number_text(row[1]) in NUMBERS for row in rows)


def _listed(container: Container, lists: list[str]) -> Iterator[Item | Skip]:
    """Rows `train_00001.jpg 5`; the picture is `Image/aligned/train_00001_aligned.jpg`."""
    basic = [member for member in lists if not _is_compound(member)]
    numbers = {number for member in basic for _, number in _cells(container, member)}
    if not basic or numbers >= _COMPOUND_NUMBERS:
        raise DataError(
            f"{container.root.name} holds RAF-DB's compound expressions, whose numbers mean other "
            "classes. Give its folder basic."
        )
    faces, originals = _faces(container)
    if not faces:
        raise DataError(
            f"{container.root.name} has RAF-DB's list and no face it names: expected Image/aligned "
            f"with train_00001_aligned.jpg and so on, found {len(originals)} whole photos of "
            "Image/original. Put Image/aligned beside it."
        )
    taken: dict[str, str] = {}
    for member in basic:
        yield from _rows(container, member, faces, taken)
    used = {*faces.values(), *originals, *basic}
    for stem in sorted(set(faces) - set(taken)):
        yield Skip(faces[stem], "not in the list of labels")
    known = re.compile(_NOTES, re.IGNORECASE).search
    found = set(pictures(container))
    for member in container.members:
        if member not in used and not known(member):
            yield Skip(member, _why_not(member, member in found))


def _why_not(member: str, is_picture: bool) -> str:
    if _is_compound(member):
        return "of RAF-DB's compound expressions"
    if is_picture:
        return "its name is none of RAF-DB's, or the picture is there twice"
    return "not a picture"


def _is_compound(member: str) -> bool:
    return _COMPOUND in member.lower().split("/")


def _faces(container: Container) -> tuple[dict[str, str], set[str]]:
    """Aligned faces by their name as listed (`train_00001`), and whole photos."""
    faces: dict[str, str] = {}
    originals = set()
    for member in pictures(container):
        match = _LISTED.fullmatch(member)
        folders = member.lower().split("/")[:-1]
        if match is None or _is_compound(member):
            continue
        if "original" in folders:
            originals.add(member)
        else:
            faces.setdefault(match.group(1).lower(), member)
    return faces, originals


def _rows(
    container: Container, member: str, faces: dict[str, str], taken: dict[str, str]
) -> Iterator[Item | Skip]:
    for name, number in _cells(container, member):
        match = _LISTED.fullmatch(name)
        if match is None:
            yield Skip(name, f"no name of RAF-DB's in {PurePosixPath(member).name}")
            continue
        stem = match.group(1).lower()
        label, found = NUMBERS.get(number), faces.get(stem)
        if found is None:
            yield Skip(name, "listed, but Image/aligned has no such picture")
        elif stem in taken:
            if taken[stem] != number:
                raise DataError(f"{name} is listed with two labels, {taken[stem]} and {number}.")
        elif label is None:
            taken[stem] = number
            yield Skip(found, f"the list gives it the unknown label {number!r}")
        else:
            taken[stem] = number
            split: Split = "test" if stem.startswith("test") else "train"
            yield Item(found, split, label, number)


def _cells(container: Container, member: str) -> Iterator[tuple[str, str]]:
    """Name and number of every row; a header is passed over."""
    for place, row in enumerate(raw_rows(container, member)):
        name, cell = (*map(str.strip, row), "")[:2]
        if place or _LISTED.fullmatch(name):
            yield name, number_text(cell)


SOURCES.register("raf_db")(
    Source(
        name="raf_db",
        title="RAF-DB",
        licence="Non-commercial research only; pictures may not be passed on or shown.",
        obtain=(
            "Ask its authors for the password with a university address, or use the copy on "
            "Kaggle (shuvoalok/raf-db-dataset)."
        ),
        url="http://www.whdeng.cn/RAF/model1.html",
        matches=_matches,
        items=_items,
        numbers=NUMBERS,
        folders_over=_is_own,  # as those who passed them on filled them from the list
        numbers_beside=True,
    )
)
