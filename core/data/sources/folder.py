"""Any folder of class folders, with or without train, test and valid above them."""

from pathlib import PurePosixPath

from core.data.containers import Container
from core.data.sources.base import RECOGNISED, SOURCES, Source, class_folders, pictures
from core.labels import canonical


def _matches(container: Container) -> bool:
    found = [PurePosixPath(member).parts for member in pictures(container)]
    known = sum(len(parts) > 1 and canonical(parts[-2]) is not None for parts in found)
    # Other classes beside ours, such as contempt, are normal; hence half is enough.
    return bool(found) and known / len(found) >= RECOGNISED / 2


SOURCES.register("folder")(
    Source(
        name="folder",
        title="Folder of class folders",
        licence="As the pictures in it.",
        obtain="One folder a class, named happiness, surprise, sadness, anger, disgust, fear.",
        url="",
        matches=_matches,
        items=class_folders,
    )
)
