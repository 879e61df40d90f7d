"""An audit as Markdown."""

from collections.abc import Iterator, Sequence
from typing import Any

from core.data.sources import SOURCES
from core.data.table1 import AGGREGATE, with_aggregate
from core.labels import EMOTIONS, NEUTRAL

Values = dict[str, Any]
COPIES = {
    "exact": "Equal pixel for pixel",
    "near": "Saved again or resized",
    "toned": "Brightness or contrast changed",
    "mirrored": "Mirrored",
}


def title_of(source: str) -> str:
    """The source's name for people."""
    if source == AGGREGATE:
        return "FER GiMEFiVE"
    return SOURCES[source].title if source in SOURCES else source


def source_names(names: Sequence[str]) -> str:
    """Sources as people write them, with commas."""
    return ", ".join(map(title_of, names))


def report_text(values: Values) -> str:
    """The audit as a Markdown document.

    Args:
        values: As `core.data.audit.audit` gives them.
    """
    sections = (_counts, _differences, _leaks, _duplicates, _shortcut, _splits, _skipped)
    lines = [
        "# Audit",
        "",
        f"{values['images']:,} pictures, data `{values['data_hash'][:12]}`.",
        "",
    ]
    for section in sections:
        lines += [*section(values), ""]
    return "\n".join(lines).rstrip() + "\n"


def _counts(values: Values) -> Iterator[str]:
    labels = [name for name in (*EMOTIONS, NEUTRAL, "") if name in _used_labels(values)]
    yield "## Pictures"
    yield ""
    yield from _header("set", "split", *(label or "unlabelled" for label in labels), "total")
    for source, splits in with_aggregate(values["counts"]).items():
        for split, row in splits.items():
            numbers = [f"{row.get(label, 0):,}" for label in labels]
            yield _row(title_of(source), split, *numbers, f"{sum(row.values()):,}")


def _used_labels(values: Values) -> set[str]:
    rows = (row for splits in values["counts"].values() for row in splits.values())
    return {label for row in rows for label in row}


def _differences(values: Values) -> Iterator[str]:
    yield "## Differences from the paper's Table 1"
    yield ""
    if not values["differences"]:
        yield "None."
        return
    yield from _header("set", "split", "emotion", "published", "measured", "difference", "note")
    for cell in values["differences"]:
        numbers = f"{cell['published']:,}", f"{cell['measured']:,}", f"{cell['difference']:+,}"
        yield _row(title_of(cell["source"]), cell["split"], cell["emotion"], *numbers, cell["note"])


def _leaks(values: Values) -> Iterator[str]:
    yield "## Leaks in the published splits"
    yield ""
    for source, twins in values["twins"].items():
        yield (
            f"- {title_of(source)}: {twins['exact_or_near']:,} of {twins['test']:,} test pictures "
            f"have a copy in train, {twins['exact']:,} of them pixel for pixel "
            f"({twins['exact_same_label']:,} with the same label)."
        )
    yield from _mirrored(values)
    valid = dict(values["published_valid"])
    if valid:
        total = valid.pop("n")
        for origin, number in valid.items():
            source, split = origin.split("/")
            yield f"- Published valid: {number} of {total} are {title_of(source)} {split} pictures."
    yield ""
    if values["leaks"]:
        yield from _header("from", "found in", "copy", "label", "pictures")
    for leak in values["leaks"]:
        yield _row(
            f"{title_of(leak['source_b'])} {leak['split_b']}",
            f"{title_of(leak['source_a'])} {leak['split_a']}",
            "exact" if leak["exact"] else "near",
            "same" if leak["same_label"] else "other",
            f"{leak['n']:,}",
        )


def _mirrored(values: Values) -> Iterator[str]:
    found = values.get("mirrored")
    if found is None:
        yield (
            "- Mirrored copies were not looked for when these data were prepared; `audit DIR "
            "--mirrored` looks now. Only data prepared anew keep them apart in `clean`."
        )
        return
    for source, twins in found["twins"].items():
        if twins["test"]:
            yield (
                f"- {title_of(source)}: {twins['test']:,} test pictures have a mirrored copy in "
                f"train ({twins['same_label']:,} with the same label), {twins['only']:,} of them "
                "no other copy."
            )


def _duplicates(values: Values) -> Iterator[str]:
    yield "## Duplicates and contradicting labels"
    yield ""
    for name, row in values["duplicates"].items():
        where = "In all" if name == "all" else "In train"
        yield (
            f"- {where}: {row['exact_groups']:,} groups of equal pictures "
            f"({row['exact_surplus']:,} surplus copies), {row['near_groups']:,} groups with near "
            f"copies; the largest group has {row['largest_group']:,} pictures."
        )
    for row in values.get("copies", ()):
        yield f"- {COPIES[row['kind']]}: {row['pairs']:,} pairs, {row['pictures']:,} pictures."
    train = values["duplicates"]["train"]
    yield (
        f"- {train['contradicting']:,} groups in train carry contradicting labels; so do "
        f"{train['exact_contradicting']:,} of pictures that are equal pixel for pixel."
    )
    for clash in values["label_clashes"][:5]:
        yield f"- {' / '.join(clash['labels'])}: {clash['n']} groups."


def _shortcut(values: Values) -> Iterator[str]:
    found = values["shortcut"]
    yield "## Guessing the class from the origin"
    yield ""
    if not found["n"]:
        yield "No labelled training pictures."
        return
    for key, what in (("by_source", "source"), ("by_origin", "source and kind of file name")):
        row = found[key]
        yield (
            f"- By {what}: Cramer's V {row['cramers_v']:.2f}; guessing from it alone is right in "
            f"{row['accuracy']:.1%} (always the largest class: {found['baseline']:.1%})."
        )
    yield from (f"- {sentence}" for sentence in found["sentences"])


def _splits(values: Values) -> Iterator[str]:
    yield "## Splits"
    yield ""
    for name, split in values["splits"].items():
        parts = ", ".join(f"{part} {n:,}" for part, n in split["parts"].items())
        yield f"- `{name}`: {parts}."
        yield from (f"  - dropped, {reason}: {n:,}." for reason, n in split["dropped"].items())
    yield f"- Leaks left in `clean`: {sum(leak['n'] for leak in values['clean_leaks'])}."
    if values.get("mirrored") is not None:
        left = sum(leak["n"] for leak in values["mirrored"]["clean_leaks"])
        yield f"- Mirrored copies over two parts of `clean`: {left}."


def _skipped(values: Values) -> Iterator[str]:
    yield "## Skipped"
    yield ""
    yield f"{values['skipped']['n']:,} files (see `skipped.csv`)."
    yield from (f"- {reason}: {n:,}." for reason, n in values["skipped"]["by_reason"].items())


def _header(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|" + "---|" * len(names)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
