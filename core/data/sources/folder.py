"""Any folder of class folders, with or without train, test and valid above them."""

from core.data.containers import Container
from core.data.sources.base import SOURCES, Source, pictures
from core.data.sources.class_folders import class_folders


def _matches(container: Container) -> bool:
    # The last to be tried: what its folders stand for is told, and what is open is asked.
    return bool(pictures(container))


SOURCES.register("folder")(
    Source(
        name="folder",
        title="Own pictures",
        licence="As the pictures in it.",
        obtain="One folder a class, named happiness, surprise, sadness, anger, disgust, fear.",
        url="",
        matches=_matches,
        items=class_folders,
    )
)
