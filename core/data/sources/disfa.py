"""DISFA (Mavadati et al., 2013) and folders like it: videos, every n-th frame, unlabelled."""

from collections.abc import Iterator

import av

from core.data.containers import PICTURES, VIDEOS, Container, Skip, suffix
from core.data.name_map import NameMap
from core.data.pictures import opened_video
from core.data.sources.base import RECOGNISED, SOURCES, Item, Source
from core.files import UNREADABLE

FRAME_STEP = 100  # frames; 5 s at DISFA's 20 frames/s, 49 pictures a video


def _videos(container: Container) -> list[str]:
    return [member for member in container.members if suffix(member) in VIDEOS]


def _matches(container: Container) -> bool:
    media = [name for name in container.members if suffix(name) in PICTURES | VIDEOS]
    return bool(media) and len(_videos(container)) / len(media) >= RECOGNISED


def _items(container: Container, names: NameMap) -> Iterator[Item | Skip]:
    return _every(container, FRAME_STEP)


def _every(container: Container, step: int) -> Iterator[Item | Skip]:
    for member in container.members:
        if suffix(member) not in VIDEOS:
            yield Skip(member, "not a video")
    for member in _videos(container):
        try:
            count = _frame_count(container, member)
        except (av.FFmpegError, IndexError, *UNREADABLE) as error:
            yield Skip(member, f"cannot be read as a video: {error}")
            continue
        for number in range(0, count, step):
            yield Item(f"{member}#{number}", "unlabelled", "")


def _frame_count(container: Container, member: str) -> int:
    """Frames of the first video stream; counted by packets where the header has no number."""
    with opened_video(container, member) as video:
        stream = video.streams.video[0]
        return stream.frames or sum(packet.size > 0 for packet in video.demux(stream))


SOURCES.register("disfa")(
    Source(
        name="disfa",
        title="DISFA (videos)",
        licence="Non-commercial research only, after an agreement with its authors.",
        obtain="Ask its authors (Mohammad H. Mahoor, University of Denver).",
        url="http://mohammadmahoor.com/disfa/",
        matches=_matches,
        items=_items,
        alike=True,
        every=_every,
    )
)
