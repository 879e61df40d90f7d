"""Pictures by the names that a table gives them: relative, absolute, bare, or without a suffix."""

import posixpath
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from core.data.containers import PICTURES, suffix
from core.data.name_map import Split
from core.data.sources.base import split_of

AMBIGUOUS = "?"  # no picture has this name


def plain(name: str) -> tuple[str, ...]:
    r"""The parts of a name as it is written on any system, without `.`.

    >>> plain(r"C:\faces\.\a.jpg")
    ('C:', 'faces', 'a.jpg')
    """
    return tuple(
        part for part in name.strip().replace("\\", "/").split("/") if part not in ("", ".")
    )


def common_folders(names: Iterable[str]) -> int:
    """Number of leading folders that all names share."""
    folders = [plain(name)[:-1] for name in names]
    shared = posixpath.commonprefix(folders) if folders else ()
    return len(shared)


@dataclass(frozen=True, slots=True)
class Places:
    """Finds pictures of a container.

    A name leads from the table's folder or from the root; else it is the end of one picture's path.
    Leading folders that all names of a table share may be absent, as those of another machine.

    Attributes:
        members: All pictures.
        by_name: Pictures by file name in lower case with composed accents, and by file name
            without suffix.
    """

    members: frozenset[str]
    by_name: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, pictures: Iterable[str]) -> "Places":
        """Index the pictures of a container."""
        members = frozenset(pictures)
        found: dict[str, list[str]] = {}
        for member in sorted(members):
            name = _composed(member.rpartition("/")[2])
            for key in (name, name.rpartition(".")[0]):
                found.setdefault(key, []).append(member)
        return cls(members, {key: tuple(value) for key, value in found.items()})

    def find(self, name: str, base: str = "", split: Split | None = None, shared: int = 0) -> str:
        """The picture of a name.

        Args:
            name: As the table writes it.
            base: The table's folder, "" for the root.
            split: The row's split where the table says it; a picture in the folder of another one
                is not meant.
            shared: Number of leading folders that may be absent.

        Returns:
            A member; "" for none, AMBIGUOUS where several fit.
        """
        text = name.strip().replace("\\", "/")
        for start in (base, ""):
            path = posixpath.normpath(posixpath.join(start, text))
            if path in self.members:
                return path
        parts = plain(text)
        if not parts:
            return ""
        known = self.by_name.get(_composed(parts[-1]), ())
        for absent in range(min(shared, len(parts) - 1) + 1):
            wanted = _ending(parts[absent:])
            fits = [one for one in known if _ending(plain(one)).endswith(wanted)]
            if not fits and suffix(parts[-1]) not in PICTURES:
                fits = [one for one in known if _ending(plain(_stem(one))).endswith(wanted)]
            dropped = _split_in(parts[:absent])
            fits = [one for one in fits if _agree(_split_in(plain(one)[:-1]), split or dropped)]
            if len(fits) > 1:
                fits = [one for one in fits if one.startswith(f"{base}/")] if base else fits
            if fits:
                return fits[0] if len(fits) == 1 else AMBIGUOUS
        return ""


def _ending(parts: tuple[str, ...]) -> str:
    return _composed("/" + "/".join(parts))


def _composed(name: str) -> str:
    """Lower case, and one character for a letter and its accent, which macOS writes as two."""
    return unicodedata.normalize("NFC", name.lower())


def _stem(member: str) -> str:
    return member.rpartition(".")[0]


def _split_in(folders: tuple[str, ...]) -> Split | None:
    return next(filter(None, map(split_of, reversed(folders))), None)


def _agree(one: Split | None, other: Split | None) -> bool:
    return one is None or other is None or one == other
