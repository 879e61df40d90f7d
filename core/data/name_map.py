"""What the names of a source mean: as the user says it, and as words are commonly read.

A source writes a class as a folder, a number or a cell, and a split as a folder or a cell. The user
has the last word: `--map 1=anger`, `--split-map val_set=valid`, or `=skip` to leave one out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.errors import DataError
from core.labels import CLASS_SETS, canonical

Split = Literal["train", "test", "valid", "unlabelled"]

SKIP = "skip"  # what a name is mapped to that is to be left out
SPLITS: tuple[Split, ...] = ("train", "valid", "test")
MAP, SPLIT_MAP = "--map", "--split-map"


def folded(name: str) -> str:
    """A name as it is compared: without the case and the blanks around it."""
    return name.strip().casefold()


@dataclass(frozen=True, slots=True)
class NameMap:
    """Meanings that the user gives to names; a name that is absent keeps its usual meaning.

    Attributes:
        classes: (name as `folded`, canonical class or SKIP).
        splits: (name as `folded`, one of SPLITS or SKIP).
    """

    classes: tuple[tuple[str, str], ...] = ()
    splits: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, classes: Sequence[str] = (), splits: Sequence[str] = ()) -> "NameMap":
        """Read pairs `NAME=MEANING`, as the options `--map` and `--split-map` give them.

        Raises:
            DataError: A pair has no `=`, an unknown meaning, or contradicts another.
        """
        return cls(
            _pairs(classes, MAP, _class_meaning, f"{', '.join(CLASS_SETS['seven'])} or {SKIP}"),
            _pairs(splits, SPLIT_MAP, _split_meaning, f"{', '.join(SPLITS)} or {SKIP}"),
        )

    def label(self, word: str) -> str | None:
        """The class given to a name: canonical, SKIP, or None where the user said nothing."""
        return dict(self.classes).get(folded(word))

    def split(self, word: str) -> str | None:
        """The split given to a name: one of SPLITS, SKIP, or None where the user said nothing."""
        return dict(self.splits).get(folded(word))

    def refuse_unused(self, classes: Iterable[str], splits: Iterable[str]) -> None:
        """Refuse a pair whose name no source has, as a slip in typing.

        Args:
            classes: Names of classes as the sources write them.
            splits: Names of splits as the sources write them.

        Raises:
            DataError: A pair applies to nothing.
        """
        for option, pairs, found in (
            (MAP, self.classes, classes),
            (SPLIT_MAP, self.splits, splits),
        ):
            names = sorted({word.strip() for word in found if word.strip()})
            for name, meaning in pairs:
                if name not in map(folded, names):
                    known = ", ".join(names[:12]) or "none"
                    raise DataError(
                        f"{option} {name}={meaning} applies to nothing: the names found are "
                        f"{known}. Correct it, or leave it out."
                    )


NO_NAMES = NameMap()


def _pairs(
    texts: Sequence[str], option: str, meaning_of: Callable[[str], str | None], choice: str
) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for text in texts:
        name, mark, word = text.rpartition("=")
        key, meaning = folded(name), meaning_of(folded(word))
        if not mark or not key or meaning is None:
            raise DataError(f"{option} {text!r} is no pair NAME=MEANING; a meaning is {choice}.")
        if found.setdefault(key, meaning) != meaning:
            raise DataError(
                f"{option} gives {name.strip()!r} two meanings, {found[key]} and {meaning}. "
                "Leave one of them out."
            )
    return tuple(sorted(found.items()))


def _class_meaning(word: str) -> str | None:
    return SKIP if word == SKIP else canonical(word)


def _split_meaning(word: str) -> str | None:
    return word if word in (*SPLITS, SKIP) else None
