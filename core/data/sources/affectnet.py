"""AffectNet (Mollahosseini et al., 2017): its authors' annotations, or FER AffectNet's folders.

FER AffectNet is the class folders and `labels.csv` that the paper took from Kaggle.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePosixPath

import numpy as np

from core.data.containers import Container, Skip, read
from core.data.name_map import NameMap, read_class
from core.data.sources.base import (
    RECOGNISED,
    SOURCES,
    Item,
    Source,
    pictures,
    share,
    split_of,
)
from core.data.sources.class_folders import class_folders
from core.data.sources.columns import AFFECTNET_CODES, number_text
from core.errors import DataError

NOT_EXPRESSIONS = ("8", "9", "10")  # codes of annotations that no class folder has
NUMBERS = {code: label for code, label in AFFECTNET_CODES.items() if code not in NOT_EXPRESSIONS}
_PICTURE = r"/(image\d{5,}|ffhq_\d+)\.[a-z]+$"
_ANNOTATION = re.compile(r"^(.*?)([^/]+)_(exp|val|aro|lnd)\.npy$", re.IGNORECASE)
_NOTE_BYTES = 2**16


def _matches(container: Container) -> bool:
    if _annotations(container):
        return True
    found = pictures(container)
    # Folders `3` or `class_3` may count in any order, whatever the names of the pictures.
    named = [one for one in found if read_class(PurePosixPath(one).parent.name).doubt != "number"]
    return bool(found) and share(named, _PICTURE) * len(named) >= RECOGNISED * len(found)


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    annotations = _annotations(container)
    if annotations:
        yield from _annotated(container, annotations)
    else:
        # labels.csv repeats the folders' names, so that only the folders are read.
        files = frozenset({"labels.csv"})
        yield from class_folders(container, names, numbers=NUMBERS, label_files=files)


def _annotations(container: Container) -> dict[tuple[str, str], str]:
    """Files `ID_exp.npy` by the folder above theirs and the ID."""
    found = {}
    for member in container.members:
        match = _ANNOTATION.match(member)
        if match and match.group(3).lower() == "exp":
            found[_above(member), match.group(2)] = member
    return found


def _above(member: str) -> str:
    """The folder that holds a member's folder, as `train_set` of `train_set/images/7.jpg`."""
    return PurePosixPath(member).parent.parent.as_posix()


def _annotated(
    container: Container, annotations: dict[tuple[str, str], str]
) -> Iterator[Item | Skip]:
    """Pictures `train_set/images/ID.jpg` with the label in `train_set/annotations/ID_exp.npy`."""
    unused = dict(annotations)
    found = set(pictures(container))
    for member in container.members:
        if member not in found:
            if not _ANNOTATION.match(member):
                yield Skip(member, "not a picture")
            continue
        key = (_above(member), PurePosixPath(member).stem)
        if key not in annotations:
            yield Skip(member, "it has no annotation _exp.npy")
        elif key not in unused:
            yield Skip(member, "a second picture with this number")
        else:
            yield _labelled(container, member, unused.pop(key))
    for annotation in unused.values():
        yield Skip(annotation, "its picture is missing")


def _labelled(container: Container, member: str, annotation: str) -> Item | Skip:
    try:
        values = np.load(BytesIO(read(container, annotation, _NOTE_BYTES)), allow_pickle=False)
        code = number_text(str(values.reshape(-1).astype(str)[0]))
    except (DataError, ValueError, EOFError, IndexError) as error:
        return Skip(member, f"its annotation cannot be read: {error}")
    folder = next(filter(split_of, reversed(member.split("/")[:-1])), "")
    if code not in AFFECTNET_CODES:
        return Skip(member, f"its annotation gives it the unknown label {code[:20]!r}")
    return Item(
        member, split_of(folder) or "train", AFFECTNET_CODES[code], AFFECTNET_CODES[code], folder
    )


def _subsource(name: str) -> str:
    # The publisher of the folders filled them up with portraits from FFHQ (Karras et al., 2019).
    return "ffhq" if name.startswith("ffhq_") else "web"


SOURCES.register("affectnet")(
    Source(
        name="affectnet",
        title="FER AffectNet",
        licence="Non-commercial research only; its portraits from FFHQ keep their own licences.",
        obtain="Kaggle (noamsegal/affectnet-training-data).",
        url="https://www.kaggle.com/datasets/noamsegal/affectnet-training-data",
        matches=_matches,
        items=_items,
        subsource=_subsource,
        numbers=NUMBERS,
        folders_over=lambda container, table: True,  # as those who passed them on filled them
        numbers_beside=True,
    )
)
