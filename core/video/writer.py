"""Video files out: H.264 in mp4 that every browser plays, with the original sound.

Sound is carried over as it is, and converted only where browsers could not play it.
"""

import heapq
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from core.files import replacing
from core.images import VIDEO_OPTIONS
from core.types import Image

if TYPE_CHECKING:
    SoundPacket = av.Packet[av.AudioStream]
else:
    SoundPacket = av.Packet  # generic for type checkers only

logger = logging.getLogger(__name__)

ANEW = 0.5  # seconds by which a clock that begins anew goes back, as in films put end to end
_CLOCK = Fraction(1, 90_000)  # seconds a tick: exact for all usual frame rates
_OPTIONS = {
    "preset": "ultrafast",  # the analysis needs the processor more
    # What that preset leaves out and what costs little: half its size, and no edges of blocks.
    "bf": "3",
    "x264-params": "cabac=1:b-adapt=0:deblock=0,0",
    "crf": "24",  # constant rate factor; here the same noise as with 21 of slower presets
    "g": "50",  # frames at most between two that stand alone, so that players jump quickly
}
_BT709 = 1  # colour matrix, primaries and transfer that players assume
# From red, green, blue and 1 to its luma, 16 to 235, and colour differences, 16 to 240, about 128.
_TO_YUV = np.array(
    [
        [0.18259, 0.61423, 0.06201, 16],
        [-0.10064, -0.33857, 0.43922, 128],
        [0.43922, -0.39894, -0.04027, 128],
    ],
    np.float32,
)
_KEPT = {"aac", "mp3"}  # codecs that browsers play inside mp4
_BEFORE = 0.1  # seconds that sound may begin before the picture
_SOUND_RATE = 48_000  # samples a second after conversion


class VideoWriter:
    """Encodes frames as they come; made by `writing`."""

    def __init__(
        self, container: av.container.OutputContainer, width: int, height: int, rate: float
    ) -> None:
        self._container = container
        stream = container.add_stream(
            "libx264", rate=Fraction(rate).limit_denominator(1001), options=_OPTIONS
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = _CLOCK
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        self._stream = stream
        self._last = -1

    def write(self, image: Image, time: float) -> None:
        """Append a frame.

        Args:
            image: RGB uint8 (H, W, 3); an odd last row or column is left out.
            time: Seconds from the beginning, later than the frame before.

        Raises:
            VideoError: The frame is larger or smaller than the video.
        """
        width, height = self._stream.width, self._stream.height
        if image.shape[0] not in (height, height + 1) or image.shape[1] not in (width, width + 1):
            raise VideoError(
                f"A frame of {image.shape[1]}x{image.shape[0]} pixels does not fit into a video of "
                f"{width}x{height}."
            )
        frame = av.VideoFrame.from_numpy_buffer(planes(image[:height, :width]), "yuv420p")
        frame.pts = self._last = max(round(time / _CLOCK), self._last + 1)
        frame.time_base = _CLOCK
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds.

        Raises:
            VideoError: No frame was written, so there is no video.
        """
        if self._last < 0:
            raise VideoError("There was no frame to write, so there is no video.")
        self._container.mux(self._stream.encode())


def planes(image: Image) -> NDArray[np.uint8]:
    """A picture as encoders take it, in a third of the time that FFmpeg's converter needs.

    Args:
        image: RGB uint8 (H, W, 3), H and W even.

    Returns:
        uint8 (H * 3 / 2, W): the luma, then both colour differences of two by two pixels each.
    """
    height, width = image.shape[:2]
    every = cv2.transform(image, _TO_YUV)  # rounds, and stays within 0 to 255
    halved = cv2.resize(every, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = every[..., 0]
    planes[height:].reshape(2, height // 2, width // 2)[:] = halved[..., 1:].transpose(2, 0, 1)
    return planes


class SoundTrack:
    """The sound of a file being written.

    Args:
        container: The file being written.
        source: The stream whose packets will come.
        start: Seconds on the source's clock that are time 0 in the new file.
    """

    def __init__(
        self, container: av.container.OutputContainer, source: av.AudioStream, start: float
    ) -> None:
        self._container, self._start = container, start
        self._end = -inf  # on the source's clock
        self._former: float | None = None  # start before the clock began anew at the last packet
        self._begun = False  # an encoder that got nothing cannot be asked for its rest
        self._kept = source.codec_context.codec.canonical_name in _KEPT
        if self._kept:
            self._stream = container.add_stream_from_template(source)
        else:
            layout = "mono" if source.codec_context.channels == 1 else "stereo"
            self._stream = container.add_stream("aac", rate=_SOUND_RATE, layout=layout)

    def add(self, packet: SoundPacket) -> None:
        """Take in the next packet of the source; a damaged one is left out."""
        if packet.pts is None or packet.time_base is None:
            return
        moment = float(packet.pts * packet.time_base)
        if moment < self._end - ANEW:  # the clock began anew
            self._former, self._start = self._start, self._start + moment - self._end
            self._end = moment
        elif self._former is not None:
            if abs(moment - self._former - self._end + self._start) <= ANEW:  # one wrong stamp
                self._start, self._end = self._former, moment
            self._former = None
        self._end = max(self._end, moment + float((packet.duration or 0) * packet.time_base))
        shift = round(self._start / packet.time_base)
        if (packet.pts - shift) * packet.time_base < -_BEFORE:
            return
        try:
            if self._kept:
                self._copy(packet, shift)
            else:
                self._convert(packet, shift)
        except (av.FFmpegError, ValueError) as error:
            logger.info("A piece of sound was left out: %s", error)

    def finish(self) -> None:
        """Write what the encoder still holds; sound that fits nowhere is left out."""
        if not self._begun:
            return
        try:
            self._container.mux(self._stream.encode(None))
        except (av.FFmpegError, ValueError) as error:
            logger.info("The last piece of sound was left out: %s", error)

    def _copy(self, packet: SoundPacket, shift: int) -> None:
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = self._stream
        self._container.mux(packet)

    def _convert(self, packet: SoundPacket, shift: int) -> None:
        for frame in packet.decode():
            if isinstance(frame, av.AudioFrame):
                frame.pts = None if frame.pts is None else frame.pts - shift
                self._container.mux(self._stream.encode(frame))
                self._begun = True


@contextmanager
def open_writer(
    path: Path,
    width: int,
    height: int,
    rate: float,
    *,
    sound: av.AudioStream | None = None,
    sound_start: float = 0.0,
) -> Iterator[tuple[VideoWriter, SoundTrack | None]]:
    """Give a writer, and a track for the sound; the file takes its place when the block ends well.

    Args:
        path: The mp4 file.
        width: Of the frames; an odd last column is left out.
        height: Of the frames; an odd last row is left out.
        rate: Frames a second, roughly; each frame brings its own time.
        sound: The audio stream whose packets will be given, or None.
        sound_start: Seconds on that stream's clock that are time 0 here.

    Raises:
        VideoError: The size is not possible, or no frame was written.
    """
    width, height = width // 2 * 2, height // 2 * 2
    if min(width, height) < 2:
        raise VideoError(f"A video of {width}x{height} pixels cannot be written.")
    with _mp4(path) as container:
        writer = VideoWriter(container, width, height, rate)
        track = None if sound is None else SoundTrack(container, sound, sound_start)
        yield writer, track
        writer.finish()
        if track is not None:
            track.finish()


def join_films(
    path: Path,
    pieces: Sequence[tuple[Path, float]],
    *,
    sound: av.AudioStream | None = None,
    sounds: Iterable[SoundPacket] = (),
    sound_start: float = 0.0,
    end: float | None = None,
) -> None:
    """Put films that this module wrote behind each other, without coding their frames anew.

    Args:
        path: The mp4 file.
        pieces: Each film, and the second at which it begins in the whole one; at least one.
        sound: The stream of the sound, or None.
        sounds: Its packets.
        sound_start: Seconds on that stream's clock that are time 0 here.
        end: Second behind which no more sound is taken; None for all.
    """
    with _mp4(path) as container:
        with av.open(str(pieces[0][0]), options=VIDEO_OPTIONS) as first:
            stream = container.add_stream_from_template(first.streams.video[0])
        track = None if sound is None else SoundTrack(container, sound, sound_start)
        both: list[Iterator[tuple[float, av.Packet[Any]]]] = [
            _timed_pictures(pieces),
            _timed_sounds(sounds, sound_start),
        ]
        for time, packet in heapq.merge(*both, key=lambda timed: timed[0]):
            if isinstance(packet.stream, av.VideoStream):
                packet.stream = stream
                container.mux(packet)
            elif track is not None and (end is None or time <= end):
                track.add(packet)
        if track is not None:
            track.finish()


def _timed_pictures(
    pieces: Sequence[tuple[Path, float]],
) -> Iterator[tuple[float, "av.Packet[av.VideoStream]"]]:
    """Seconds at which packets are decoded, always later than the one before, and the packets."""
    last = None
    for path, start in pieces:
        with av.open(str(path), options=VIDEO_OPTIONS) as film:
            for packet in film.demux(film.streams.video[0]):
                if packet.dts is None or packet.pts is None:  # the end of a film
                    continue
                shift = round(start / packet.time_base)
                packet.pts += shift
                packet.dts += shift
                if last is not None:
                    packet.dts = max(packet.dts, last + 1)
                last = packet.dts
                yield float(packet.dts * packet.time_base), packet


def _timed_sounds(
    packets: Iterable[SoundPacket], start: float
) -> Iterator[tuple[float, SoundPacket]]:
    for packet in packets:
        if packet.pts is not None:
            yield float(packet.pts * packet.time_base) - start, packet


@contextmanager
def _mp4(path: Path) -> Iterator[av.container.OutputContainer]:
    """A film being written, which takes its place when the block ends well."""
    options = {"movflags": "+faststart"}  # the index first, so that it plays while it loads
    with (
        replacing(path) as temporary,
        av.open(str(temporary), "w", format="mp4", options=options) as container,
    ):
        yield container
