"""Video files in: upright RGB frames with their times, and the sound beside them."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorTrc, VideoReformatter
from numpy.typing import NDArray

from core.errors import VideoError
from core.images import VIDEO_OPTIONS
from core.types import Image
from core.video.protocols import WHOLE, Span, VideoFrame, VideoInfo
from core.video.writer import ANEW, SoundPacket

LONGEST = 1920  # pixels; a larger picture costs time and tells the network nothing more

_HDR = {ColorTrc.SMPTE2084.value: "PQ", ColorTrc.ARIB_STD_B67.value: "HLG"}  # ITU-R BT.2100
_WHITE = 203.0  # cd/m2 of a white page in HDR, ITU-R BT.2408
_SHOULDER = 0.8  # of white, above which lights are compressed towards 1
_FINE = 4095  # steps of the table that compresses, over the square root of light
# Linear BT.2020 to BT.709, ITU-R BT.2087.
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
_Item = SoundPacket | av.VideoFrame

_SEEKABLE = {"mp4", "matroska"}  # whose frames keep their times wherever reading begins
_REACH = 30.0  # seconds that may have to be read before a time at which reading begins
_BAD_PACKETS = 200  # in a row, after which the rest is given up
_ROUNDING = 1e-3  # seconds by which a time read from a table may lie before its frame
ENDS_EARLY = ", but its pictures end"  # in the note of a broken-off film
_SHORT = 0.5  # seconds by which a file may end before its stated duration
_DEFAULT_RATE = 25.0  # frames a second where the file says nothing


class VideoReader:
    """Reads a file once from beginning to end; use it in a `with` block.

    `damaged` counts places of the file that were passed over.

    Args:
        path: The file.
        longest: Larger frames are shrunk to this longer side, in pixels.

    Attributes:
        start: Seconds on the file's own clock at its first frame.

    Raises:
        VideoError: The file cannot be opened or holds no picture.
    """

    def __init__(self, path: Path, *, longest: int = LONGEST) -> None:
        self._path = path
        self.notes: list[str] = []
        self.damaged = 0
        self._reformatter = VideoReformatter()
        self._container = _opened(path)
        try:
            self._video = _moving_picture(self._container, path)
            self._video.thread_type = "AUTO"
            sound = self._container.streams.best("audio")
            self.sound = sound if isinstance(sound, av.AudioStream) else None
            self._rest = self._demuxed()
            self._items, first = self._until_first_frame()
            self.start = self._time(first) or 0.0
            self.info = self._describe(first, longest)
            self._hdr = _HDR.get(first.color_trc)
            if self._hdr:
                self.notes.append(
                    f"The film is HDR ({self._hdr}); its lights were brought into the usual range."
                )
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._rest.close()
        self._container.close()

    def frames(
        self, on_sound: Callable[[SoundPacket], None] = lambda packet: None, span: Span = WHOLE
    ) -> Iterator[VideoFrame]:
        """The frames in their order; to be asked for once.

        Args:
            on_sound: Takes the audio packets as they come between the frames.
            span: The part to read; one that begins later needs what `begins_at` asks.
        """
        first = max(span.start - span.run_up, 0.0)
        step = 1 / self.info.rate
        number, time, later = 0, first - step, -self.start
        former: float | None = None
        for item in self._items if first == 0 else self._from(first):
            if isinstance(item, av.Packet):
                on_sound(item)
                continue
            stamp = self._time(item)
            shown = time + step if stamp is None else stamp + later
            if 0 < first > shown:
                continue
            if shown < time - ANEW:
                former, later, shown = later, later + time + step - shown, time + step
            elif former is not None and stamp is not None:
                if 0 < stamp + former - time <= ANEW:  # it was one wrong stamp
                    later, shown = former, stamp + former
                else:
                    self.notes.append(f"The film's clock began anew after {time:.1f} s.")
                former = None
            if span.end is not None and shown >= span.end:
                return
            # Some files repeat a time or go back; a reader of the result must not have to care.
            time = shown if shown > time else time + step / 2
            inside = shown >= span.start or span.start == 0
            if number == 0 < span.start:
                self.damaged = 0  # those before belong to the part before
            image = self._upright(item)
            yield VideoFrame(number if inside else -1, time, image, item.is_corrupt)
            number += inside
        duration = self.info.duration
        if duration is not None and first <= time < duration - _SHORT - step:
            self.notes.append(
                f"The file says it lasts {duration:.1f} s{ENDS_EARLY} after {time:.1f} s."
            )

    def begins_at(self, time: float) -> bool:
        """Whether the frames from a time on can be read without those before.

        It moves the file's position, like `frame_at`.

        Args:
            time: Seconds from the first frame.
        """
        if not set(self._container.format.name.split(",")) & _SEEKABLE:
            return False
        with closing(self._from(time)) as items:
            frame = next((item for item in items if isinstance(item, av.VideoFrame)), None)
        stamp = None if frame is None else self._time(frame)
        before = -1.0 if stamp is None else time - stamp + self.start
        return 0 <= before <= _REACH

    def sounds(self) -> Iterator[SoundPacket]:
        """The audio packets from the beginning, without the frames; in the place of `frames`."""
        self._container.seek(-av.time_base)  # sound may begin before time 0
        found = self._demuxed(self.sound) if self.sound is not None else ()
        yield from (item for item in found if isinstance(item, av.Packet))

    def _from(self, time: float) -> Generator[_Item]:
        """What follows the last frame before a time that stands alone, seconds from the first."""
        self._container.seek(max(round((time + self.start) * av.time_base), 0))
        return self._demuxed()

    def frame_at(self, time: float) -> Image:
        """The picture shown at a time, RGB uint8 (H, W, 3); the last one beyond the end.

        It moves the file's position: `frames` cannot be asked for on the same reader.

        Args:
            time: Seconds from the first frame.

        Raises:
            VideoError: There is no picture that can be read.
        """
        wanted = time + self.start + _ROUNDING
        shown = None
        with closing(self._from(time + _ROUNDING)) as items:
            for item in items:
                if isinstance(item, av.VideoFrame):
                    stamp = self._time(item)
                    if shown is not None and stamp is not None and stamp > wanted:
                        break
                    shown = item
        if shown is None:
            raise VideoError(f"{self._path.name} holds no picture at {time:.1f} s.")
        return self._upright(shown)

    def _demuxed(self, *streams: av.VideoStream | av.AudioStream | None) -> Generator[_Item]:
        """Frames and audio packets in the order of the file; of all streams where none is named."""
        wanted = streams or (self._video, self.sound)
        packets = self._container.demux(*(stream for stream in wanted if stream is not None))
        bad_in_a_row = 0
        while bad_in_a_row < _BAD_PACKETS:
            try:
                packet = next(packets)
                if packet.stream is self._video:
                    yield from self._video.decode(packet)
                elif packet.size:
                    yield cast(SoundPacket, packet)
                bad_in_a_row = 0
            except StopIteration:
                break
            except av.FFmpegError:
                self.damaged, bad_in_a_row = self.damaged + 1, bad_in_a_row + 1

    def _until_first_frame(self) -> tuple[Iterator[_Item], av.VideoFrame]:
        """All items again, and the first frame among them."""
        before: list[_Item] = []
        for item in self._rest:
            before.append(item)
            if isinstance(item, av.VideoFrame):
                return chain(before, self._rest), item
        raise VideoError(
            f"{self._path.name} holds no picture that can be read. "
            "It may be damaged or still being written; choose another file."
        )

    def _describe(self, first: av.VideoFrame, longest: int) -> VideoInfo:
        video, container = self._video, self._container
        duration = None
        if video.duration is not None and video.time_base is not None:
            duration = float(video.duration * video.time_base)
        elif container.duration is not None:
            duration = container.duration / av.time_base
        rate = float(video.average_rate or video.guessed_rate or _DEFAULT_RATE)
        frames = video.frames or (round(duration * rate) if duration else None)
        rotation, mirrored = _orientation(first)
        width, height = _size_shown(first, video, longest)
        if rotation in (90, 270):
            width, height = height, width
        sound = self.sound.codec_context.codec.canonical_name if self.sound is not None else None
        return VideoInfo(
            width, height, first.width, first.height, rate, duration, frames, rotation, mirrored,
            video.codec_context.name, sound,
        )  # fmt: skip

    def _time(self, frame: av.VideoFrame) -> float | None:
        """Seconds on the file's clock; AVI has but one stamp a frame, in the order of showing."""
        stamp = frame.dts if self._container.format.name == "avi" else frame.pts
        return float(stamp * base) if stamp is not None and (base := frame.time_base) else None

    def _upright(self, frame: av.VideoFrame) -> Image:
        width, height = self.info.width, self.info.height
        if self.info.rotation in (90, 270):
            width, height = height, width
        method = "AREA" if width < frame.width else "BILINEAR"
        form = "rgb48le" if self._hdr else "rgb24"
        image = self._reformatter.reformat(
            frame, width=width, height=height, format=form, interpolation=method
        ).to_ndarray()
        if self._hdr:
            image = _tone_mapped(np.asarray(image, np.uint16), self._hdr)
        turned = np.rot90(image, self.info.rotation // 90)
        return np.ascontiguousarray(turned[:, ::-1] if self.info.mirrored else turned, np.uint8)


def _opened(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path), options=VIDEO_OPTIONS, metadata_errors="replace")
    except FileNotFoundError:
        raise VideoError(f"There is no file {path}. Choose a video file.") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{path.name} cannot be opened as a video. Expected mp4, mov, avi, webm or mkv; a file "
            "whose transfer broke off may lack what is needed to play it."
        ) from error


def _moving_picture(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    """The main video stream; a cover picture is none, though it is stored like one."""
    best = container.streams.best("video")
    attached = av.stream.Disposition.attached_pic
    covers = [stream for stream in container.streams.video if stream.disposition & attached]
    moving = [stream for stream in container.streams.video if stream not in covers]
    if not moving:
        but = ", only sound with a cover picture" if covers else ""
        raise VideoError(f"{path.name} holds no moving picture{but}. Choose a video file.")
    return next((stream for stream in moving if stream is best), moving[0])


def _orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """Degrees to turn it anticlockwise, to the next 90, and whether to mirror it after that.

    The display matrix is as in ISO/IEC 14496-12, 8.3.2: rows (a, b, u), (c, d, v), (x, y, w), where
    the picture's own axes point to (a, b) and (c, d) on the screen.
    """
    matrix = frame.side_data.get(SideData.DISPLAYMATRIX)  # type: ignore[call-overload]
    if matrix is None:
        return 0, False
    (a, b, _), (c, d, _), _ = np.frombuffer(bytes(matrix), np.int32).reshape(3, 3).astype(float)
    mirrored = bool(a * d < b * c)
    degrees = np.degrees(np.arctan2(-b, -a if mirrored else a))
    return round(degrees / 90) * 90 % 360, mirrored


def _tone_mapped(image: NDArray[np.uint16], curve: str) -> Image:
    """An HDR picture in the usual range: as it is up to white, with lights beyond compressed.

    Args:
        image: RGB as stored, BT.2020, (H, W, 3).
        curve: "PQ" or "HLG".
    """
    to_light, to_code = _light(curve), _code()
    light = np.asarray(cv2.transform(to_light[image], _TO_BT709), np.float32)
    np.clip(light, 0, to_light[-1], out=light)
    np.sqrt(light, out=light)
    light *= _FINE / float(np.sqrt(10_000 / _WHITE))
    return np.asarray(to_code[light.astype(np.uint16)], np.uint8)


@lru_cache
def _light(curve: str) -> NDArray[np.float32]:
    """Light for each stored value of 16 bits, 1 for white; ITU-R BT.2100, tables 4 and 5.

    HLG is taken for a screen of 1000 cd/m2, each colour by itself.
    """
    code = np.arange(65536) / 65535
    if curve == "PQ":
        root = code ** (1 / 78.84375)
        nits = 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (
            1 / 0.1593017578125
        )
    else:
        scene = np.where(
            code <= 0.5, code**2 / 3, (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12
        )
        nits = 1000 * scene**1.2
    return (nits / _WHITE).astype(np.float32)


@lru_cache
def _code() -> NDArray[np.uint8]:
    """The 8-bit value for each step of light: gamma 2.2 with a shoulder that ends at 1."""
    light = 10_000 / _WHITE * (np.arange(_FINE + 1) / _FINE) ** 2
    room = 1 - _SHOULDER
    over = np.maximum(light - _SHOULDER, 0) / room
    light = np.minimum(light, _SHOULDER) + room * over / (1 + over)
    return np.rint(255 * light ** (1 / 2.2)).astype(np.uint8)


def _size_shown(frame: av.VideoFrame, video: av.VideoStream, longest: int) -> tuple[int, int]:
    """Width and height with square pixels, shrunk to the limit, even, before turning."""
    aspect = float(video.sample_aspect_ratio or 1) or 1.0
    width, height = frame.width * aspect, float(frame.height)
    scale = min(longest / max(width, height), 1.0)
    return max(round(width * scale / 2) * 2, 2), max(round(height * scale / 2) * 2, 2)
