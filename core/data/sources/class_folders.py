"""Pictures in class folders, in any common layout: splits above the classes or below them.

Every folder on the way to a picture may name its class, its split, both (`happy_train`) or neither
(`images`, a person, a camera).  Which folder is which is decided over all pictures, because a
folder is a split only beside other splits, and a number a class only where no name is one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.data.containers import PICTURES, Container, Skip, suffix
from core.data.name_map import (
    Doubt,
    Meaning,
    NameMap,
    Split,
    as_split,
    is_evaluation,
    read_class,
    read_split,
)
from core.data.sources.base import Item, pictures
from core.data.tables import damaged

UNLABELLED = "not inside a class folder"
BESIDE = "."  # the split's name of pictures that lie beside the split folders
NO_NUMBERS: Mapping[str, str] = {}
_RANKS: dict[Doubt, int] = {"unknown": 0, "number": 1, "near": 2, "": 3}
_GIVEN = 4  # the rank of what the user says

Folders = tuple[str, ...]


def class_folders(
    container: Container,
    names: NameMap,
    *,
    numbers: Mapping[str, str] = NO_NUMBERS,
    label_files: frozenset[str] = frozenset(),
) -> Iterator[Item | Skip]:
    """Items of all pictures in class folders.

    Args:
        container: The source's files.
        names: What the user says names mean.
        numbers: Class by number, where it is known whose numbers they are.
        label_files: See `strays`.
    """
    yield from strays(container, label_files)
    found = [tuple(member.split("/")[:-1]) for member in pictures(container)]
    layout = _Layout(Counter(found), names, numbers)
    entries = [
        layout.entry(member, folders)
        for member, folders in zip(pictures(container), found, strict=True)
    ]
    yield from _once(container, entries) if container.linked else entries


def strays(container: Container, known: frozenset[str]) -> Iterator[Skip]:
    """Files that are no pictures, save label files the source has read.

    Args:
        container: The source's files.
        known: Lower-case file names (without folders) of the label files.
    """
    unreadable = damaged(container)
    for member in container.members:
        name = member.rpartition("/")[2].lower()
        if member in unreadable:
            yield Skip(member, unreadable[member])
        elif suffix(member) not in PICTURES and name not in known:
            yield Skip(member, "not a picture")


def folder_splits(members: Sequence[str], names: NameMap) -> dict[str, tuple[Split, str, Doubt]]:
    """What the folders of pictures say of their splits, where something else names the classes.

    Args:
        members: The pictures.
        names: What the user says names mean.

    Returns:
        Split, the folder that names it ("" for none), and how sure that is, by picture.
    """
    found = {member: tuple(member.split("/")[:-1]) for member in members}
    layout = _Layout(Counter(found.values()), names, NO_NUMBERS)
    read = {folders: layout.split(folders) for folders in set(found.values())}
    return {member: read[folders] for member, folders in found.items()}


@dataclass(frozen=True)
class _Class:
    """The folder that names a picture's class: its place, and what it was read as."""

    place: int
    label: str
    doubt: Doubt
    rank: int


@dataclass(frozen=True)
class _Entry:
    """What the pictures of one folder are; they are none of the set's where there is a reason."""

    split: Split = "train"
    label: str = ""
    label_word: str = ""
    split_word: str = ""
    doubt: Doubt = ""
    split_doubt: Doubt = ""
    reason: str = ""

    def __call__(self, member: str) -> Item | Skip:
        if self.reason:
            return Skip(member, self.reason)
        words = (self.label_word, self.split_word, self.doubt, self.split_doubt)
        return Item(member, self.split, self.label, *words)


@dataclass(frozen=True)
class _Layout:
    """How the folders of a container are to be read.

    Attributes:
        pictures: Number of pictures by the folders they are in, outermost first.
        names: What the user says names mean.
        numbers: Class by number; empty where their order is not known.
    """

    pictures: Counter[Folders]
    names: NameMap
    numbers: Mapping[str, str]

    def entry(self, member: str, folders: Folders) -> Item | Skip:
        """The item of a picture, or why it is none."""
        return self._read[folders](member)

    @cached_property
    def _read(self) -> dict[Folders, "_Entry"]:
        return {folders: self._entry(folders) for folders in self.pictures}

    def _entry(self, folders: Folders) -> "_Entry":
        classes = self._classes[folders]
        labels = sorted({one.label for one in classes})
        if len(labels) > 1:
            return _Entry(reason=f"its folders name several classes, {' and '.join(labels)}")
        one = classes[-1] if classes else self._unread(folders)
        if one is None:
            return _Entry(reason=UNLABELLED)
        word = folders[one.place]
        split, split_word, split_doubt = self.split(folders, one.place)
        return _Entry(split, one.label or word.lower(), word, split_word, one.doubt, split_doubt)

    @cached_property
    def _classes(self) -> dict[Folders, list[_Class]]:
        """The folders that name a class, of the surest rank only, by the folders of a picture."""
        found = {folders: self._surest(folders) for folders in self.pictures}
        named = sum(
            number
            for folders, number in self.pictures.items()
            if found[folders] and found[folders][0].rank > _RANKS["number"]
        )
        if 2 * named < self.pictures.total() or self.numbers:
            return found
        # Beside names, a number is a person, a camera or a part.
        return {
            folders: [one for one in classes if one.rank > _RANKS["number"]]
            for folders, classes in found.items()
        }

    def _surest(self, folders: Folders) -> list[_Class]:
        read = [self._class(place, name) for place, name in enumerate(folders)]
        highest = max((one.rank for one in read), default=0)
        surest = [one for one in read if one.rank == highest > 0]
        return [one for one in surest if one.label] or surest

    def _class(self, place: int, name: str) -> _Class:
        given = self.names.label(name)
        if given is not None:
            return _Class(place, given, "", _GIVEN)
        meaning = read_class(name)
        if meaning.doubt == "number" and meaning.value in self.numbers:
            return _Class(place, self.numbers[meaning.value], "", _RANKS["number"])
        label = "" if meaning.doubt == "number" else meaning.value
        return _Class(place, label, meaning.doubt, _RANKS[meaning.doubt])

    def _unread(self, folders: Folders) -> _Class | None:
        """The folder in the place where others name their class, else the innermost."""
        open_places = [
            place
            for place, name in enumerate(folders)
            if self.names.split(name) is None and read_split(name).doubt
        ]
        if not open_places:
            return None
        place = next((p for p in self._class_places if p in open_places), open_places[-1])
        return _Class(place, "", "unknown", 0)

    @cached_property
    def _class_places(self) -> list[int]:
        places: Counter[int] = Counter()
        for folders, classes in self._classes.items():
            if classes:
                places[classes[-1].place] += self.pictures[folders]
        return [place for place, _ in places.most_common()]

    def split(self, folders: Folders, class_place: int = -1) -> tuple[Split, str, Doubt]:
        """The split of a picture, the folder that names it, and how sure that is."""
        found = self._splits[folders]
        if found:
            place, meaning = found[-1]
            if len({one.value for _, one in found}) > 1:
                return "train", folders[place], "unknown"
            return as_split(meaning.value) or "train", folders[place], meaning.doubt
        if not self._split_places:
            return "train", "", ""
        others = [at for at in self._split_places if at < len(folders) and at != class_place]
        return "train", folders[others[0]] if others else BESIDE, "unknown"

    @cached_property
    def _splits(self) -> dict[Folders, list[tuple[int, Meaning]]]:
        """The folders that name a split, by the folders of a picture."""
        read = {folders: self._surest_splits(folders) for folders in self.pictures}
        meanings = {meaning.value for found in read.values() for _, meaning in found}
        if len(meanings) < 2:
            # `fer_train` is a split beside `fer_test`; alone, it may be anything.
            read = {
                folders: [one for one in found if not one[1].doubt]
                for folders, found in read.items()
            }
        tests = {
            folders[place]
            for folders, found in read.items()
            for place, meaning in found
            if meaning.value == "test"
        }
        named = {name for name in tests if self.names.split(name) is None and is_evaluation(name)}
        if named != tests and "valid" not in meanings:
            read = {
                folders: [
                    (place, Meaning("valid", one.doubt) if folders[place] in named else one)
                    for place, one in found
                ]
                for folders, found in read.items()
            }
        return _without_wrappers(read)

    def _surest_splits(self, folders: Folders) -> list[tuple[int, Meaning]]:
        given = [(at, self.names.split(name)) for at, name in enumerate(folders)]
        said = [(at, Meaning(split, "")) for at, split in given if split is not None]
        read = [(at, read_split(name)) for at, name in enumerate(folders)]
        sure = [(at, meaning) for at, meaning in read if not meaning.doubt]
        return said or sure or [(at, meaning) for at, meaning in read if meaning.value]

    @cached_property
    def _split_places(self) -> list[int]:
        places: Counter[int] = Counter()
        for folders, found in self._splits.items():
            if found:
                places[found[-1][0]] += self.pictures[folders]
        return [place for place, _ in places.most_common()]


def _without_wrappers(
    splits: dict[Folders, list[tuple[int, Meaning]]],
) -> dict[Folders, list[tuple[int, Meaning]]]:
    """Without the outer folders that all pictures share, as `test/` around `train/` and `test/`."""
    while all(len(found) > 1 for found in splits.values()) and (
        len({(found[0][0], folders[found[0][0]]) for folders, found in splits.items()}) == 1
    ):
        splits = {folders: found[1:] for folders, found in splits.items()}
    return splits


def _once(container: Container, entries: list[Item | Skip]) -> Iterator[Item | Skip]:
    """Every file once, as the folder or link has it that says most; contradictions stay."""
    best: dict[str, Item] = {}
    for entry in entries:
        if isinstance(entry, Item):
            real = _real(container, entry)
            best[real] = min(best.get(real, entry), entry, key=lambda one: _worth(container, one))
    for entry in entries:
        kept = entry if isinstance(entry, Skip) else best[_real(container, entry)]
        if isinstance(entry, Skip) or isinstance(kept, Skip) or kept is entry:
            yield entry
        elif _vague(entry) or (kept.label, kept.split) == (entry.label, entry.split):
            yield Skip(entry.reference, f"the same file as {kept.reference}, by a link")
        else:
            yield entry


def _real(container: Container, item: Item) -> str:
    return container.linked.get(item.reference) or f"{container.root}/{item.reference}"


def _vague(item: Item) -> bool:
    return "unknown" in (item.doubt, item.split_doubt)


def _worth(container: Container, item: Item) -> tuple[bool, bool, str]:
    return _vague(item), item.reference in container.linked, item.reference
