"""Folders that nobody would think of: every file is in the set, or counted with a reason."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from made_pictures import blobs, png

from core.data import NameMap, prepare
from core.data.listing import Listed, list_sources
from core.errors import CoreError
from core.files import readable

WORDS = (
    "happy", "Sad", "angry", "FEAR", "hapiness", "suprise", "neutral", "contempt", "natural",
    "train", "train_set", "val", "Test_Set", "eval", "dev", "archive", "images", "person_1",
    "0", "1", "02", "6", "7", "class_3", "2021", "happy_train", "a.b", "#1", "x!y", "list.csv",
    "caf\udce9", "line\nbreak\r", '"quoted", so', " ", "-", "=", "\u202eback",
)  # fmt: skip
FILES = ("1.png", "2.PNG", "cut.jpg", "notes.txt", "inner.zip", "a!b#1.png", "._1.png", "Thumbs.db")

# The same examples every time; a failing one is shown as found, because smaller ones take minutes.
QUICK = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)


def fits(name: str) -> bool:
    """Whether a disk takes a file of this name."""
    try:
        return name not in {".", ".."} and len(os.fsencode(name)) < 200
    except UnicodeEncodeError:
        return False


def picture(name: str) -> str:
    return f"{name}.png"


# Names in other scripts, with line breaks, quotes and bytes that are no UTF-8.
ANY = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=9
).filter(fits)
FOLDERS = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS), ANY), max_size=4)
LAYOUTS = st.lists(
    st.tuples(
        FOLDERS.map(tuple),
        st.one_of(st.sampled_from(FILES), st.one_of(st.sampled_from(WORDS), ANY).map(picture)),
        st.sampled_from(["picture"] * 8 + ["nothing", "link", "link to a folder", "lost", "pipe"]),
    ),
    min_size=1,
    max_size=12,
)
MAPS = st.one_of(
    st.just(NameMap()),
    st.builds(
        NameMap.parse,
        st.sampled_from([["1=anger"], ["images=skip"], ["contempt=fear", "7=neutral"]]),
        st.sampled_from([[], ["archive=train"], ["val=skip"]]),
    ),
)


def build(root: Path, layout: Sequence[tuple[tuple[str, ...], str, str]]) -> None:
    """Files, links and worse below a folder; what does not fit beside what is there is left."""
    store = root.parent / "store"
    (store / "deep").mkdir(parents=True)
    (store / "deep" / "3.png").write_bytes(png(blobs(99, 16)))
    root.mkdir()
    for number, (folders, name, kind) in enumerate(layout):
        path = root.joinpath(*folders, name)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "pipe":
                os.mkfifo(path)
            elif kind == "link to a folder":
                path.symlink_to((store, root, root / "train")[number % 3])
            elif kind in {"link", "lost"}:
                path.symlink_to(store / ("deep/3.png" if kind == "link" else "gone.png"))
            else:
                path.write_bytes(png(blobs(number, 16)) if kind == "picture" else b"x")


def files_below(root: Path) -> set[str]:
    """Paths of all that is no folder, links not followed, without files that systems leave."""
    found = set()
    for folder, folders, names in os.walk(root):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        inside = Path(folder).relative_to(root)
        found |= {readable(inside / name) for name in (*names, *links)}
    return {
        name
        for name in found
        if not name.rpartition("/")[2].startswith("._") and not name.endswith("Thumbs.db")
    }


def named(listed: Listed) -> set[str]:
    """What is in the set or left out, by its name and those of the folders it is in."""
    paths = [item.reference for item in listed.items] + [skip.path for skip in listed.skips]
    parts = [path.split("/") for path in paths]
    return {"/".join(part[:end]) for part in parts for end in range(1, len(part) + 1)}


@settings(QUICK, max_examples=60)
@given(LAYOUTS, MAPS)
def test_every_file_is_in_the_set_or_left_out_with_a_reason(
    layout: list[tuple[tuple[str, ...], str, str]], names: NameMap
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "own"
        build(root, layout)
        try:
            (listed,) = list_sources([root], "six", names=names)
        except CoreError:
            return  # refused as a whole, in a sentence
        lost = files_below(root) - named(listed)

    assert not lost
    counted = sum(row.count for row in listed.understood.rows)
    assert counted == len(listed.items) + len(listed.skips)
    assert all(skip.reason for skip in listed.skips)


@settings(QUICK, max_examples=6)
@given(LAYOUTS)
def test_any_folder_is_prepared_or_refused_in_a_sentence(
    layout: list[tuple[tuple[str, ...], str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder) / "own", Path(folder) / "out"
        build(root, [*layout, (("happy",), "sure.png", "picture")])
        try:
            (listed,) = list_sources([root], "six")
            dataset = prepare([root], out)
        except CoreError:
            return  # refused as a whole, in a sentence
        found = {*dataset.manifest["path"], *pd.read_csv(out / "skipped.csv")["path"]}

    entries = {item.reference for item in listed.items} | {skip.path for skip in listed.skips}
    assert len(found) == len(entries)
