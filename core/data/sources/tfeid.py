"""TFEID, the Taiwanese Facial Expression Image Database (Chen and Yen, 2007): class folders."""

from core.data.containers import Container
from core.data.sources.base import (
    RECOGNISED,
    SOURCES,
    Source,
    pictures,
    share,
)
from core.data.sources.class_folders import class_folders


def _matches(container: Container) -> bool:
    return share(pictures(container), r"[^/]+/[fm]\d{2}_[ds]f[hs]_[^/]+$") >= RECOGNISED


SOURCES.register("tfeid")(
    Source(
        name="tfeid",
        title="TFEID",
        licence="Research only, after registration with its authors.",
        obtain="Ask its authors (Brain Mapping Laboratory, National Yang-Ming University).",
        url="http://bml.ym.edu.tw/tfeid/",
        matches=_matches,
        items=class_folders,
        alike=True,
    )
)
