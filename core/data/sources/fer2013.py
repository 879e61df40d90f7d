"""FER2013 (Goodfellow et al., 2013): class folders, or the original table of pixels."""

from collections.abc import Iterator

from core.data.containers import Container, Skip
from core.data.name_map import NameMap
from core.data.sources.base import RECOGNISED, SOURCES, Item, Source, Split, pictures, share
from core.data.sources.pixel_csv import (
    NUMBERS,
    is_ck_plus,
    pixel_tables,
    table_or_folder_items,
)

# The paper's test set joins the contest's public and private one.
_USAGE: dict[str, Split] = {"Training": "train", "PublicTest": "test", "PrivateTest": "test"}
_FOLDERS = (
    r"(^|/)(train|test|validation)/(angry|disgust|fear|happy|neutral|sad|surprise)/"
    r"(im\d+|(Training|PublicTest|PrivateTest)_\d+)\.[a-z]+$"
)


def _tables(container: Container) -> list[str]:
    # The contest's archive holds the same rows three times; one table with all is enough.
    tables = [member for member in pixel_tables(container) if not is_ck_plus(member)]
    named = [member for member in tables if member.rsplit("/", 1)[-1].lower() == "fer2013.csv"]
    return (named or tables)[:1]


def _matches(container: Container) -> bool:
    return bool(_tables(container)) or share(pictures(container), _FOLDERS) >= RECOGNISED


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    return table_or_folder_items(container, names, _tables(container), NUMBERS, _USAGE, NUMBERS)


SOURCES.register("fer2013")(
    Source(
        name="fer2013",
        title="FER2013",
        licence="Published for a contest on Kaggle; the rights in the pictures were not cleared.",
        obtain="Kaggle: class folders (msambare/fer2013) or the contest's fer2013.csv.",
        url="https://www.kaggle.com/datasets/msambare/fer2013",
        matches=_matches,
        items=_items,
        numbers=NUMBERS,
    )
)
