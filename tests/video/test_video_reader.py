from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from clips import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    assert_corners,
    damage,
    noise,
    quarters,
    set_matrix,
    tone_packets,
    write_clip,
)
from numpy.typing import NDArray

from core.errors import VideoError
from core.video.batch import is_video
from core.video.protocols import WHOLE, Span
from core.video.reader import VideoReader


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".avi", ".webm", ".mkv", ".mts", ".3gp"])
def test_every_usual_container_is_read(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", [quarters()] * 30, sound=True)

    with VideoReader(path) as reader:
        frames = list(reader.frames())

    assert is_video(path)
    assert [frame.number for frame in frames] == list(range(30))
    assert_corners(frames[7].image, [RED, GREEN, BLUE, WHITE])
    # The avi writer fills the wait for sound with an empty frame.
    tolerance = 0.041 if suffix == ".avi" else 0.002
    times = [frame.time for frame in frames]
    np.testing.assert_allclose(times, np.arange(30) / 25, atol=tolerance)
    assert (reader.info.width, reader.info.height) == (160, 120)
    assert reader.info.rate == pytest.approx(25, rel=0.05)
    assert reader.info.sound is not None
    assert reader.notes == []


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        (90, [GREEN, WHITE, RED, BLUE]),
        (180, [WHITE, BLUE, GREEN, RED]),
        (-90, [BLUE, RED, WHITE, GREEN]),
    ],
)
def test_turned_recordings_stand_upright(
    tmp_path: Path, rotation: int, expected: list[tuple[int, int, int]]
) -> None:
    path = write_clip(tmp_path / "clip.mp4", [quarters()] * 3, rotation=rotation)

    with VideoReader(path) as reader:
        frame = next(reader.frames())

    assert_corners(frame.image, expected)
    size = (160, 120) if rotation == 180 else (120, 160)
    assert (reader.info.width, reader.info.height) == size == frame.image.shape[1::-1]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((-1, 0, 0, 1), [GREEN, RED, WHITE, BLUE]),
        ((1, 0, 0, -1), [BLUE, WHITE, RED, GREEN]),
        ((0, 1, 1, 0), [RED, BLUE, GREEN, WHITE]),
        ((0, -1, -1, 0), [WHITE, GREEN, BLUE, RED]),
        ((0, 1, -1, 0), [BLUE, RED, WHITE, GREEN]),
        ((0, 0, 0, 0), [RED, GREEN, BLUE, WHITE]),
    ],
)
def test_mirrored_recordings_are_shown_as_a_player_shows_them(
    tmp_path: Path, matrix: tuple[int, ...], expected: list[tuple[int, int, int]]
) -> None:
    path = write_clip(tmp_path / "clip.mp4", [quarters()] * 3, rotation=90)
    set_matrix(path, *matrix)

    with VideoReader(path) as reader:
        frame = next(reader.frames())

    assert_corners(frame.image, expected)
    assert (reader.info.width, reader.info.height) == frame.image.shape[1::-1]


def hdr_clip(path: Path, nits: NDArray[np.float64], transfer: int) -> Path:
    """Three frames of this light, in cd/m2 in BT.709 colours, as an HDR camera stores them."""
    bt2020 = nits @ np.linalg.inv([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083],
                                   [-0.0182, -0.1006, 1.1187]]).T  # fmt: skip
    if transfer == 16:
        root = (bt2020 / 10_000) ** 0.1593017578125
        code = ((0.8359375 + 18.8515625 * root) / (1 + 18.6875 * root)) ** 78.84375
    else:
        scene = (bt2020 / 1000) ** (1 / 1.2)
        logs = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        code = np.where(scene <= 1 / 12, np.sqrt(3 * scene), logs)
    stored = np.rint(65535 * np.clip(code, 0, 1)).astype(np.uint16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": "log-level=0"})
        stream.height, stream.width = stored.shape[:2]
        stream.pix_fmt = "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, transfer, 9
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(stored, "rgb48le")
            container.mux(
                stream.encode(
                    frame.reformat(format="yuv420p10le", dst_colorspace=Colorspace.BT2020)
                )
            )
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_an_hdr_film_looks_like_the_same_in_plain_colours(
    tmp_path: Path, transfer: int, name: str
) -> None:
    plain = quarters()
    plain[60:, 80:] = 150
    nits = 203 * (plain / 255.0) ** 2.2

    with VideoReader(hdr_clip(tmp_path / "hdr.mp4", nits, transfer)) as reader:
        frame = next(reader.frames())

    assert_corners(frame.image, [RED, GREEN, BLUE, (150, 150, 150)])
    assert [name in note and "HDR" in note for note in reader.notes] == [True]


def test_the_lights_of_an_hdr_film_stay_apart(tmp_path: Path) -> None:
    nits = np.repeat([50.0, 100, 203, 400], 40)[None, :, None] * np.ones((120, 1, 3))

    with VideoReader(hdr_clip(tmp_path / "hdr.mp4", nits, 16)) as reader:
        steps = next(reader.frames()).image[60, 20::40].mean(axis=1)

    assert (np.diff(steps) > 5).all()
    assert steps[-1] < 255


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.08, 0.5, 0.52, 1.7]
    path = write_clip(tmp_path / "clip.mp4", [quarters()] * 6, times=lambda number: times[number])

    with VideoReader(path) as reader:
        read = [frame.time for frame in reader.frames()]

    np.testing.assert_allclose(read, times, atol=0.002)


def test_large_frames_are_shrunk(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", [quarters(3840, 2160)] * 2)

    with VideoReader(path, longest=960) as reader:
        frame = next(reader.frames())

    assert frame.image.shape == (540, 960, 3)
    assert (reader.info.source_width, reader.info.source_height) == (3840, 2160)
    assert_corners(frame.image, [RED, GREEN, BLUE, WHITE])


def _damaged(path: Path, span: Span = WHOLE) -> tuple[int, int]:
    """Places passed over, and frames with filled ones."""
    with VideoReader(path) as reader:
        filled = sum(frame.filled and frame.number >= 0 for frame in reader.frames(span=span))
        return reader.damaged, filled


def test_a_file_cut_off_is_read_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", noise(), faststart=True)
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    with VideoReader(path) as reader:
        count = sum(1 for _ in reader.frames())

    assert 20 < count < 80
    assert reader.notes


def test_damaged_bytes_are_passed_over(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", noise())
    damage(path)

    with VideoReader(path) as reader:
        times = [frame.time for frame in reader.frames()]

    assert len(times) > 20
    assert all(np.diff(times) > 0)


@pytest.mark.parametrize("threads", [1, 3])
def test_frames_in_which_the_decoder_filled_in_are_counted(tmp_path: Path, threads: int) -> None:
    """With one thread x264 writes so that damage raises no error here."""
    path = write_clip(tmp_path / "clip.mp4", noise(), threads=threads)
    assert _damaged(path) == (0, 0)
    damage(path)

    passed_over, filled = _damaged(path)
    assert filled > 10
    assert (passed_over == 0) == (threads == 1)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_each_damaged_place_counts_in_one_part_alone(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", noise(), threads=3)
    damage(path)
    parts = [Span(0, 1), Span(1, 2, 0.4), Span(2, 3, 0.4), Span(3, None, 0.4)]
    whole, *parted = [_damaged(path, span)[0] for span in (WHOLE, *parts)]
    assert whole == sum(parted) > 1


@pytest.mark.parametrize(
    "content", [b"", b"this is no video", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"]
)
def test_what_is_no_video_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)

    with pytest.raises(VideoError, match=r"clip\.mp4 cannot be opened as a video"):
        VideoReader(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"no file .*gone\.mp4"):
        VideoReader(tmp_path / "gone.mp4")


def test_an_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", [quarters()] * 50)  # index at the end
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    with pytest.raises(VideoError, match="broke off"):
        VideoReader(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "tone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        for packet in tone_packets(stream, 1.0):
            container.mux(packet)

    with pytest.raises(VideoError, match="no moving picture"):
        VideoReader(path)


def write_cover(path: Path, images: int) -> Path:
    """A tone with a cover picture, and so many moving pictures after it."""
    with av.open(str(path), "w") as container:
        tone = container.add_stream("aac", rate=48000, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 320, 240, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        film = container.add_stream("libx264", rate=25) if images else None
        if film is not None:
            film.width, film.height, film.pix_fmt = 160, 120, "yuv420p"
        container.mux(cover.encode(av.VideoFrame.from_ndarray(quarters(320, 240)[::-1], "rgb24")))
        container.mux(cover.encode())
        if film is not None:
            for _ in range(images):
                container.mux(film.encode(av.VideoFrame.from_ndarray(quarters(), "rgb24")))
            container.mux(film.encode())
        for packet in tone_packets(tone, 0.5):
            container.mux(packet)
    return path


def test_sound_with_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = write_cover(tmp_path / "song.mp4", 0)

    with pytest.raises(VideoError, match=r"song\.mp4 holds no moving picture, only sound"):
        VideoReader(path)


def test_a_cover_picture_beside_a_film_is_not_taken_for_it(tmp_path: Path) -> None:
    path = write_cover(tmp_path / "clip.mp4", 5)

    with VideoReader(path) as reader:
        frames = list(reader.frames())

    assert len(frames) == 5
    assert_corners(frames[0].image, [RED, GREEN, BLUE, WHITE])


def test_audio_packets_come_between_the_frames(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", [quarters()] * 50, sound=True)
    seconds: list[Fraction] = []

    with VideoReader(path) as reader:
        for _ in reader.frames(lambda packet: seconds.append((packet.pts or 0) * packet.time_base)):
            pass

    assert len(seconds) > 80
    assert float(max(seconds)) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi"])
def test_the_picture_of_any_moment_can_be_had(tmp_path: Path, suffix: str) -> None:
    greys = [np.full((64, 64, 3), 20 + 2 * number, np.uint8) for number in range(100)]
    path = write_clip(tmp_path / f"clip{suffix}", greys)

    seen = []
    for number in (70, 3, 99, 0, 51):
        with VideoReader(path) as reader:
            seen.append(float(reader.frame_at(number / 25).mean()))

    np.testing.assert_allclose(seen, [160, 26, 218, 20, 122], atol=1.9)


def test_between_two_frames_the_earlier_one_is_shown(tmp_path: Path) -> None:
    times = [0.0, 0.04, 1.0]
    greys = [np.full((64, 64, 3), grey, np.uint8) for grey in (40, 120, 200)]
    path = write_clip(tmp_path / "clip.mp4", greys, times=lambda number: times[number])

    seen = []
    for moment in (0.02, 0.04, 0.9, 1.0, 60.0):
        with VideoReader(path) as reader:
            seen.append(float(reader.frame_at(moment).mean()))

    np.testing.assert_allclose(seen, [40, 120, 120, 200, 200], atol=3)


def test_frames_whose_clock_goes_back_before_the_first_are_not_lost(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.mp4", [quarters()] * 4)
    with VideoReader(path) as reader:
        frames = list(reader.frames())
    joined = []
    for time in (0, 1, -2, -1):  # as where a second recording was put behind the first
        frame = av.VideoFrame.from_ndarray(frames[0].image, "rgb24")
        frame.pts, frame.time_base = time, Fraction(1, 25)
        joined.append(frame)

    with VideoReader(path) as reader:
        reader._items = iter(joined)
        read = list(reader.frames())

    assert [frame.number for frame in read] == [0, 1, 2, 3]
    np.testing.assert_allclose([frame.time for frame in read], [0.0, 0.04, 0.06, 0.08])
