"""Small video files for tests, made with av from drawn pictures and from a public-domain photo."""

import struct
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
from skimage.data import data_dir

from core.images import read_image
from core.types import Image
from core.video.writer import SoundPacket

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 30), (30, 30, 200), (255, 255, 255)

CODECS = {
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "pcm_s16le"),
    ".avi": ("mpeg4", "libmp3lame"),
    ".webm": ("libvpx", "libopus"),
    ".mkv": ("libx264", "pcm_s16le"),
    ".mts": ("libx264", "ac3"),
    ".3gp": ("libx264", "aac"),
    ".mpg": ("mpeg2video", "mp2"),
}


def quarters(width: int = 160, height: int = 120) -> Image:
    """Red, green / blue, white: shows at once how a picture is turned."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = BLUE, WHITE
    return image


def write_clip(
    path: Path,
    images: Iterable[Image],
    *,
    rate: int = 25,
    times: Callable[[int], float] | None = None,
    sound: bool = False,
    rotation: int | None = None,
    faststart: bool = False,
    threads: int = 0,
) -> Path:
    """Write a clip in the codecs usual for its suffix.

    Args:
        images: Frames, all of one size.
        times: Second of each frame number; constant rate without.
        sound: Whether a tone of 440 Hz lasts as long as the picture.
        rotation: Degrees for the player to turn it, anticlockwise.
        faststart: Whether the index comes first.
        threads: Of the encoder, which writes otherwise with one; 0 for as many as it likes.
    """
    video_codec, audio_codec = CODECS[path.suffix]
    options = {"movflags": "+faststart"} if faststart else {}
    form = "mpegts" if path.suffix == ".mts" else None
    with av.open(str(path), "w", form, options=options) as container:
        stream = container.add_stream(video_codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        stream.thread_count = threads
        stream.bit_rate = 2_000_000
        stream.codec_context.time_base = Fraction(1, 1000 if times else rate)
        tone = container.add_stream(audio_codec, rate=48000, layout="mono") if sound else None
        number = 0
        for number, image in enumerate(images):
            if number == 0:
                stream.height, stream.width = image.shape[:2]
                if rotation is not None:
                    stream.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            frame.pts = round(1000 * times(number)) if times else number
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if isinstance(tone, av.AudioStream):
            for packet in tone_packets(tone, (number + 1) / rate):
                container.mux(packet)
    return path


def set_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Put a display matrix into an mp4's first track: the axes then point to (a, b) and (c, d)."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 44
    values = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    content[start : start + 36] = struct.pack(">9i", *values)
    path.write_bytes(content)


def tone_packets(stream: av.AudioStream, seconds: float) -> Iterator[SoundPacket]:
    """A mono tone of 440 Hz."""
    samples = round(48000 * seconds)
    for start in range(0, samples, 960):
        moment = np.arange(start, start + 960) / 48000
        wave = (8000 * np.sin(2 * np.pi * 440 * moment)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield from stream.encode(frame)
    yield from stream.encode(None)


@lru_cache(maxsize=1)
def photo() -> Image:
    """A smiling astronaut, head and shoulders (NASA, public domain)."""
    whole = read_image(Path(data_dir) / "astronaut.png")
    return np.ascontiguousarray(whole[0:260, 90:370], np.uint8)


def face_frame(
    width: int = 640,
    height: int = 480,
    *,
    centre: tuple[float, float] = (320, 240),
    scale: float = 1.2,
    angle: float = 0.0,
    background: int = 110,
) -> Image:
    """The photo on a plain background, its face about `centre`."""
    canvas = np.full((height, width, 3), background, np.uint8)
    return paste_face(canvas, centre=centre, scale=scale, angle=angle)


def paste_face(
    canvas: Image, *, centre: tuple[float, float], scale: float = 1.2, angle: float = 0.0
) -> Image:
    """A copy of the canvas with the photo on it."""
    height, width = canvas.shape[:2]
    matrix = cv2.getRotationMatrix2D((134, 115), angle, scale)
    matrix[:, 2] += np.array(centre) - np.array([134, 115])
    pasted = cv2.warpAffine(
        photo(), matrix, (width, height), dst=canvas.copy(), borderMode=cv2.BORDER_TRANSPARENT
    )
    return np.asarray(pasted, np.uint8)


def noise() -> list[Image]:
    """Frames of which no two have anything in common, so that every byte of a clip counts."""
    dice = np.random.default_rng(0)
    return [dice.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(100)]


def damage(path: Path) -> None:
    """Overwrite 400 bytes in each of 40 places of a file."""
    content = bytearray(path.read_bytes())
    for place in np.random.default_rng(4).integers(20_000, len(content) - 20_000, 40):
        content[place : place + 400] = bytes(400)
    path.write_bytes(bytes(content))


def walking_face(frames: int, width: int = 640, height: int = 480) -> Iterator[Image]:
    """A face that wanders about, comes nearer and tilts its head."""
    for number in range(frames):
        turn = number / 25
        yield face_frame(
            width,
            height,
            centre=(width / 2 + 0.16 * width * np.sin(turn), height / 2 + 20 * np.sin(2 * turn)),
            scale=height / 480 * (1.2 + 0.2 * np.sin(0.7 * turn)),
            angle=8 * np.sin(1.3 * turn),
        )


def corners(image: Image) -> list[tuple[int, ...]]:
    """Colours of the four quarters, row by row."""
    height, width = image.shape[:2]
    places = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [tuple(int(value) for value in image[place]) for place in places]


def assert_corners(image: Image, expected: list[tuple[int, int, int]]) -> None:
    np.testing.assert_allclose(corners(image), expected, atol=14)
