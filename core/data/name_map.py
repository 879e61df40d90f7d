"""What the names of a source mean: as the user says it, and as words are commonly read.

A source writes a class as a folder, a number or a cell, and a split as a folder or a cell. The user
has the last word: `--map 1=anger`, `--split-map val_set=valid`, or `=skip` to leave one out.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from core.errors import DataError
from core.labels import CLASS_SETS, WORDS, canonical

Split = Literal["train", "test", "valid", "unlabelled"]

SKIP = "skip"  # what a name is mapped to that is to be left out
SPLITS: tuple[Split, ...] = ("train", "valid", "test")
MAP, SPLIT_MAP = "--map", "--split-map"


def folded(name: str) -> str:
    """A name as it is compared: without the case and the blanks around it, accents composed."""
    return unicodedata.normalize("NFC", name.strip().casefold())


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

    def pairs(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What `parse` reads: pairs of classes, and pairs of splits."""
        classes = tuple("=".join(pair) for pair in self.classes)
        return classes, tuple("=".join(pair) for pair in self.splits)

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


# Words that name the form of what is in a folder and no class; letters only, in lower case.
# ruff: noqa: SIM905 - so many words are read more easily as text
_NOISE = frozenset(
    """a all aligned and category class classes cls code color colour crop cropped crops data
    dataset emo emotion emotions expression expressions face faces facial female file files final
    folder for gray grey human image images img imgs in jpeg jpg label labelled labels male man men
    my new of original part people person persons photo photos pic pics picture pictures png private
    public resized rgb sample samples set sets split splits sub subset the with woman
    women""".split()
)
_NUMBERED = frozenset("c cat category class cls code emo emotion expression label".split())
_WORDS_OF: dict[Split, str] = {
    "train": "train training trained tr trn trainset trainingset trainval learn learning",
    "valid": """va val valid validation validate validating valids vals validset valset vld dev
        devel develop development devset validationset""",
    "test": """test testing tests tst te testset testingset holdout heldout publictest privatetest
        eval evaluation evaluate evaluating evalset evaluationset unseen""",
}
_SPLIT_WORDS = {word: split for split, words in _WORDS_OF.items() for word in words.split()}
_EVALUATION = frozenset(word for word in _SPLIT_WORDS if word.startswith("eval"))
# Words of their own that are nearly one of ours.
_OTHER_WORDS = frozenset(
    """angel angers discuss disguise disguised distrust feat harpy natural surmise tent text trail
    trait""".split()
)
_LONG = 7  # letters from which two slips are forgiven
_SHORT = 4  # letters below which none is
MOST_CLASSES = 20  # a higher number counts something else than classes

Doubt = Literal["", "near", "number", "unknown"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name was read as.

    Attributes:
        value: A canonical class or a split; of a number its digits, "" where nothing was read.
        doubt: "" where it is sure, "near" where the name is nearly or only partly the usual one,
            "number" for a bare number, "unknown" where nothing was read.
    """

    value: str
    doubt: Doubt


UNKNOWN = Meaning("", "unknown")


@cache
def read_class(name: str) -> Meaning:
    """The class that a folder's name stands for, by itself.

    >>> read_class("3_Happy faces"), read_class("hapiness").doubt, read_class("class_07").value
    (Meaning(value='happiness', doubt=''), 'near', '7')
    """
    known = canonical(name)
    if known is not None:
        return Meaning(known, "")
    words, numbers = _words(name)
    telling = [word for word in words if word not in _NOISE and word not in _SPLIT_WORDS]
    if not telling:
        plain = len(numbers) == 1 and len(numbers[0]) < 4 and _NUMBERED.issuperset(words)
        number = int(numbers[0]) if plain else MOST_CLASSES + 1
        return Meaning(str(number), "number") if number <= MOST_CLASSES else UNKNOWN
    meant = {canonical(word) for word in telling}
    if len(meant) == 1 and (label := meant.pop()):
        return Meaning(label, "")
    whole = "".join(telling)
    label = canonical(whole) or _nearest(whole, {word: canonical(word) or "" for word in WORDS})
    return Meaning(label, "near") if label else UNKNOWN


def as_split(value: str) -> Split | None:
    """The split of this very name; None where there is none."""
    return next((split for split in SPLITS if split == value), None)


@cache
def read_split(name: str) -> Meaning:
    """The split that a folder's name stands for, by itself.

    >>> read_split("Val_Set").value, read_split("fer_train"), read_split("archive").doubt
    ('valid', Meaning(value='train', doubt='near'), 'unknown')
    """
    words, _ = _words(name)
    found = {_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS}
    whole = "".join(words)
    if not found and whole in _SPLIT_WORDS:
        return Meaning(_SPLIT_WORDS[whole], "")
    if len(found) == 1:
        others = [word for word in words if word not in _NOISE and word not in _SPLIT_WORDS]
        sure = all(canonical(word) for word in others)
        return Meaning(found.pop(), "" if sure else "near")
    near = "" if found else _nearest(whole, dict(_SPLIT_WORDS))
    return Meaning(near, "near") if near else UNKNOWN


def is_evaluation(name: str) -> bool:
    """Whether a name says "evaluation", which is the test set unless there is one beside it."""
    return not _EVALUATION.isdisjoint(_words(name)[0])


def _words(name: str) -> tuple[list[str], list[str]]:
    """Words in lower case and numbers of a name; capitals begin a word, as in `TrainSet`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip())
    parts = re.findall(r"[^\W\d_]+|\d+", apart.casefold())
    numbers = [part for part in parts if part.isdecimal()]
    return [part for part in parts if not part.isdecimal()], numbers


def _nearest(word: str, known: dict[str, str]) -> str:
    """The meaning of the known words that a word is a slip of; "" where none or several fit."""
    if len(word) < _SHORT or word in _OTHER_WORDS:
        return ""
    meanings = set()
    for other, meaning in known.items():
        shorter = min(len(word), len(other))
        slips = 0 if shorter < _SHORT else 1 if shorter < _LONG else 2
        if slips and word[0] == other[0] and _slips(word, other) <= slips:
            meanings.add(meaning)
    return meanings.pop() if len(meanings) == 1 else ""


def _slips(first: str, second: str) -> int:
    """Letters to add, drop, change or swap with the next (optimal string alignment distance)."""
    rows = [list(range(len(second) + 1))]
    for i, letter in enumerate(first, 1):
        row = [i]
        for j, other in enumerate(second, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
