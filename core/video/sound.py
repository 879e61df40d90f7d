"""Sound carried from one file to another, converted only where browsers could not play it."""

import logging
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    SoundPacket = av.Packet[av.AudioStream]
else:
    SoundPacket = av.Packet  # generic for type checkers only

logger = logging.getLogger(__name__)

_KEPT = {"aac", "mp3"}  # codecs that browsers play inside mp4
_BEFORE = 0.1  # seconds that sound may begin before the picture
_RATE = 48_000  # samples a second after conversion


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
        self._begun = False  # an encoder that got nothing cannot be asked for its rest
        self._kept = source.codec_context.codec.canonical_name in _KEPT
        if self._kept:
            self._stream = container.add_stream_from_template(source)
        else:
            layout = "mono" if source.codec_context.channels == 1 else "stereo"
            self._stream = container.add_stream("aac", rate=_RATE, layout=layout)

    def add(self, packet: SoundPacket) -> None:
        """Take in the next packet of the source; a damaged one is left out."""
        if packet.pts is None or packet.time_base is None:
            return
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
        """Write what the encoder still holds."""
        if self._begun:
            self._container.mux(self._stream.encode(None))

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
