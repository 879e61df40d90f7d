"""What was understood of the sources, before anything is built: which name is which class.

Every picture and every file left out is counted in exactly one row.  What cannot be told from the
names alone is a question: a sentence with the option that settles it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.data.containers import Container, Skip, suffix
from core.data.name_map import MAP, NO_NAMES, SKIP, SPLIT_MAP, SPLITS, NameMap, as_split, folded
from core.data.sources import UNLABELLED
from core.data.sources.base import SOURCES, Item, Source, pictures
from core.errors import DataError
from core.labels import CLASS_SETS, COLOURS, NEUTRAL

SHOWN = 40  # rows of a source on screen, and names in a sentence's list
ASKED = "?"  # what a row shows for a class or split that is still a question
_NAMED = 12  # names in a question
_SOME = 6  # names in a sentence
_ANNOTATIONS = (".json", ".jsonl", ".xml", ".yaml", ".yml", ".mat")  # hold labels, and are not read
_TABLE = "labels.csv with the columns path and label"
_BESIDE = "beside the folders of its splits (.)"


@dataclass(frozen=True, slots=True)
class Row:
    """Pictures of one source that share a name, and what it was taken for.

    Attributes:
        word: The class as the source writes it; "" for files that have none.
        split_word: The split as the source writes it; "" where it says none.
        label: The class it was taken for; "" where the pictures are left out or unlabelled.
        split: The split they are in; "" where they are left out.
        count: Number of pictures or files.
        note: Why they are left out, or how the name was read; "" where it says it itself.
        unknown: Whether they are left out because the name stands for no class known here.
        near: Whether the class was taken from a name that is nearly the usual one.
        example: One of the files that are left out for what they are, not for their name.
    """

    word: str
    split_word: str
    label: str
    split: str
    count: int
    note: str = ""
    unknown: bool = False
    near: bool = False
    example: str = ""

    def cells(self) -> dict[str, Any]:
        """The row for people, one value a column."""
        word, split_word, split = _line(self.word), _line(self.split_word), self.split
        if self.split_word and folded(self.split_word) != split:
            split = f"{split} ({split_word})" if split else split_word
        return {
            "folder, number or value": word or "-",
            "class": self.label or ("unlabelled" if self.split else "left out"),
            "pictures": f"{self.count:,}",
            "split": split or "-",
            "note": self._remark() or "-",
        }

    def _remark(self) -> str:
        if not self.example:
            return self.note
        return f"{self.note}: {_line(self.example)}" + (" and others" if self.count > 1 else "")


@dataclass(frozen=True, slots=True)
class Understood:
    """One source as it was understood.

    Attributes:
        name: Of the folder or file.
        source: Registry name of the layout it has.
        rows: Classes first, then what is left out.
        questions: What must be settled before the set can be built, a sentence each.
        sole_group: The person or film that all its pictures are said to be of, of which nothing is
            made; "" where there are several or none.
    """

    name: str
    source: str
    rows: tuple[Row, ...]
    questions: tuple[str, ...] = ()
    sole_group: str = ""

    @property
    def taken(self) -> int:
        """Number of pictures that are in the set."""
        return sum(row.count for row in self.rows if row.split)

    @property
    def left_out(self) -> int:
        """Number of pictures and files that are not."""
        return sum(row.count for row in self.rows if not row.split)

    def table(self) -> list[dict[str, Any]]:
        """At most SHOWN rows for people; what is beyond them is counted in one."""
        rows = [row.cells() for row in self.rows[:SHOWN]]
        rest = self.rows[SHOWN:]
        if rest:
            number = sum(row.count for row in rest)
            rows.append({**dict.fromkeys(rows[0], "-"), "pictures": f"{number:,}"})
            rows[-1]["note"] = f"{len(rest)} more names"
        return rows

    def remarks(self) -> list[str]:
        """What deserves a look, a sentence each: guesses, and names of which nothing is made."""
        near = sorted({(row.word, row.label) for row in self.rows if row.near})
        lines = [
            f"{word!r} was read as {label}; {MAP} {word}=CLASS says otherwise."
            for word, label in near
        ]
        lost: Counter[str] = Counter()
        for row in self.rows:
            if row.unknown:
                lost[row.word] += row.count
        if lost:
            names = ", ".join(f"{word!r} ({number:,})" for word, number in lost.most_common(SHOWN))
            first = lost.most_common(1)[0][0]
            lines.append(
                f"Left out, because these names stand for no class known here: {names}. "
                f"{MAP} {first}=CLASS takes one in, {MAP} {first}={SKIP} says that it is meant."
            )
        if self.sole_group:
            lines.append(
                f"All {self.taken:,} pictures are of one group, {_line(self.sole_group)!r}. A "
                "group stays in one part, so that there would be but one: it is not heeded."
            )
        return lines


def _line(text: str) -> str:
    """A name from a disk, which may hold line breaks, in one line."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def word_of(entry: Item) -> str:
    """The class of an item as its source writes it."""
    return entry.label_word or entry.label


def settled(entry: Item, names: NameMap) -> Item | Skip:
    """An item as the user says that its names are meant."""
    word = word_of(entry)
    label, split = names.label(word), names.split(entry.split_word)
    if label == SKIP:
        return Skip(entry.reference, f"left out as {MAP} {word}={SKIP} says")
    if split == SKIP:
        return Skip(entry.reference, f"left out as {SPLIT_MAP} {entry.split_word}={SKIP} says")
    if label is not None:
        entry = replace(entry, label=label, label_word=word, doubt="")
    chosen = as_split(split or "")
    if chosen is not None:
        entry = replace(entry, split=chosen, split_doubt="")
    return entry


@dataclass(frozen=True, slots=True)
class Sorted:
    """The entries of one source, sorted out.

    Attributes:
        items: Those of the set, in the source's order.
        skips: Those left out.
        understood: The count of both.
        words: Names of classes as the source writes them.
        split_words: Names of splits as the source writes them.
    """

    items: tuple[Item, ...]
    skips: tuple[Skip, ...]
    understood: Understood
    words: frozenset[str]
    split_words: frozenset[str]


def sort_out(
    name: str, source: str, entries: Iterable[Item | Skip], names: NameMap, class_set: str
) -> Sorted:
    """Take what belongs to the class set and count everything by its name.

    Args:
        name: Of the folder or file, for people.
        source: Registry name of its layout.
        entries: As the source and its container list them.
        names: What the user says names mean.
        class_set: Name in `core.labels.CLASS_SETS`.
    """
    items: list[Item] = []
    skips: list[Skip] = []
    # Told apart by plain words: a set has a hundred thousand pictures and a dozen rows.
    rows: dict[tuple[str, ...], Row] = {}
    numbers: Counter[tuple[str, ...]] = Counter()
    words: set[tuple[str, str]] = set()
    for read in entries:
        word, split_word = ("", "") if isinstance(read, Skip) else (word_of(read), read.split_word)
        words.add((word, split_word))
        entry = read if names == NO_NAMES or isinstance(read, Skip) else settled(read, names)
        key: tuple[str, ...]
        if isinstance(entry, Skip):
            key = (word, split_word, entry.reason)
            if key not in rows:
                example = "" if word else entry.path
                rows[key] = Row(word, split_word, "", "", 0, entry.reason, example=example)
            skips.append(entry)
        else:
            key = (word, split_word, entry.label, entry.split, entry.doubt, entry.split_doubt)
            if key not in rows:
                rows[key] = _row(entry, class_set)
            if rows[key].split:
                items.append(entry)
            else:
                reason = f"label {entry.label} is not in the class set {class_set}"
                skips.append(Skip(entry.reference, reason))
        numbers[key] += 1
    groups = {item.group for item in items} if len(items) > 1 else set()
    sole_group = groups.pop() if len(groups) == 1 else ""
    if sole_group:
        items = [replace(item, group="") for item in items]
    counted = [replace(row, count=numbers[key]) for key, row in rows.items()]
    counted.sort(key=lambda row: (not row.split, not row.word, row.split, row.label, row.word))
    return Sorted(
        tuple(items),
        tuple(skips),
        Understood(name, source, tuple(counted), tuple(_questions(name, counted)), sole_group),
        frozenset(word for word, _ in words),
        frozenset(split_word for _, split_word in words),
    )


def _row(entry: Item, class_set: str) -> Row:
    word, label, split, note = word_of(entry), entry.label, str(entry.split), ""
    if entry.doubt == "number":
        label, note = ASKED, "a number, in whose order is not known"
    elif label and label not in CLASS_SETS[class_set]:
        unknown = label not in COLOURS
        note = "no class known here" if unknown else f"not in the class set {class_set}"
        note += "; --class-set seven takes it" if label == NEUTRAL else ""
        return Row(word, entry.split_word, "", "", 0, note, unknown=unknown)
    elif entry.doubt == "near":
        note = "nearly the usual name"
    if entry.split_doubt == "unknown":
        split = ASKED
    elif entry.split_doubt == "near":
        note = f"{note}; split read from {entry.split_word}".removeprefix("; ")
    return Row(word, entry.split_word, label, split, 0, note, near=entry.doubt == "near")


def _questions(name: str, rows: list[Row]) -> Iterator[str]:
    numbers = _listed({_line(row.word) for row in rows if row.label == ASKED})
    if numbers:
        orders = "; ".join(
            f"{one.title}: " + ", ".join(f"{key}={label}" for key, label in one.numbers.items())
            for one in SOURCES.values()
            if one.numbers
        )
        first = numbers[0]
        yield (
            f"{name} gives its classes as numbers ({', '.join(numbers)}), and their order is not "
            f"known ({orders}). Say what each number means, as {MAP} {first}=anger, or whose "
            f"order it is, as raf_db=PATH or fer2013=PATH, or name the class folders in words."
        )
    splits = _listed({_line(row.split_word) for row in rows if row.split == ASKED})
    if splits:
        first, choice = splits[0], "/=".join((*SPLITS[1:], SKIP))
        places = [_BESIDE if one == "." else f"in {one}" for one in splits]
        yield (
            f"{name} has pictures {', '.join(places)}, and whether that is for training or "
            f"testing is not known. Say it as {SPLIT_MAP} {first}=train, or ={choice}."
        )


def _listed(words: set[str]) -> list[str]:
    found = sorted(words, key=lambda word: (len(word), word))
    return found if len(found) <= _NAMED else [*found[:_NAMED], "..."]


def some_of(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(names[:_SOME]) + (f" and {len(names) - _SOME} more" * (len(names) > _SOME))


def nothing_found(source: Source, container: Container, found: Sorted) -> DataError:
    """Why a source gave no picture, and what to do about it."""
    name, members = container.root.name, pictures(container)
    unknown = sorted({row.word for row in found.understood.rows if row.unknown})
    notes = _annotations(container)
    folders = f"put the pictures into class folders named {', '.join(COLOURS)}"
    if unknown:
        ways = [folders]
        # A folder that holds every picture is no class of them.
        if len(unknown) > 1 or any(unknown[0] not in one.split("/")[:-1] for one in members):
            ways.insert(0, f"say what they mean, as {MAP} {unknown[0]}=anger")
        ways += [f"put a table beside them, {_TABLE}"] if len(ways) == 1 and not notes else []
        advice = ", or ".join(ways)
        return DataError(
            f"{name} has no labels that are known: no name stands for a class here "
            f"({some_of(unknown)}). {notes}{', or ' if notes else ''}"
            f"{advice if notes else advice[:1].upper() + advice[1:]}."
        )
    if members and len(members) == sum(skip.reason == UNLABELLED for skip in found.skips):
        return DataError(
            f"{name} holds pictures without labels: none of {len(members):,} lies in a class "
            f"folder. {f'{notes}. Or put' if notes else 'Put'} them into one folder for each "
            "class, named as happiness or sadness; splits may be folders above, named train, "
            f"valid and test.{'' if notes else f' Or put a table beside them, {_TABLE}.'}"
        )
    first = next(iter(found.skips), None)
    reason = f" First reason: {first.path}: {first.reason}." if first else ""
    return DataError(
        f"{name} was read as {source.name} and holds no usable picture.{reason} "
        "Check the file, or name the source as NAME=PATH."
    )


def _annotations(container: Container) -> str:
    """What to do with files that may say the labels in a form that is not read; "" for none."""
    found = [member for member in container.members if suffix(member) in _ANNOTATIONS]
    if not found:
        return ""
    more = f" and {len(found) - 1:,} more files" if len(found) > 1 else ""
    verb, them = ("are", "them") if more else ("is", "it")
    return f"{found[0]}{more} {verb} not read; write {them} as {_TABLE}"


def refuse_open(understood: Sequence[Understood]) -> None:
    """Refuse to go on while a question about names is open.

    Raises:
        DataError: One is, or several are; they are the text.
    """
    questions = [question for one in understood for question in one.questions]
    if questions:
        raise DataError(" ".join(questions))
