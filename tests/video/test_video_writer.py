from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from clips import BLUE, GREEN, RED, WHITE, assert_corners, quarters, write_clip

from core.errors import VideoError
from core.video.reader import VideoReader
from core.video.writer import join_films, open_writer, planes


def test_what_was_written_plays_in_browsers_and_looks_the_same(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with open_writer(path, 160, 120, 25) as (writer, _):
        for number in range(30):
            writer.write(quarters(), number / 25)

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert float(stream.average_rate or 0) == pytest.approx(25)
    with VideoReader(path) as reader:
        frames = list(reader.frames())
    assert len(frames) == 30
    assert_corners(frames[3].image, [RED, GREEN, BLUE, WHITE])
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_colours_are_those_that_ffmpeg_makes() -> None:
    smooth = np.asarray(cv2.GaussianBlur(quarters(160, 120), (0, 0), 12), np.uint8)
    frame = av.VideoFrame.from_ndarray(smooth, "rgb24")
    known = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709).to_ndarray()

    found = planes(smooth)

    assert found.shape == known.shape == (180, 160)
    np.testing.assert_allclose(found[:120].astype(int), known[:120], atol=1)
    np.testing.assert_allclose(found[120:].astype(int), known[120:], atol=3)  # sited apart
    assert np.abs(found[120:].astype(int) - known[120:]).mean() < 1


def test_times_are_kept(tmp_path: Path) -> None:
    times = [0.0, 0.033, 0.1, 0.9, 1.0, 4.0]
    with open_writer(tmp_path / "out.mp4", 160, 120, 30) as (writer, _):
        for time in times:
            writer.write(quarters(), time)

    with VideoReader(tmp_path / "out.mp4") as reader:
        read = [frame.time for frame in reader.frames()]
    np.testing.assert_allclose(read, times, atol=0.001)


def test_odd_sizes_lose_a_row_or_column(tmp_path: Path) -> None:
    with open_writer(tmp_path / "out.mp4", 161, 121, 25) as (writer, _):
        writer.write(quarters(161, 121), 0.0)

    with VideoReader(tmp_path / "out.mp4") as reader:
        assert (reader.info.width, reader.info.height) == (160, 120)


def test_a_frame_of_another_size_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    def write_both() -> None:
        with open_writer(tmp_path / "out.mp4", 160, 120, 25) as (writer, _):
            writer.write(quarters(), 0.0)
            writer.write(quarters(320, 240), 0.1)

    with pytest.raises(VideoError, match="does not fit"):
        write_both()

    assert list(tmp_path.iterdir()) == []


def test_no_frame_is_no_video(tmp_path: Path) -> None:
    with (
        pytest.raises(VideoError, match="no frame"),
        open_writer(tmp_path / "out.mp4", 160, 120, 25),
    ):
        pass

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "aac"), (".avi", "mp3"), (".webm", "aac"), (".mov", "aac")]
)
def test_the_original_sound_is_carried_over(tmp_path: Path, suffix: str, codec: str) -> None:
    source = write_clip(tmp_path / f"in{suffix}", [quarters()] * 50, sound=True)
    with VideoReader(source) as reader:
        assert reader.sound is not None
        with open_writer(
            tmp_path / "out.mp4", 160, 120, 25, sound=reader.sound, sound_start=reader.start
        ) as (writer, track):
            assert track is not None
            for frame in reader.frames(track.add):
                writer.write(frame.image, frame.time)

    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name in {codec, f"{codec}float"}
        samples = np.concatenate(
            [frame.to_ndarray()[0].astype(float) for frame in container.decode(stream)]
        )
        rate = stream.rate
    assert len(samples) / rate == pytest.approx(2.0, abs=0.1)
    middle = samples[rate // 2 : rate // 2 + rate]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2)  # a second: one hertz a bin


def test_films_behind_each_other_are_one_film_with_its_sound(tmp_path: Path) -> None:
    shades = [np.full((48, 64, 3), 5 * number, np.uint8) for number in range(50)]
    times = [number / 25 + 0.01 * (number % 3) for number in range(50)]
    source = write_clip(tmp_path / "in.mov", shades, sound=True)
    cuts = [(0, 20), (20, 21), (21, 50)]
    for name, (first, last) in enumerate(cuts):
        with open_writer(tmp_path / f"{name}.mp4", 64, 48, 25) as (writer, _):
            for number in range(first, last):
                writer.write(shades[number], times[number] - times[first])
    pieces = [(tmp_path / f"{name}.mp4", times[cut[0]]) for name, cut in enumerate(cuts)]

    for target, end in (("out", None), ("short", 0.5)):
        with VideoReader(source) as reader:
            sound, sounds = reader.sound, reader.sounds()
            join_films(tmp_path / f"{target}.mp4", pieces, sound=sound, sounds=sounds, end=end)

    with VideoReader(tmp_path / "out.mp4") as reader:
        joined = list(reader.frames())
    np.testing.assert_allclose([frame.time for frame in joined], times, atol=0.001)
    for frame, shade in zip(joined, shades, strict=True):
        assert abs(frame.image.mean() - shade.mean()) < 3
    for target, seconds in (("out", 2.0), ("short", 0.5)):
        with av.open(str(tmp_path / f"{target}.mp4")) as container:
            stream = container.streams.audio[0]
            samples = [frame.to_ndarray()[0] for frame in container.decode(stream)]
            assert len(np.concatenate(samples)) / stream.rate == pytest.approx(seconds, abs=0.1)
    content = (tmp_path / "out.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_sound_that_fits_nowhere_does_not_end_a_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "in.mkv", [quarters()] * 10, sound=True)

    def refused(*_: object) -> None:
        raise av.ArgumentError(22, "refused")

    with (
        VideoReader(clip) as reader,
        open_writer(tmp_path / "out.mp4", 160, 120, 25, sound=reader.sound) as (writer, track),
    ):
        assert track is not None
        for frame in reader.frames(on_sound=track.add):
            writer.write(frame.image, frame.time)
        monkeypatch.setattr(track, "_stream", SimpleNamespace(encode=refused))

    with VideoReader(tmp_path / "out.mp4") as reader:
        assert len(list(reader.frames())) == 10
