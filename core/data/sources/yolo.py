"""YOLO's form: `images/NAME.jpg`, the class number in `labels/NAME.txt`, names in `data.yaml`.

AffectNet is passed on so, with a box around the one face of every picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import yaml

from core.data.containers import Container, Skip, read, suffix
from core.data.name_map import Doubt, NameMap, Split, read_class
from core.data.picture_names import Places, common_folders
from core.data.sources.base import RECOGNISED, SOURCES, Item, Source, pictures, split_of
from core.errors import DataError

_NAME_FILES = frozenset({"classes.txt", "obj.names", "classes.names", "_darknet.labels"})
_TEXT = 2**20  # bytes of a label file or data.yaml
_LIST_TEXT = 2**26  # bytes of a list of pictures
_LOOKED_AT = 50  # label files that tell the form
_SMALL = 0.1  # share of the picture below which a box shows that it is no picture of one face


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of the classes by number, splits by picture, and the files that say so."""

    classes: dict[int, str]
    splits: dict[str, set[Split]]
    files: frozenset[str]


def _matches(container: Container) -> bool:
    notes = _notes(container)
    found = pictures(container)
    own = [notes[key] for key in map(_key, found) if key in notes]
    if len(own) < len(found) * RECOGNISED / 2:
        return False
    boxes = [_boxes(container, note) for note in islice(own, _LOOKED_AT)]
    return all(one is not None for one in boxes) and any(boxes)


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    notes = _notes(container)
    known = _names(container)
    found = dict.fromkeys(pictures(container))
    unused = {member: None for member in notes.values() if member not in known.files}
    for member in found:
        note = notes.get(_key(member))
        if note is None:
            yield Skip(member, "it has no label file")
            continue
        unused.pop(note, None)
        yield _labelled(container, member, note, known)
    for member in container.members:
        if member in unused:
            yield Skip(member, "not a picture, and no picture has this name")
        elif member not in found and suffix(member) != ".txt" and member not in known.files:
            yield Skip(member, "not a picture")


def _notes(container: Container) -> dict[str, str]:
    """Text files by their lower-case name without suffix."""
    return {member[:-4].lower(): member for member in container.members if suffix(member) == ".txt"}


def _key(picture: str) -> str:
    """Where the label file lies: `labels` for the last folder `images`, no suffix, lower case."""
    folders = picture.lower().rpartition(".")[0].split("/")
    for place in range(len(folders) - 2, -1, -1):
        if folders[place] == "images":
            folders[place] = "labels"
            break
    return "/".join(folders)


def _boxes(container: Container, note: str) -> list[tuple[int, float]] | None:
    """Class and share of the picture of every box; None where the file is not of this form."""
    found = []
    try:
        for line in read(container, note, _TEXT).decode("ascii").splitlines():
            if cells := line.split():
                number, _, _, width, height = cells[:5]
                found.append((int(number), float(width) * float(height)))
    except (DataError, ValueError):
        return None
    return found


def _labelled(container: Container, member: str, note: str, names: _Names) -> Item | Skip:
    boxes = _boxes(container, note)
    if boxes is None:
        return Skip(member, "its label file is not of the form CLASS X Y WIDTH HEIGHT")
    if len(boxes) != 1:
        return Skip(member, f"it has {len(boxes)} labelled faces; pictures of one face are taken")
    number, area = boxes[0]
    if area < _SMALL:
        return Skip(member, "its face is a small part of it; cut the faces out first")
    folder = next(filter(split_of, reversed(member.split("/")[:-1])), "")
    named, listed = split_of(folder), names.splits.get(member, set())
    if named is None and len(listed) > 1:
        return Skip(member, f"listed for {' and '.join(sorted(listed))}")
    split: Split = named or next(iter(listed), None) or "train"
    if not names.classes:
        return Item(member, split, str(number), str(number), folder, "number")
    if number not in names.classes:
        return Skip(member, f"its label file has the number {number}, which has no name")
    name = names.classes[number].strip()
    meaning = read_class(name)
    label = "" if meaning.doubt == "number" else meaning.value
    doubt: Doubt = meaning.doubt if label else "unknown"
    return Item(member, split, label or name.lower(), name, folder, doubt)


def _names(container: Container) -> _Names:
    for member in container.members:
        name = PurePosixPath(member).name.lower()
        if suffix(name) in {".yaml", ".yml"}:
            values = _yaml(container, member)
            listed = values.get("names")
            if isinstance(listed, list | dict):
                pairs = enumerate(listed) if isinstance(listed, list) else listed.items()
                classes = {int(key): str(value) for key, value in pairs if str(key).isdecimal()}
                splits, files = _listed_splits(container, values)
                return _Names(classes, splits, frozenset({member, *files}))
        elif name in _NAME_FILES:
            lines = read(container, member, _TEXT).decode("utf-8-sig", errors="replace")
            return _Names(dict(enumerate(lines.split("\n"))), {}, frozenset({member}))
    return _Names({}, {}, frozenset())


def _yaml(container: Container, member: str) -> dict[Any, Any]:
    try:
        values = yaml.safe_load(read(container, member, _TEXT))
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{member} cannot be read as YAML: {reason}. Correct it.") from error
    return values if isinstance(values, dict) else {}


def _listed_splits(
    container: Container, values: dict[Any, Any]
) -> tuple[dict[str, set[Split]], list[str]]:
    """Splits that `data.yaml` gives as lists of pictures, as in `val: val.txt`."""
    lists: dict[str, Split] = {}  # where two splits name one list, the later one counts
    for key, value in values.items():
        split = split_of(str(key))
        ending = str(value).replace("\\", "/").rpartition("/")[2]
        if split is not None and ending.endswith(".txt"):
            fits = (one for one in container.members if PurePosixPath(one).name == ending)
            lists |= dict.fromkeys(fits, split)
    splits: dict[str, set[Split]] = {}
    places = Places.of(pictures(container))
    for member, split in lists.items():
        text = read(container, member, _LIST_TEXT).decode("utf-8-sig", errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        shared, base = common_folders(lines), member.rpartition("/")[0]
        for line in lines:
            found = places.find(line, base, shared=shared)
            # A path of another machine is known by the file's name, which several may have.
            alike = places.by_name.get(
                line.replace("\\", "/").rpartition("/")[2].strip().lower(), ()
            )
            for one in (found,) if found in places.members else alike:
                splits.setdefault(one, set()).add(split)
    return splits, list(lists)


SOURCES.register("yolo")(
    Source(
        name="yolo",
        title="Pictures with YOLO's label files",
        licence="As the pictures in it.",
        obtain="Folders images and labels, and the names of the classes in data.yaml.",
        url="",
        matches=_matches,
        items=_items,
    )
)
