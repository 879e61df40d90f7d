"""CK+ (Lucey et al., 2010): its authors' sequences, class folders, or a table of pixels."""

import re
from collections.abc import Iterator

from core.data.containers import Container, Skip, read
from core.data.name_map import NameMap
from core.data.sources.base import (
    RECOGNISED,
    SOURCES,
    Item,
    Source,
    pictures,
    share,
)
from core.data.sources.columns import number_text
from core.data.sources.pixel_csv import (
    NUMBERS,
    PixelTable,
    is_ck_plus,
    pixel_tables,
    table_or_folder_items,
)
from core.errors import DataError

_NUMBERS = NUMBERS | {"7": "contempt"}
_CODES = {  # in the authors' Emotion folder
    "0": "neutral",
    "1": "anger",
    "2": "contempt",
    "3": "disgust",
    "4": "fear",
    "5": "happiness",
    "6": "sadness",
    "7": "surprise",
}
_FRAME = r"(^|/)(S\d{3}_\d{3})_\d{8}[^/]*$"
_IN_SEQUENCE = r"(^|/)S\d{3}/\d{3}/S\d{3}_\d{3}_\d{8}\.[a-z]+$"
_EMOTION = re.compile(r"(^|/)(S\d{3}_\d{3}_\d{8})_emotion\.txt$", re.IGNORECASE)
_NOTES = r"(^|/)S\d{3}_\d{3}_\d{8}_(landmarks|facs)\.txt$"


def _tables(container: Container) -> list[PixelTable]:
    return [table for table in pixel_tables(container) if is_ck_plus(table)]


def _matches(container: Container) -> bool:
    if _tables(container):
        return True
    return share(pictures(container), _FRAME) >= RECOGNISED


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    # Named by hand, a table may have any name.
    tables = _tables(container) or pixel_tables(container)
    if not tables and _in_sequences(container):
        return _sequences(container)
    # CK+ has no official split; whoever made the table drew its Usage. The paper trains on all.
    return table_or_folder_items(container, names, tables, _NUMBERS, "train")


def _in_sequences(container: Container) -> bool:
    labelled = any(_EMOTION.search(member) for member in container.members)
    return labelled or share(pictures(container), _IN_SEQUENCE) >= RECOGNISED


def _sequences(container: Container) -> Iterator[Item | Skip]:
    """The peak frames: `Emotion/S005/001/S005_001_00000011_emotion.txt` labels the picture
    `S005_001_00000011` of `cohn-kanade-images`; the other frames have no label.
    """
    labels = {
        match.group(2).upper(): member
        for member in container.members
        if (match := _EMOTION.search(member))
    }
    if not labels:
        raise DataError(
            f"{container.root.name} holds the sequences of CK+ without their labels. Put the "
            "folder Emotion (files S005_001_00000011_emotion.txt) beside cohn-kanade-images."
        )
    sequences = {stem[:8] for stem in labels}
    notes = re.compile(_NOTES, re.IGNORECASE)
    taken: set[str] = set()
    found = set(pictures(container))
    for member in container.members:
        stem = member.rpartition("/")[2].rpartition(".")[0].upper()
        if member not in found:
            if not _EMOTION.search(member) and not notes.search(member):
                yield Skip(member, "not a picture")
        elif stem not in labels:
            labelled = stem[:8] in sequences
            yield Skip(member, _OTHER_FRAME if labelled else "its sequence has no emotion label")
        elif stem in taken:
            yield Skip(member, "a second picture of this frame")
        else:
            taken.add(stem)
            yield _peak(container, member, labels[stem])
    for stem in sorted(set(labels) - taken):
        yield Skip(labels[stem], "its picture is missing")


_OTHER_FRAME = "not the frame of its sequence that has the emotion label"


def _peak(container: Container, member: str, text: str) -> Item | Skip:
    code = number_text(read(container, text, 1000).decode("ascii", errors="replace"))
    label = _CODES.get(code)
    if label is None:
        return Skip(member, f"its emotion file gives it the unknown label {code[:20]!r}")
    return Item(member, "train", label)


SOURCES.register("ck_plus")(
    Source(
        name="ck_plus",
        title="CK+",
        licence="Research only; few persons agreed to being shown in print.",
        obtain="Ask its authors, or use the peak frames on Kaggle (shuvoalok/ck-dataset).",
        url="https://www.kaggle.com/datasets/shuvoalok/ck-dataset",
        matches=_matches,
        items=_items,
        alike=True,
    )
)
