"""Which column of a table is what: known by its name, else by what is in it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath

from core.data.containers import PICTURES, Container, suffix
from core.data.name_map import Doubt, Meaning, Split, is_evaluation, read_class, read_split
from core.data.picture_names import Places, common_folders
from core.data.sources.base import pictures, split_of
from core.data.tables import Form, forms, raw_rows
from core.errors import DataError
from core.labels import canonical

EMPTY = "(empty)"  # the word for an empty cell in the column of splits
LABELS = ("emotion", "label", "expression", "class")  # names of the column, the surest first
USAGES = ("usage", "split", "set", "subset", "partition")
_LOOKED_AT = 200  # rows that show what is in a column
PATHS = (
    "path",
    "filepath",
    "file_path",
    "image_path",
    "img_path",
    "subdirectory_filepath",
    "relative_path",
    "pth",
    "filename",
    "file_name",
    "file",
    "image_file",
    "image_name",
    "img_name",
    "imagename",
    "image",
    "img",
    "picture",
    "photo",
    "image_id",
    "name",
    "id",
)
_SURE = {*PATHS} - {"image_id", "name", "id"}  # whose numbers are names of pictures
ALL_LABELS = (
    *LABELS,
    "emotion_label",
    "expression_label",
    "label_name",
    "class_name",
    "emotion_name",
    "labels",
    "category",
    "target",
    "annotation",
    "y",
)
SPLITS = (*USAGES, "part", "phase", "dataset_split")
_GROUPS = (
    "group",
    "group_id",
    "subject",
    "subject_id",
    "person",
    "person_id",
    "participant",
    "participant_id",
    "identity",
    "actor",
)
STRATA = ("stratum", "strata", "condition")
# The numbers of the lists that AffectNet's authors gave out, known by this column.
_AFFECTNET_COLUMN = "subdirectory_filepath"
AFFECTNET_CODES = {
    "0": "neutral",
    "1": "happiness",
    "2": "sadness",
    "3": "surprise",
    "4": "fear",
    "5": "disgust",
    "6": "anger",
    "7": "contempt",
    "8": "none",
    "9": "uncertain",
    "10": "no face",
}


@dataclass(frozen=True, slots=True)
class PathTable:
    """A table and the places of its columns; -1 for a column that it lacks.

    Attributes:
        member: Its name in the container.
        start: Number of rows before the first picture: 1 with a header, else 0.
        hot: Places and classes of columns that hold 1 for the row's class and 0 for the others;
            used where there is no column of labels.
        numbers: Class by number where the header tells whose numbers they are.
    """

    member: str
    start: int
    path: int
    label: int
    split: int = -1
    group: int = -1
    stratum: int = -1
    hot: tuple[tuple[int, str], ...] = ()
    numbers: Mapping[str, str] | None = None

    @property
    def base(self) -> str:
        """The folder it lies in, "" for the root."""
        return self.member.rpartition("/")[0]

    @property
    def named_split(self) -> Split | None:
        """The one split that its name says."""
        return split_in_name(PurePosixPath(self.member).stem)


def path_tables(container: Container) -> list[PathTable]:
    """Tables that name pictures of the container and their labels."""
    places = Places.of(pictures(container))
    found = (_columns(container, member, form, places) for member, form in forms(container).items())
    return [table for table in found if table is not None]


def _columns(container: Container, member: str, form: Form, places: Places) -> PathTable | None:
    width = len(form.first)
    if width < 2 or "pixels" in form.columns:
        return None
    try:
        rows = list(islice(raw_rows(container, member, form), _LOOKED_AT + 1))
    except DataError:
        return None
    base = member.rpartition("/")[0]
    body = [row for row in rows[1:] if len(row) >= width]
    shared = [common_folders(row[place] for row in body) for place in range(width)]

    def hits(place: int, some: Sequence[Sequence[str]]) -> int:
        return sum(bool(places.find(row[place], base, shared=shared[place])) for row in some)

    start = 0 if any(hits(place, rows[:1]) for place in range(width)) else 1
    some = body if start else [rows[0], *body]
    names = form.columns if start else ()
    found_by = [hits(place, some) for place in range(width)]
    columns = [[row[place].strip() for row in some] for place in range(width)]
    if any(
        2 * number > max(found_by) > 0 and _most(cells, lambda cell: suffix(cell) in PICTURES)
        for number, cells in zip(found_by, columns, strict=True)
    ):  # then mere numbers, which may be names of pictures, too, are none
        found_by = [
            0 if _most(cells, str.isdecimal) and name not in _SURE else number
            for number, cells, name in zip(found_by, columns, names or [""] * width, strict=False)
        ]
    path = _path_column(names, found_by)
    if path < 0:
        return None
    found = replace(_named(names, member, start, path), label=_label_column(names, some, path))
    if found.split < 0:
        split = _split_column(some, {path, found.label}, sure=bool(names))
        if names and split >= 0:  # parts may follow one another
            whole = islice(raw_rows(container, member, form), start, None)
            split = split if _has_splits(row[split] for row in whole if len(row) > split) else -1
        found = replace(found, split=split)
    found = replace(found, group=_first(names, _GROUPS, found.split))
    if found.label < 0 and start:
        found = replace(found, hot=_hot_columns(names, some))
    return found if found.label >= 0 or found.hot else None


def _named(names: Sequence[str], member: str, start: int, path: int) -> PathTable:
    numbers = AFFECTNET_CODES if _AFFECTNET_COLUMN in names else None
    split, stratum = _first(names, SPLITS), _first(names, STRATA)
    return PathTable(member, start, path, -1, split, -1, stratum, (), numbers)


def _first(names: Sequence[str], roles: Sequence[str], taken: int = -1) -> int:
    """The place of the first role that a column has and that is not taken; -1 for none."""
    places = (names.index(role) for role in roles if role in names)
    return next((place for place in places if place != taken), -1)


def _most(cells: Sequence[str], holds: Callable[[str], bool]) -> bool:
    return 2 * sum(map(holds, cells)) > len(cells)


def _path_column(names: Sequence[str], hits: Sequence[int]) -> int:
    """The column that names most pictures, a usual name before others; -1 for none.

    A usual name may lack some of its pictures where a column of numbers happens to lack none.
    """
    usual = [names.index(name) for name in PATHS if name in names]
    if not any(hits):
        named = usual and any(name in names for name in ALL_LABELS)
        return usual[0] if named else -1  # each of its rows will be told to have no picture
    best = max(hits)
    return next((place for place in usual if 2 * hits[place] > best), list(hits).index(best))


def _label_column(names: Sequence[str], rows: Sequence[Sequence[str]], path: int) -> int:
    """The column of classes: with a usual name, words before numbers; else the one of words."""

    def known(place: int) -> bool:
        cells = [row[place] for row in rows if row[place].strip()]
        return 2 * sum(read_class(cell).doubt in ("", "near") for cell in cells) > len(cells) > 0

    width = min(map(len, rows), default=0)
    usual = [
        names.index(name) for name in ALL_LABELS if name in names and names.index(name) != path
    ]
    words = [place for place in range(width) if place != path and known(place)]
    for place in usual:
        if place in words:
            return place
    counts = [place for place in usual if names[place] != "y"]  # which may be a coordinate
    if len(words) == 1 and not any(_counts_otherwise(rows, place, words[0]) for place in counts):
        return words[0]
    if usual:
        return usual[0]
    return 1 - path if width == 2 and not names else -1


def _counts_otherwise(rows: Sequence[Sequence[str]], number: int, word: int) -> bool:
    """Whether a column of class numbers is no numbering of a column's words, as of answers."""
    read = [(number_text(row[number]), read_class(row[word])) for row in rows]
    cells = [(one, found.value) for one, found in read if found.doubt in ("", "near")]
    classes = {one for one, _ in cells}
    if len(classes) < 2 or not _most([one for one, _ in cells], _is_class_number):
        return False
    return len(set(cells)) > len(classes)


def _is_class_number(cell: str) -> bool:
    return read_class(cell).doubt == "number"


def _has_splits(cells: Iterable[str]) -> bool:
    """Whether all of a column's cells are splits for sure, and of different ones."""
    found = {read_split(cell) for cell in set(cells)}
    return len({one.value for one in found}) > 1 and all(not one.doubt for one in found)


def _split_column(rows: Sequence[Sequence[str]], taken: set[int], *, sure: bool) -> int:
    """The column that has nothing but splits, for sure or nearly so; -1 for none."""
    doubts = ("",) if sure else ("", "near")
    width = min(map(len, rows), default=0)
    fits = (
        place
        for place in range(width)
        if place not in taken and all(read_split(row[place]).doubt in doubts for row in rows)
    )
    return next(fits, -1) if rows else -1


def _hot_columns(
    names: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[tuple[int, str], ...]:
    """Columns named after classes with at most a single 1 in every row; none where it is not so."""
    found = tuple((place, name) for place, name in enumerate(names) if canonical(name))
    cells = [sorted(number_text(row[place]) for place, _ in found) for row in rows]
    single = all(set(row[:-1]) <= {"0"} and row[-1] in {"0", "1"} for row in cells if row)
    return found if len(found) > 2 and single else ()


def read_splits(cells: Iterable[str]) -> dict[str, Meaning]:
    """What the cells of a column of splits stand for; EMPTY for an empty one.

    An evaluation set is the test set, or validation where another is the test set and none that.
    """
    found = {cell: read_split(cell) for cell in set(cells)}
    tests = {cell for cell, meaning in found.items() if meaning.value == "test"}
    evaluations = set(filter(is_evaluation, tests))
    if evaluations != tests and "valid" not in {meaning.value for meaning in found.values()}:
        found |= {cell: Meaning("valid", found[cell].doubt) for cell in evaluations}
    return found


def read_label(word: str, numbers: Mapping[str, str] | None) -> tuple[str, Doubt]:
    """The class that a cell stands for, and how sure that is.

    Args:
        word: As `number_text` gives it.
        numbers: Class by number; None where the order of numbers is not known.
    """
    meaning = read_class(word)
    if meaning.doubt != "number":
        return meaning.value or word.lower(), meaning.doubt
    if numbers is None:
        return word, "number"
    label = numbers.get(meaning.value)
    return (label, "") if label else (word, "unknown")


def split_in_name(stem: str) -> Split | None:
    """The one split among the words of a name; None where there is none, or more than one.

    >>> split_in_name("fer_train"), split_in_name("labels"), split_in_name("train_and_test")
    ('train', None, None)
    """
    found = {split for word in re.split(r"[^a-z]+", stem.lower()) if (split := split_of(word))}
    return found.pop() if len(found) == 1 else None


def number_text(cell: str) -> str:
    """A whole number without needless digits, `3` for ` 3.0`; any other text as it is.

    >>> number_text(" 03"), number_text("3.0000000e+00"), number_text("3.5")
    ('3', '3', '3.5')
    """
    text = cell.strip()
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() else text
