"""Tables of paths and labels beside the pictures they name.

Columns are known by their names, else by what is in them: the one that names pictures, the one
whose words are classes.  A column of splits, of groups (pictures of a person or a film that stay in
one part) and of strata (a condition to tell results by) may follow; strata may also lie in a list
of their own (`read_strata`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.data.containers import TEXT_TABLES, Container, FileContainer, Skip, suffix
from core.data.name_map import UNKNOWN, Doubt, NameMap, Split, as_split
from core.data.picture_names import AMBIGUOUS, Places, common_folders
from core.data.sources.base import (
    PAPER_NAMES,
    RECOGNISED,
    SOURCES,
    Item,
    Source,
    pictures,
    share,
)
from core.data.sources.class_folders import folder_splits
from core.data.sources.columns import (
    ALL_LABELS,
    EMPTY,
    PATHS,
    SPLITS,
    STRATA,
    PathTable,
    number_text,
    path_tables,
    read_label,
    read_splits,
)
from core.data.tables import Form, form_of, raw_rows, refuse_damaged
from core.errors import DataError
from core.labels import canonical

_FOLDERS = ("folder", "directory", "dir")  # of a name, where a list parts the two
AND = " and "  # between the labels of a row that has several
MOST_STRATA = 20  # more values are measurements or names


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's picture and what it says of it; a split of None is one that nobody knows."""

    path: str
    word: str
    usage: str
    split: Split | None
    doubt: Doubt
    said: bool
    group: str
    stratum: str

    def agrees(self, other: "_Row") -> bool:
        """Whether two rows can be true of one picture."""
        splits = self.split == other.split or not (self.said and other.said)
        return self.word == other.word and splits


def _rows(container: Container, table: PathTable) -> Iterator[_Row]:
    def found() -> Iterator[list[str]]:  # read twice, because other columns may fill the memory
        return islice(raw_rows(container, table.member), table.start, None)

    in_column = table.split >= 0
    splits = (row[table.split] for row in (found() if in_column else ()) if table.split < len(row))
    usages = read_splits(splits)
    for cells in found():

        def cell(place: int, cells: list[str] = cells) -> str:
            return cells[place].strip() if 0 <= place < len(cells) else ""

        word = number_text(cell(table.label))
        if table.hot:
            word = AND.join(name for place, name in table.hot if number_text(cell(place)) == "1")
        usage = cells[table.split] if in_column and table.split < len(cells) else ""
        meaning = usages.get(usage, UNKNOWN)
        split = as_split(meaning.value) if in_column else table.named_split or "train"
        yield _Row(
            cell(table.path),
            word,
            usage.strip() or (EMPTY if in_column else ""),
            split,
            meaning.doubt if in_column else "",
            in_column or table.named_split is not None,
            cell(table.group),
            cell(table.stratum),
        )


def table_items(
    container: Container,
    names: NameMap,
    numbers: Mapping[str, str] | None = None,
    chosen: Sequence[PathTable] = (),
) -> Iterator[Item | Skip]:
    """The pictures that the tables name; every row without one, and every other file, is skipped.

    Args:
        container: The source's files.
        names: What the user says names mean.
        numbers: Class by number; None where the order of numbers is not known.
        chosen: The tables to read; none for all that name pictures and labels.

    Raises:
        DataError: There is no table of paths and labels.
    """
    chosen = chosen or path_tables(container)
    if not chosen:
        raise DataError(
            f"{container.root.name} holds no table of pictures and labels. Name the columns path "
            "and label, and let the paths lead to pictures in the same folder."
        )
    places = Places.of(pictures(container))
    found: dict[str, tuple[_Row, PathTable]] = {}
    against: set[str] = set()
    for member, row, table in _assigned(container, chosen, places):
        if member in ("", AMBIGUOUS):
            yield Skip(row.path or f"a row of {table.member}", _missing(table, member))
            continue
        earlier = found.setdefault(member, (row, table))[0]
        if not row.agrees(earlier):
            against.add(member)
        elif row.said and not earlier.said:
            found[member] = (row, table)
    yield from _beside(container, chosen, found, places)
    is_said = all(row.said for row, _ in found.values())
    splits = {} if is_said else folder_splits(sorted(places.members), names)
    for member, (row, table) in found.items():
        if member in against:
            yield Skip(member, f"listed in {_names(chosen)} with different labels or splits")
        else:
            yield _item(member, row, table, numbers, None if row.said else splits[member])


def _names(chosen: Sequence[PathTable]) -> str:
    return ", ".join(table.member for table in chosen)


def _assigned(
    container: Container, chosen: Sequence[PathTable], places: Places
) -> Iterator[tuple[str, _Row, PathTable]]:
    """Every row with its picture, as `Places.find` gives it."""
    for table in chosen:
        rows = list(_rows(container, table))
        shared = common_folders(row.path for row in rows)
        for row in rows:
            split = row.split if row.said else None
            yield places.find(row.path, table.base, split, shared), row, table


def _beside(
    container: Container, chosen: Sequence[PathTable], found: Collection[str], places: Places
) -> Iterator[Skip]:
    """Files that no table names; beside a table given alone they are none of the set's."""
    read = {table.member for table in chosen}
    for member in () if container.kind == "file" else container.members:
        if member in places.members and member not in found:
            yield Skip(member, f"not listed in {_names(chosen)}")
        elif member not in places.members and member not in read:
            yield Skip(member, "not a picture")


def _missing(table: PathTable, member: str) -> str:
    if member == AMBIGUOUS:
        return f"listed in {table.member}, but several pictures have this name"
    return f"listed in {table.member}, but there is no such picture"


def _item(
    member: str,
    row: _Row,
    table: PathTable,
    numbers: Mapping[str, str] | None,
    by_folder: tuple[Split, str, Doubt] | None,
) -> Item | Skip:
    if not row.word:
        return Skip(member, f"{table.member} gives it no label")
    if table.hot and AND in row.word:
        return Skip(member, f"{table.member} gives it several labels, {row.word}")
    label, doubt = read_label(row.word, table.numbers or numbers)
    split, word, split_doubt = by_folder or (row.split or "train", row.usage, row.doubt)
    return Item(member, split, label, row.word, word, doubt, split_doubt, row.group, row.stratum)


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    refuse_damaged(container)
    return table_items(container, names)


def _matches(container: Container) -> bool:
    if container.kind == "file":
        return bool(path_tables(container))
    found = pictures(container)
    in_classes = sum(any(map(canonical, one.split("/")[:-1])) for one in found)
    if in_classes >= len(found) * RECOGNISED / 2 or share(found, PAPER_NAMES) >= RECOGNISED:
        return False
    return bool(path_tables(container))


@dataclass(frozen=True, slots=True)
class StrataList:
    """Conditions of pictures, from a list of names.

    Attributes:
        column: The column of strata, as the list writes it.
        strata: All strata, in the order in which they first appear.
        members: Strata of every picture named; none where its cells are empty.
        missing: Names without a picture, each once.
        ambiguous: Names that several pictures have, each once.
        names: How many different names the list holds.
    """

    column: str
    strata: tuple[str, ...]
    members: Mapping[str, frozenset[str]]
    missing: tuple[str, ...]
    ambiguous: tuple[str, ...]
    names: int


def read_strata(path: Path, paths: Iterable[str], column: str | None = None) -> StrataList:
    """Read a list of pictures and the condition each was taken in.

    A picture may stand in several rows, and so in several strata.

    Args:
        path: A table of text whose first line names its columns.
        paths: All pictures that may be meant.
        column: Name of the column of strata; None finds it by its name, or as the only one left.

    Raises:
        DataError: It is no such table, which column is meant is not certain, or no name is that of
            a picture.
    """
    if suffix(path.name) not in TEXT_TABLES or not path.is_file():
        found = "is no table of text" if path.exists() else "does not exist"
        raise DataError(
            f"{path.name} {found}. Give a CSV with a column of names and one of strata."
        )
    container = FileContainer(path, alone=True)
    form = form_of(container, path.name)
    name = next((form.columns.index(one) for one in PATHS if one in form.columns), -1)
    if name < 0:
        raise DataError(
            f"{path.name} has no column that names pictures: found {', '.join(form.first)}; "
            "expected one called path, file, image or name."
        )
    folder = next((form.columns.index(one) for one in _FOLDERS if one in form.columns), -1)
    chosen = _strata_column(path.name, form, {name, folder}, column)
    rows = [row for row in islice(raw_rows(container, path.name, form), 1, None) if len(row) > name]
    pairs: dict[str, set[str]] = {}
    for row in rows:
        cells = [cell.strip() for cell in row] + [""] * len(form.first)
        key = f"{cells[folder]}/{cells[name]}" if folder >= 0 and cells[folder] else cells[name]
        pairs.setdefault(key, set()).add(cells[chosen])
    values = dict.fromkeys(row[chosen].strip() for row in rows if len(row) > chosen)
    strata = tuple(value for value in values if value)
    if not strata or len(strata) > MOST_STRATA:
        raise DataError(
            f"Column {form.first[chosen]} of {path.name} has {len(strata):,} different values; "
            f"expected 1 to {MOST_STRATA} strata. Put measurements into ranges, or choose another "
            "column."
        )
    return _placed(path.name, form.first[chosen], strata, pairs, paths)


def _strata_column(file: str, form: Form, taken: set[int], column: str | None) -> int:
    """The place of the column of strata."""
    if column is not None:
        wanted = [column.lower(), column.strip().lower().replace(" ", "_").replace("-", "_")]
        place = next((form.columns.index(one) for one in wanted if one in form.columns), -1)
        if place < 0 or place in taken:
            raise DataError(
                f"{file} has no column {column!r} of strata: found {', '.join(form.first)}."
            )
        return place
    usual = [form.columns.index(one) for one in STRATA if one in form.columns]
    if usual:
        return usual[0]
    known = {*ALL_LABELS, *SPLITS, ""}
    left = [i for i, one in enumerate(form.columns) if i not in taken and one not in known]
    if len(left) == 1:
        return left[0]
    found = ", ".join(form.first[place] for place in left or range(len(form.first)))
    if left:
        raise DataError(
            f"{file} has several columns that may hold strata: {found}. Choose one (--column NAME)."
        )
    raise DataError(f"{file} has no column of strata: found {found}. Add one, for example stratum.")


def _placed(
    file: str, column: str, strata: Sequence[str], pairs: dict[str, set[str]], paths: Iterable[str]
) -> StrataList:
    """The pictures of the names; refuses a list that names none."""
    by_member = {path.replace("!", "/"): path for path in paths}
    places = Places.of(by_member)
    shared = common_folders(pairs)
    members: dict[str, frozenset[str]] = {}
    lost: dict[str, list[str]] = {"": [], AMBIGUOUS: []}
    for key, words in pairs.items():
        member = places.find(key.replace("!", "/"), shared=shared)
        if member in lost:
            lost[member].append(key)
        else:
            path = by_member[member]
            members[path] = members.get(path, frozenset()) | (words - {""})
    if not members:
        said = [
            f"{len(names):,} {what} ({', '.join(names[:2])})"
            for what, names in (("are not in the data", lost[""]), ("fit several", lost[AMBIGUOUS]))
            if names
        ]
        example = next(iter(by_member.values()), "")
        raise DataError(
            f"No picture is named by {file}: of its {len(pairs):,} names {' and '.join(said)}. "
            f"Expected names like {example}."
        )
    missing, ambiguous = tuple(lost[""]), tuple(lost[AMBIGUOUS])
    return StrataList(column, tuple(strata), members, missing, ambiguous, len(pairs))


SOURCES.register("table")(
    Source(
        name="table",
        title="Table of paths and labels",
        licence="As the pictures in it.",
        obtain="A CSV with the columns path and label, and perhaps split, group and stratum.",
        url="",
        matches=_matches,
        items=_items,
    )
)
