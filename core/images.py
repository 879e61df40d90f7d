"""Bytes or a file to an upright RGB picture; whatever is unfit is refused in one plain sentence."""

import codecs
import struct
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from PIL import ImageOps, UnidentifiedImageError

from core.errors import ImageError
from core.types import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
MAX_PIXELS = 25_000_000  # 75 MB as RGB; a phone's usual photo has 12 million
MAX_BYTES = 256 * 1024 * 1024  # above the largest allowed picture stored raw in 16 bit RGBA

_MOVING_FORMATS = {"GIF", "WEBP", "PNG"}  # several pages in TIFF or MPO are no animation
_ADVICE = "Save it as JPEG or PNG and try again."

# How common other files begin: (offset, bytes, what it is).
_SIGNATURES = (
    (4, b"ftypheic", "a HEIC photo"),
    (4, b"ftypmif1", "a HEIF photo"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyp", "a video"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\xff\xd8\xff", "the start of a JPEG without its header"),
    (0, b"\x89PNG", "a PNG with a damaged header"),
    (0, b"RIFF", "a RIFF file that is no WEBP"),
    (0, b"GIF8", "a GIF with a damaged header"),
)

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_START_OF_SCAN = 0xDA
_BASELINE_FRAMES = {0xC0, 0xC1}
_EXIF_OR_XMP, _MULTI_PICTURE, _ADOBE = 0xE1, 0xE2, 0xEE


def decode(data: bytes | bytearray | memoryview) -> Image:
    """Upright RGB picture from the bytes of a file.

    EXIF rotation is applied, transparency is laid on white, 16-bit grey is scaled to 8 bits, and
    the size is checked before any pixel is decoded. A still GIF is read, a moving one refused.

    Returns:
        RGB uint8 (H, W, 3), at least 1 x 1; read it, do not write into it.

    Raises:
        ImageError: The bytes are no still picture of a known format and size, or are damaged.
    """
    data = bytes(data)
    if not data:
        raise ImageError(f"The file is empty (0 bytes). Expected a picture: {_known()}.")
    quick = _plain_jpeg(data)
    return _decode_any(data) if quick is None else quick


def read_image(path: str | Path) -> Image:
    """Upright RGB picture from a file; see `decode`.

    Raises:
        ImageError: The file cannot be read or holds no usable picture; the text names the file.
    """
    path = Path(path)
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise ImageError(f"{path.name} {found}. Expected a picture file.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"{path.name} is larger than {MAX_BYTES // 2**20} MB, more than a picture needs. "
            f"{_ADVICE}"
        )
    try:
        return decode(data)
    except ImageError as error:
        raise ImageError(f"{path.name}: {error}") from error


def _decode_any(data: bytes) -> Image:
    """Decode with Pillow, which knows every format in FORMATS."""
    try:
        image = PIL.Image.open(BytesIO(data), formats=FORMATS)
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large("far more pixels")) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"Found {_describe(data)}; expected a picture: {_known()}. {_ADVICE}"
        ) from error
    except Exception as error:  # parsers of damaged headers raise nearly anything
        raise ImageError(_damaged("picture", error)) from error
    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageError(_too_large(f"{width:,} x {height:,} pixels"))
        if min(width, height) < 1:
            raise ImageError(f"The picture has no pixels ({width} x {height}). {_ADVICE}")
        kind = f"{image.format} of {width} x {height} pixels"
        try:
            if image.format in _MOVING_FORMATS and getattr(image, "is_animated", False):
                raise ImageError(
                    f"Found an animated {image.format}; expected a still picture. "
                    "Save one frame as JPEG or PNG and try again."
                )
            image.load()
            return _to_rgb(_upright(image))
        except ImageError:
            raise
        except Exception as error:  # as above; a damaged body must not end a folder's run
            raise ImageError(_damaged(kind, error)) from error


def _upright(image: PIL.Image.Image) -> PIL.Image.Image:
    """Apply the EXIF rotation; a picture with unreadable EXIF stays as stored."""
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, struct.error, ValueError, TypeError, KeyError, EOFError):
        return image


def _to_rgb(image: PIL.Image.Image) -> Image:
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in {"I", "F"}:
        raise ImageError(
            "Found 32-bit or signed pixel values, whose black and white are not defined; "
            "expected 8 or 16 bits. Save the picture as 8-bit PNG and try again."
        )
    if image.mode == "LAB":
        raise ImageError(f"Found Lab colours; expected grey, RGB or CMYK. {_ADVICE}")
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = PIL.Image.alpha_composite(white, colours)
    return np.asarray(image.convert("RGB"))


def _from_16_bit(image: PIL.Image.Image) -> Image:
    """Scale the full stored range, 4095 or 65535, to 255; Pillow's own conversion clips."""
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    bits = tags.get(258, (16,))
    top = 4095 if tuple(np.atleast_1d(bits)) == (12,) else 65535
    values = np.minimum(np.asarray(image).astype(np.uint32), top)
    grey = ((values * 255 + top // 2) // top).astype(np.uint8)
    if tags.get(262) == 0:  # PhotometricInterpretation: white is zero
        grey = 255 - grey
    return np.repeat(grey[:, :, None], 3, axis=2)


def _plain_jpeg(data: bytes) -> Image | None:
    """Decode a complete JPEG without EXIF or special colours by OpenCV, else None.

    Data sets hold thousands of tiny files of this kind, and Pillow spends most of its time outside
    the decoder on them. Both use libjpeg-turbo with the same settings and give the same pixels.
    """
    if not data.startswith(_JPEG_START) or not data.endswith(_JPEG_END) or not _is_plain(data):
        return None
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR_RGB)
    return None if image is None else np.asarray(image, dtype=np.uint8)


def _is_plain(data: bytes) -> bool:
    """Whether the header has a baseline frame of allowed size and nothing that needs Pillow."""
    position, frame_seen = 2, False
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == _START_OF_SCAN:
            return frame_seen
        if marker in {_EXIF_OR_XMP, _MULTI_PICTURE, _ADOBE}:
            return False
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:  # a frame header
            if marker not in _BASELINE_FRAMES or position + 10 > len(data):
                return False
            bits, height, width, components = struct.unpack_from(">BHHB", data, position + 4)
            frame_seen = bits == 8 and components in {1, 3} and 0 < width * height <= MAX_PIXELS
            if not frame_seen:
                return False
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False


def _describe(data: bytes) -> str:
    """What the bytes seem to be, for an error text."""
    for offset, start, name in _SIGNATURES:
        if data[offset : offset + len(start)] == start:
            return name
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        words = " ".join(decoder.decode(data[:64]).split())
    except UnicodeDecodeError:
        words = ""
    if words and words.isprintable():
        return f"text that begins with {words[:24]!r}"
    return f"an unknown kind of file of {len(data):,} bytes"


def _known() -> str:
    return ", ".join(FORMATS[:-1]) + f" or still {FORMATS[-1]}"


def _too_large(found: str) -> str:
    return (
        f"Found {found}; expected at most {MAX_PIXELS // 1_000_000} million pixels. "
        "Make the picture smaller and try again."
    )


def _damaged(kind: str, error: Exception) -> str:
    reason = str(error).rstrip(".") or type(error).__name__
    return (
        f"Found a {kind} that is cut short or damaged ({reason}); expected a whole file. "
        "Copy or save it again."
    )
