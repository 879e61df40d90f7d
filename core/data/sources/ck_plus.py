"""CK+ (Lucey et al., 2010): class folders, or a table of pixels."""

from collections.abc import Iterator

from core.data.containers import Container, Skip
from core.data.name_map import NameMap
from core.data.sources.base import RECOGNISED, SOURCES, Item, Source, Split, pictures, share
from core.data.sources.pixel_csv import (
    NUMBERS,
    PixelTable,
    is_ck_plus,
    pixel_tables,
    table_or_folder_items,
)

_NUMBERS = NUMBERS | {"7": "contempt"}
# CK+ has no official split; whoever made the table drew its Usage. The paper trains on all.
_USAGE: dict[str, Split] = {"": "train"}


def _tables(container: Container) -> list[PixelTable]:
    return [table for table in pixel_tables(container) if is_ck_plus(table)]


def _matches(container: Container) -> bool:
    if _tables(container):
        return True
    return share(pictures(container), r"[^/]+/S\d{3}_\d{3}_\d{8}[^/]*$") >= RECOGNISED


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    # Named by hand, a table may have any name.
    tables = _tables(container) or pixel_tables(container)
    return table_or_folder_items(container, names, tables, _NUMBERS, _USAGE)


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
