"""From what a user names to a list of pictures to prepare."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from core.data.containers import NESTED, Container, Skip, open_container
from core.data.name_map import NO_NAMES, UNKNOWN, Meaning, NameMap, as_split, read_split
from core.data.pictures import Files, fingerprint_of, split_reference
from core.data.sources import SOURCES, Item, Source
from core.data.sources.columns import PathTable, number_text, path_tables
from core.data.sources.pixel_csv import headless
from core.data.sources.table import table_items
from core.data.tables import refuse_damaged
from core.data.understanding import Sorted, Understood, nothing_found, settled, some_of, sort_out
from core.errors import DataError
from core.files import readable
from core.labels import CLASS_SETS
from core.tabular import FORMULA

_Pairs = Sequence[tuple[Item, Item]]  # a picture by its folder, and by a table
MOST_ENTRIES = 5_000_000  # pictures and files that a source may list


@dataclass(frozen=True, slots=True)
class Listed:
    """One source with the pictures taken from it.

    Attributes:
        key: Name of the container in the manifest's paths, unique in the data set; without the `!`
            that ends it there, and not what a CSV would set `./` before.
        root: The real folder or file.
        kind: "folder", "zip" or "file".
        bytes: Size of the file, or of all members of a folder.
        fingerprint: sha256 of a file; of names, sizes and times of change for a folder.
        understood: What its names were taken for, and what is still a question.
    """

    source: str
    key: str
    root: Path
    kind: str
    bytes: int
    fingerprint: str
    items: tuple[Item, ...]
    skips: tuple[Skip, ...]
    understood: Understood


def recognise(container: Container) -> Source:
    """The first known source with this layout.

    Raises:
        DataError: No layout fits.
    """
    for source in SOURCES.values():
        if source.matches(container):
            return source
    refuse_damaged(container)
    table = headless(container)
    if table:
        raise DataError(
            f"{table} has pixels in its first line and no names of columns. Put the line "
            "emotion,pixels,Usage above them, in the order of its columns."
        )
    inner = [skip.path for skip in container.skips if skip.reason == NESTED]
    if inner:
        raise DataError(
            f"{container.root.name} holds no pictures, but archives inside: {some_of(inner)}. "
            "Unpack it and them into one folder, and give that folder."
        )
    raise DataError(
        f"{container.root.name} has the layout of no known data set. Say which it is as "
        f"NAME={container.root.name}, NAME being one of: {', '.join(SOURCES)}."
    )


def list_sources(
    arguments: Sequence[str | Path],
    class_set: str,
    frame_step: int | None = None,
    names: NameMap = NO_NAMES,
) -> list[Listed]:
    """Open, recognise and list every source, in the order of the registry.

    Args:
        arguments: Paths, or `name=path` to say which source it is.
        class_set: Name in `core.labels.CLASS_SETS`; pictures of other classes are skipped.
        frame_step: Of videos every so many frames are taken; None for the source's own step.
        names: What the user says names in the sources mean.

    Raises:
        DataError: A path or layout cannot be used, a source is there twice or has no usable
            picture, none of them holds videos for `frame_step`, or none has a name that `names`
            speaks of.
    """
    if class_set not in CLASS_SETS:
        raise DataError(f"There is no class set {class_set!r}; choose {' or '.join(CLASS_SETS)}.")
    if frame_step is not None and frame_step < 1:
        raise DataError(f"The step from frame to frame is {frame_step}; expected 1 or more.")
    if not arguments:
        raise DataError("No source was named. Give at least one folder or zip.")
    listed: list[Listed] = []
    files: list[Files] = []
    words: set[str] = set()
    split_words: set[str] = set()
    named = _named_splits([parse(argument)[1] for argument in arguments])
    for argument, split in zip(arguments, named, strict=True):
        name, path = parse(argument)
        if readable(path) != str(path):
            raise DataError(f"The path {readable(path)} is no text (UTF-8). Rename the folder.")
        container = open_container(path)
        if not container.members and not container.skips:
            raise DataError(
                f"{container.root.name} is empty: there is no file in it. Name the folder or "
                "archive that holds the pictures."
            )
        _refuse_within(container, listed)
        source = _by_hand(SOURCES[name], container) if name else recognise(container)
        key = _key(container.root.name, [one.key for one in listed])
        entries = list(_entries(source, container, frame_step, names))
        if name:
            entries = [_in_its_order(entry, source) for entry in entries]
        else:
            entries += _against_tables(container, source, entries, names, CLASS_SETS[class_set])
        entries = _in_split(entries, container.root.stem, split)
        found = sort_out(container.root.name, source.name, entries, names, class_set)
        words |= found.words
        split_words |= found.split_words
        listed.append(_list(source, container, key, found))
        files.append(Files(container, [item.reference for item in found.items]))
        _refuse_copy(listed, files)
    names.refuse_unused(words, split_words)
    if frame_step is not None and all(SOURCES[one.source].every is None for one in listed):
        raise DataError(
            f"A step of {frame_step} from frame to frame cannot apply: no source holds videos "
            f"({', '.join(one.source for one in listed)}). Leave --frame-step out."
        )
    order = list(SOURCES)
    return sorted(listed, key=lambda one: (order.index(one.source), one.key, one.fingerprint))


def _refuse_within(container: Container, listed: Sequence[Listed]) -> None:
    """Refuse a source that is one before, or a folder of one before, or the other way round."""
    root = container.root
    for one in listed:
        outer, inner = sorted((one.root, root), key=lambda path: len(path.parts))
        if outer == inner:
            raise DataError(
                f"{root.name} is named twice, and its pictures would be in the set twice. Name "
                "each source once."
            )
        if inner.is_dir() and inner.is_relative_to(outer):
            raise DataError(
                f"{inner.name} lies in the source {outer.name}, and its pictures would be in the "
                "set twice. Name only one of the two."
            )


def _refuse_copy(listed: Sequence[Listed], files: Sequence[Files]) -> None:
    """Refuse the last source where it has the pictures of one before, by its files."""
    last = listed[-1]
    for one, found in zip(listed[:-1], files[:-1], strict=True):
        table, folder = sorted((one, last), key=lambda source: source.kind)
        if (table.kind, folder.kind) == ("file", "folder") and found.overlap(files[-1]):
            raise DataError(
                f"{table.root.name} has pictures of the source {folder.root.name}, which would be "
                "in the set twice. Name only one of the two."
            )
        if found.equal(files[-1]):
            raise DataError(
                f"{one.root.name} and {last.root.name} ({last.root.parent}) hold the same, and "
                "each picture would be in the set twice. Name only one of the two."
            )


def _key(name: str, taken: Collection[str]) -> str:
    """A container's name as a key that no other has."""
    plain = name.replace("!", "_")
    if plain.startswith(tuple(FORMULA)):
        plain = f"_{plain[1:]}"
    key, copies = plain, 1
    while key in taken:
        copies += 1
        key = f"{plain}-{copies}"
    return key


def parse(argument: str | Path) -> tuple[str, Path]:
    """The source that an argument `name=path` names, "" for none, and the path.

    Raises:
        DataError: There is no such source.
    """
    text = str(argument)
    name, mark, path = text.partition("=")
    if mark and name in SOURCES:
        return name, Path(path)
    if mark and name.isidentifier() and not Path(text).exists():
        raise DataError(f"There is no source {name!r}. Choose one of: {', '.join(SOURCES)}.")
    return "", Path(text)


def _named_splits(roots: Sequence[Path]) -> list[Meaning]:
    """The splits that the sources' own names say, each beside others only.

    As of folders, `faces_train` is one only beside `faces_test`; a source named `test` alone is
    all that there is.
    """
    read = [read_split(root.resolve().stem) for root in roots]
    several = len({meaning.value for meaning in read if meaning.value}) > 1
    return [one if len(roots) > 1 and (several or not one.doubt) else UNKNOWN for one in read]


def _in_split(entries: list[Item | Skip], name: str, split: Meaning) -> list[Item | Skip]:
    """The entries in the split of their source's name, where nothing inside says one."""
    value = as_split(split.value)
    items = [entry for entry in entries if isinstance(entry, Item)]
    if value is None or any(item.split != "train" or item.split_word for item in items):
        return entries
    placed = partial(replace, split=value, split_word=name, split_doubt=split.doubt)
    return [placed(one) if isinstance(one, Item) else one for one in entries]


def _in_its_order(entry: Item | Skip, source: Source) -> Item | Skip:
    """An entry whose number the source that the user names has in its order."""
    if isinstance(entry, Skip) or entry.doubt != "number":
        return entry
    label = source.numbers.get(number_text(entry.label_word))
    return entry if label is None else replace(entry, label=label, doubt="")


def _settled(entries: Iterable[Item | Skip], names: NameMap) -> list[Item]:
    read = (settled(entry, names) for entry in entries if isinstance(entry, Item))
    return [entry for entry in read if isinstance(entry, Item)]


def _against_tables(
    container: Container,
    source: Source,
    entries: Sequence[Item | Skip],
    names: NameMap,
    labels: Collection[str],
) -> list[Skip]:
    """Refuse class folders beside a table that says otherwise, or more: which counts is open.

    Tables over which the source's folders count are left out and told.
    """
    tables = [] if source.name == "table" else path_tables(container)
    if not tables:
        return []
    numbers = source.numbers if source.numbers_beside else None
    items = (item for item in _settled(entries, names) if item.label in labels)
    folders = {one.reference: one for one in items if one.label_word in one.reference.split("/")}

    def pairs(some: Sequence[PathTable]) -> _Pairs:
        rows = _settled(table_items(container, names, numbers, some) if some else (), names)
        said = (row for row in rows if row.doubt in ("", "near") and row.reference in folders)
        return [(folders[row.reference], row) for row in said]

    own = [table for table in tables if source.folders_over(container, table.member)]
    # Apart, as a picture to which two tables give two labels would not be compared.
    _refuse_against(container, source, pairs([table for table in tables if table not in own]))
    told = pairs(own)
    for what in ("label", "split"):
        number = len(_against(told, what))
        if number:
            they = "it gives" if len(own) == 1 else f"{len(own)} tables give"
            return [Skip(own[0].member, f"the folders count; {they} {number:,} another {what}")]
    return []


def _against(pairs: _Pairs, what: str) -> _Pairs:
    told = pairs if what == "label" else [pair for pair in pairs if pair[1].split_word]
    return [(item, row) for item, row in told if getattr(item, what) != getattr(row, what)]


def _refuse_against(container: Container, source: Source, pairs: _Pairs) -> None:
    name = container.root.name
    for what in ("label", "split"):
        against = _against(pairs, what)
        if against:
            item, row = against[0]
            raise DataError(
                f"{name}: folders and table disagree on {len(against):,} pictures; "
                f"{item.reference} is {getattr(item, what)} by its folder and "
                f"{getattr(row, what)} by the table. Say whose {what}s count, as "
                f"{source.name}=PATH or table=PATH."
            )
    for what in ("group", "stratum"):
        more = sum(bool(getattr(row, what)) for _, row in pairs)
        if more:
            raise DataError(
                f"{name}: the table beside its class folders names the {what} of {more:,} "
                "pictures, which the folders do not. Say table=PATH to read both from the table, "
                f"or {source.name}=PATH to do without."
            )


def _by_hand(source: Source, container: Container) -> Source:
    """A source that the user names; its numbers hold in a table of paths, too."""
    if source.numbers and not source.matches(container) and SOURCES["table"].matches(container):
        refuse_damaged(container)
        return replace(source, items=partial(table_items, numbers=source.numbers))
    return source


def _entries(
    source: Source, container: Container, frame_step: int | None, names: NameMap
) -> Iterator[Item | Skip]:
    if frame_step is None or source.every is None:
        listed = source.items(container, names)
    else:
        listed = source.every(container, frame_step)
    for number, entry in enumerate(chain(container.skips, listed)):
        if number == MOST_ENTRIES:
            raise DataError(
                f"{container.root.name} lists more than {MOST_ENTRIES:,} pictures and files. "
                "Divide it into several sources."
            )
        yield entry


def _list(source: Source, container: Container, key: str, found: Sorted) -> Listed:
    if not found.items:
        refuse_damaged(container)
        raise nothing_found(source, container, found)
    size, fingerprint = fingerprint_of(container)
    return Listed(
        source.name,
        key,
        container.root,
        container.kind,
        size,
        fingerprint,
        tuple(sorted(found.items, key=_order)),
        found.skips,
        found.understood,
    )


def _order(item: Item) -> tuple[str, int]:
    # Rows and frames count as numbers, so that a table is read once from top to bottom.
    member, number = split_reference(item.reference)
    return member, number or 0
