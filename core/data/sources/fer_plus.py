"""FER+ (Barsoum et al., 2016): ten raters' votes for the pictures of FER2013.

The votes of `fer2013new.csv` count the rows of `fer2013.csv` beside it; those of `label.csv` name
pictures such as `FER2013Train/fer0000000.png`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import PurePosixPath

from core.data.containers import Container, Skip
from core.data.name_map import NameMap, Split
from core.data.sources.base import RECOGNISED, SOURCES, Item, Source, pictures, share, split_of
from core.data.sources.pixel_csv import PixelTable, beside, fer_tables
from core.data.tables import form_of, forms, named_rows, raw_rows
from core.errors import DataError

_EMOTIONS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
_ANSWERS = (*_EMOTIONS, "unknown", "nf")  # nf: no face
_PICTURE = r"(^|/)fer\d{7}\.[a-z]+$"
_LISTED = ("image_name", "box", *_ANSWERS)  # columns of label.csv, which has no header


@dataclass(frozen=True, slots=True)
class _Vote:
    """A row of votes: the picture's name, the contest's part, and the votes as `_ANSWERS`."""

    name: str
    usage: str
    votes: tuple[float, ...]


def _matches(container: Container) -> bool:
    found = pictures(container)
    # Votes alone are known, too, to say what they lack.
    joined = not found or share(found, _PICTURE) >= RECOGNISED or bool(fer_tables(container))
    return joined and bool(_tables(container))


def _tables(container: Container) -> list[str]:
    return [member for member in forms(container) if _columns(container, member)]


def _columns(container: Container, member: str) -> tuple[str, ...]:
    """Names of the columns of a table of votes; none for other tables."""
    form = form_of(container, member)
    if "pixels" not in form.columns and set(form.columns) >= set(_EMOTIONS):
        return form.columns
    listed = len(form.first) == len(_LISTED) and re.search(_PICTURE, form.first[0])
    return _LISTED if listed else ()


def _votes(container: Container, member: str) -> Iterator[_Vote]:
    columns = _columns(container, member)
    start = 0 if columns == _LISTED else 1
    for row in islice(raw_rows(container, member), start, None):
        cells = dict(zip(columns, map(str.strip, row), strict=False))
        try:
            votes = tuple(float(cells.get(answer) or 0) for answer in _ANSWERS)
        except ValueError as error:
            raise DataError(f"{member} holds something that is no vote: {error}.") from error
        yield _Vote(cells.get("image_name", ""), cells.get("usage", ""), votes)


def majority(votes: Sequence[float]) -> str | None:
    """What more than half of the raters say, single votes left out as by the publishers.

    Args:
        votes: Numbers of votes for the eight classes of FER+, unknown and no face.

    Returns:
        A class of FER+, "unknown" or "nf"; None where no answer has the majority.

    Source: `_process_data` (mode majority) in the program published with Barsoum et al. (2016).
    """
    heard = [vote if vote > 1 else 0.0 for vote in votes]
    best = max(heard)
    return _ANSWERS[heard.index(best)] if best > sum(heard) / 2 else None


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    found = _tables(container)
    faces = fer_tables(container)
    if not found or not (faces or pictures(container)):
        raise DataError(
            f"{container.root.name} lacks the votes of FER+ (fer2013new.csv) or the pictures "
            "beside them (fer2013.csv)."
        )
    if faces:
        yield from beside(container, {faces[0].member, *found[:1]})
        yield from _rows(container, faces[0], found[0])
    else:
        yield from _pictures(container, found)


def _rows(container: Container, table: PixelTable, votes: str) -> Iterator[Item | Skip]:
    """Rows of the table of pixels with the votes of the same row."""
    pairs = zip_longest(named_rows(container, table.member), _votes(container, votes))
    for number, (row, vote) in enumerate(pairs):
        usage = row.get(table.usage, "") if row else ""
        if (
            row is None
            or vote is None
            or (usage and vote.usage and usage.lower() != vote.usage.lower())
        ):
            raise DataError(
                f"{votes} does not count the rows of {table.member}: they differ from row "
                f"{number + 1} on. Take the votes that belong to this table, or leave them out "
                f"with fer2013=PATH."
            )
        split = split_of(usage) or "train"
        yield _voted(f"{table.member}#{number}", split, usage, vote)


def _pictures(container: Container, found: list[str]) -> Iterator[Item | Skip]:
    """Pictures with the votes for their name."""
    votes = {
        PurePosixPath(vote.name).name: vote
        for member in found
        for vote in _votes(container, member)
        if vote.name
    }
    taken = set(pictures(container))
    for member in container.members:
        path = PurePosixPath(member)
        if member in taken and path.name in votes:
            vote = votes[path.name]
            folders = [folder.lower().removeprefix("fer2013") for folder in path.parts[:-1]]
            folder = next(filter(split_of, reversed(folders)), vote.usage)
            yield _voted(member, split_of(folder) or "train", folder, vote)
        elif member in taken:
            yield Skip(member, "no votes for this name")
        elif member not in found:
            yield Skip(member, "not a picture")


def _voted(reference: str, split: Split, usage: str, vote: _Vote) -> Item | Skip:
    label = majority(vote.votes)
    if label is None:
        return Skip(reference, "no majority among the votes of FER+")
    if label == "nf":
        return Skip(reference, "the votes of FER+ say that it shows no face")
    if label == "unknown":
        return Skip(reference, "the votes of FER+ call the expression unknown")
    return Item(reference, split, label, label, usage)


SOURCES.register("fer_plus")(
    Source(
        name="fer_plus",
        title="FER+ (FER2013 with ten raters' votes)",
        licence="The votes: MIT; the pictures as FER2013.",
        obtain="fer2013new.csv (github.com/microsoft/FERPlus) beside the contest's fer2013.csv.",
        url="https://github.com/microsoft/FERPlus",
        matches=_matches,
        items=_items,
    )
)
