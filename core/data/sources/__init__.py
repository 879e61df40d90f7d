"""The known data sets, one file each, in the order in which a layout is tried."""

from core.data.sources import (  # noqa: F401, I001 - to register them, the most particular first
    yolo,
    raf_db,
    fer_plus,
    fer2013,
    table,
    affectnet,
    ck_plus,
    tfeid,
    paper,
    disfa,
    demo,
    folder,
)
from core.data.sources.base import SOURCES, Item, Source, pictures
from core.data.sources.class_folders import UNLABELLED

__all__ = ["SOURCES", "UNLABELLED", "Item", "Source", "pictures"]
