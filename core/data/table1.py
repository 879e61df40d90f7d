"""The paper's Table 1, and where the files differ from it."""

from dataclasses import asdict, dataclass
from typing import Any

from core.labels import EMOTIONS

PAPER_SOURCES = ("raf_db", "fer2013", "affectnet", "ck_plus", "tfeid")
AGGREGATE = "fer_gimefive"  # these five together
PUBLISHED_VALID = "gimefive_valid"  # holds the paper's 600

# Pictures by source and split, in the order of EMOTIONS.
TABLE1: dict[tuple[str, str], tuple[int, ...]] = {
    ("raf_db", "train"): (4772, 1290, 1982, 705, 717, 281),
    ("raf_db", "test"): (1185, 329, 478, 162, 160, 74),
    ("fer2013", "train"): (7215, 3171, 4830, 3994, 436, 4097),
    ("fer2013", "test"): (1774, 831, 1247, 958, 111, 1024),
    ("affectnet", "train"): (3091, 4039, 5044, 3218, 2477, 3176),
    ("ck_plus", "train"): (69, 83, 28, 45, 59, 25),
    ("tfeid", "train"): (40, 36, 39, 34, 40, 40),
    (PUBLISHED_VALID, "valid"): (100, 100, 100, 100, 100, 100),
    (AGGREGATE, "train"): (15187, 8619, 11923, 7996, 3729, 7619),
    (AGGREGATE, "test"): (2959, 1160, 1725, 1120, 271, 1098),
}

Counts = dict[str, dict[str, dict[str, int]]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of Table 1 beside ours.

    Attributes:
        published: The paper's number.
        measured: Pictures found.
        note: What the difference is, "" where there is none.
    """

    source: str
    split: str
    emotion: str
    published: int
    measured: int
    note: str = ""

    @property
    def difference(self) -> int:
        return self.measured - self.published


def with_aggregate(counts: Counts) -> Counts:
    """The counts with the five sets together, where all five are there."""
    if not set(PAPER_SOURCES) <= set(counts):
        return counts
    total: dict[str, dict[str, int]] = {}
    for source in PAPER_SOURCES:
        for split, labels in counts[source].items():
            row = total.setdefault(split, {})
            for label, number in labels.items():
                row[label] = row.get(label, 0) + number
    return {**counts, AGGREGATE: total}


def compare(counts: Counts) -> list[Cell]:
    """Every cell of Table 1 whose source was prepared, with the measured number.

    Args:
        counts: {source: {split: {emotion: n}}}.
    """
    cells = []
    for (source, split), published in TABLE1.items():
        row = with_aggregate(counts).get(source)
        if row is None:
            continue
        measured = tuple(row.get(split, {}).get(emotion, 0) for emotion in EMOTIONS)
        notes = _notes(source, published, measured)
        cells += [
            Cell(source, split, *values)
            for values in zip(EMOTIONS, published, measured, notes, strict=True)
        ]
    return cells


def differences(counts: Counts) -> list[dict[str, Any]]:
    """The cells that differ, as plain values with key `difference`."""
    return [
        {**asdict(cell), "difference": cell.difference} for cell in compare(counts) if cell.note
    ]


def _notes(source: str, published: tuple[int, ...], measured: tuple[int, ...]) -> list[str]:
    notes = []
    for index, (theirs, ours) in enumerate(zip(published, measured, strict=True)):
        if theirs == ours:
            notes.append("")
        elif source == AGGREGATE:
            notes.append("follows from the differences of its sets")
        elif partner := _swapped(index, published, measured):
            notes.append(f"the paper has {EMOTIONS[index]} and {partner} swapped")
        else:
            count, word = abs(ours - theirs), "fewer" if ours < theirs else "more"
            noun = "picture" if count == 1 else "pictures"
            notes.append(f"{count:,} {noun} {word} than published")
    return notes


def _swapped(index: int, published: tuple[int, ...], measured: tuple[int, ...]) -> str:
    for other, emotion in enumerate(EMOTIONS):
        crosswise = (published[other], published[index]) == (measured[index], measured[other])
        if other != index and crosswise:
            return emotion
    return ""
