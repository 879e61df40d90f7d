"""FER AffectNet: the class folders and labels.csv that the paper took from Kaggle."""

from collections.abc import Iterator

from core.data.containers import Container, Skip
from core.data.name_map import NameMap
from core.data.sources.base import (
    RECOGNISED,
    SOURCES,
    Item,
    Source,
    pictures,
    share,
)
from core.data.sources.class_folders import class_folders


def _matches(container: Container) -> bool:
    return share(pictures(container), r"[^/]+/(image\d{5,}|ffhq_\d+)\.[a-z]+$") >= RECOGNISED


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    # labels.csv repeats the folders' names, so that only the folders are read.
    yield from class_folders(container, names, label_files=frozenset({"labels.csv"}))


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
    )
)
