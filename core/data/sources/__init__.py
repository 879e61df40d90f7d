"""The known data sets, one file each, in the order in which a layout is tried."""

from core.data.sources import raf_db  # isort: skip
from core.data.sources import fer2013  # isort: skip
from core.data.sources import affectnet  # isort: skip
from core.data.sources import ck_plus  # isort: skip
from core.data.sources import tfeid  # isort: skip
from core.data.sources import paper  # isort: skip
from core.data.sources import disfa  # isort: skip
from core.data.sources import demo  # isort: skip
from core.data.sources import folder  # isort: skip
from core.data.sources.base import SOURCES, Item, Source

__all__ = [
    "SOURCES",
    "Item",
    "Source",
    "affectnet",
    "ck_plus",
    "demo",
    "disfa",
    "fer2013",
    "folder",
    "paper",
    "raf_db",
    "tfeid",
]
