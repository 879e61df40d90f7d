"""RAF-DB (Li et al., 2017): numbered class folders, or the official list with aligned pictures."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from core.data.containers import Container, Skip
from core.data.name_map import NameMap
from core.data.sources.base import (
    RECOGNISED,
    SOURCES,
    Item,
    Source,
    Split,
    pictures,
    share,
)
from core.data.sources.class_folders import class_folders

NUMBERS = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happiness",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}
_LIST = "list_patition_label.txt"  # spelt so by its publishers
_FOLDERS = r"(^|/)(train|test)/[1-7]/(train|test)_\d{4,5}[^/]*$"
_LABEL_FILES = frozenset({"train_labels.csv", "test_labels.csv"})


def _matches(container: Container) -> bool:
    if _list_member(container):
        return True
    # Numbers alone are not enough: others count their classes in another order.
    return share(pictures(container), _FOLDERS) >= RECOGNISED


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    member = _list_member(container)
    if member:
        yield from _official(container, member)
    else:
        yield from class_folders(container, names, numbers=NUMBERS, label_files=_LABEL_FILES)


def _list_member(container: Container) -> str:
    return next((name for name in container.members if name.endswith(_LIST)), "")


def _official(container: Container, list_member: str) -> Iterator[Item | Skip]:
    """Rows `train_00001.jpg 5`; the picture is `Image/aligned/train_00001_aligned.jpg`."""
    aligned = {
        PurePosixPath(name).name: name
        for name in pictures(container)
        if "aligned" in PurePosixPath(name).parts[:-1]
    }
    with container.open(list_member) as file:
        text = file.read().decode("utf-8", errors="replace")
    for line in text.splitlines():
        name, _, number = line.strip().partition(" ")
        if not name:
            continue
        path = PurePosixPath(name)
        found = aligned.get(f"{path.stem}_aligned{path.suffix}")
        label = NUMBERS.get(number.strip())
        if found is None:
            yield Skip(name, "listed, but Image/aligned has no such picture")
        elif label is None:
            yield Skip(found, f"the list gives it the unknown label {number.strip()!r}")
        else:
            split: Split = "test" if name.startswith("test") else "train"
            yield Item(found, split, label)


SOURCES.register("raf_db")(
    Source(
        name="raf_db",
        title="RAF-DB",
        licence="Non-commercial research only; pictures may not be passed on or shown.",
        obtain=(
            "Ask its authors for the password with a university address, or use the copy on "
            "Kaggle (shuvoalok/raf-db-dataset)."
        ),
        url="http://www.whdeng.cn/RAF/model1.html",
        matches=_matches,
        items=_items,
        numbers=NUMBERS,
    )
)
