"""Times of frames where a file's own are odd: clocks that begin anew, stamps out of order."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import quarters, walking_face, write_clip

from core.video.reader import VideoReader
from core.video.writer import open_writer


@pytest.mark.parametrize("suffix", [".mts", ".mpg"])
def test_films_put_end_to_end_go_on_with_their_sound(tmp_path: Path, suffix: str) -> None:
    one = write_clip(tmp_path / f"one{suffix}", [quarters()] * 50, sound=True).read_bytes()
    path = tmp_path / f"both{suffix}"
    path.write_bytes(one * 2)  # the clock begins anew in the middle

    with (
        VideoReader(path) as reader,
        open_writer(
            tmp_path / "out.mp4", 160, 120, 25, sound=reader.sound, sound_start=reader.start
        ) as (writer, track),
    ):
        assert track is not None
        times = [frame.time for frame in reader.frames(on_sound=track.add)]
        for time in times:
            writer.write(quarters(), time)

    np.testing.assert_allclose(times, np.arange(100) / 25, atol=1e-3)
    assert any("began anew after 2.0 s" in note for note in reader.notes)
    with av.open(str(tmp_path / "out.mp4")) as container:
        lengths = [float((one.duration or 0) * (one.time_base or 0)) for one in container.streams]
    assert lengths == pytest.approx([4.0, 4.0], abs=0.1)


def test_frames_of_avi_with_pictures_between_pictures_come_at_one_rate(tmp_path: Path) -> None:
    path = tmp_path / "between.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "3"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for image in walking_face(40, 320, 240):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())

    with VideoReader(path) as reader:
        times = [frame.time for frame in reader.frames()]
    with VideoReader(path) as reader:
        third = reader.frame_at(3 / 25)
    with VideoReader(path) as reader:
        frames = [frame.image for frame in reader.frames()]

    np.testing.assert_allclose(times, np.arange(40) / 25, atol=1e-3)
    np.testing.assert_array_equal(third, frames[3])


def test_one_wrong_stamp_moves_neither_the_film_nor_its_sound(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mts", [quarters()] * 100, sound=True)
    out = tmp_path / "out.mp4"

    with (
        VideoReader(path) as reader,
        open_writer(out, 160, 120, 25, sound=reader.sound, sound_start=reader.start) as (
            writer,
            track,
        ),
    ):
        assert track is not None
        wrong = {av.VideoFrame: 60, av.Packet: 70}
        seen: Counter[type] = Counter()

        def spoilt(items: Iterator[Any]) -> Iterator[Any]:
            for item in items:
                kind = av.Packet if isinstance(item, av.Packet) else av.VideoFrame
                seen[kind] += 1
                if seen[kind] == wrong[kind]:
                    item.pts -= round(2 / item.time_base)
                yield item

        reader._items = spoilt(reader._items)
        times = []
        for frame in reader.frames(on_sound=track.add):
            times.append(frame.time)
            writer.write(frame.image, frame.time)

    np.testing.assert_allclose(times, np.arange(100) / 25, atol=0.021)
    np.testing.assert_allclose(times[61:], np.arange(61, 100) / 25, atol=1e-3)
    assert reader.notes == []
    with av.open(str(out)) as container:
        lengths = [float((one.duration or 0) * (one.time_base or 0)) for one in container.streams]
    assert lengths == pytest.approx([4.0, 4.0], abs=0.1)
