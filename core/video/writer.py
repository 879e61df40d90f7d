"""Video files out: H.264 in mp4 that every browser plays, with the original sound."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from core.errors import VideoError
from core.files import replacing
from core.types import Image
from core.video.sound import SoundTrack

_CLOCK = Fraction(1, 90_000)  # seconds a tick: exact for all usual frame rates
_OPTIONS = {
    "crf": "21",  # constant rate factor; 18 can hardly be told from the original
    "preset": "veryfast",  # the analysis needs the processor more
    "g": "50",  # frames at most between two that stand alone, so that players jump quickly
}
_BT709 = 1  # colour matrix, primaries and transfer that players assume


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
        self._reformatter = VideoReformatter()  # one a frame would take half as long again

    def write(self, image: Image, time: float) -> None:
        """Append a frame.

        Args:
            image: RGB uint8 (H, W, 3); an odd last row or column is left out.
            time: Seconds from the beginning, later than the frame before.
        """
        width, height = self._stream.width, self._stream.height
        if image.shape[0] not in (height, height + 1) or image.shape[1] not in (width, width + 1):
            raise VideoError(
                f"A frame of {image.shape[1]}x{image.shape[0]} pixels does not fit into a video of "
                f"{width}x{height}."
            )
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), "rgb24")
        frame = self._reformatter.reformat(rgb, format="yuv420p", dst_colorspace=Colorspace.ITU709)
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
    options = {"movflags": "+faststart"}  # the index first, so that it plays while it loads
    with (
        replacing(path) as temporary,
        av.open(str(temporary), "w", format="mp4", options=options) as container,
    ):
        writer = VideoWriter(container, width, height, rate)
        track = None if sound is None else SoundTrack(container, sound, sound_start)
        yield writer, track
        writer.finish()
        if track is not None:
            track.finish()
