"""The drawn demo set, as `core.data.demo` writes it."""

from core.data.containers import Container
from core.data.sources.base import RECOGNISED, SOURCES, Source, pictures, share
from core.data.sources.class_folders import class_folders


def _matches(container: Container) -> bool:
    return share(pictures(container), r"(^|/)(train|test)/[a-z]+/drawing_\d+\.png$") >= RECOGNISED


SOURCES.register("demo")(
    Source(
        name="demo",
        title="Demo (drawings)",
        licence="Drawn by this program; free to use.",
        obtain="python -m core prepare demo --out data/demo",
        url="",
        matches=_matches,
        items=class_folders,
        alike=True,
    )
)
