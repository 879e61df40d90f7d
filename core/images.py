"""Bytes to an upright RGB picture, or one plain sentence why not; and pictures to PNG."""

import codecs
import re
import struct
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from PIL import ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from core.errors import ImageError
from core.types import Image

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "PPM", "GIF")
SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff",
    ".pgm", ".ppm", ".pbm", ".pnm", ".gif",
)  # fmt: skip
# Of FFmpeg: a playlist posing as a video could make it open other files or addresses.
VIDEO_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,avi,matroska,webm,mpeg,mpegts,mpegvideo,asf,ogg,flv,mjpeg,m4v,"
    "mxf,dv",
}
FULL_PIXELS = 25_000_000  # 75 MB as RGB; what has more is halved, once or more
MAX_PIXELS = 51_000_000  # a phone's largest usual photos have 48 or 50 million
MAX_JPEG_PIXELS = 89_000_000  # decoded at half the size; from here on Pillow sees a bomb
MAX_BYTES = 256 * 1024 * 1024  # above the largest allowed picture stored raw in 16 bit RGBA

_MOVING_FORMATS = {"GIF", "WEBP", "PNG", "AVIF"}  # several pages in TIFF or MPO are no animation
_ADVICE = "Save it as JPEG or PNG and try again."
_UNPACK = "Unpack it and give its folder, or give a zip to the page Folder scores."
_ADVICES = {  # for what is no picture, by the words that end what it is
    "video": "Give it to `python -m core video` or to the page Video.",
    "archive": _UNPACK,
    "zip": "There is nothing in it; copy it again.",
    "page": "Open it in a browser and save the picture itself as JPEG or PNG.",
    "text": "Give the pictures that it names, or copy it again if it should be one.",
    "document": "Save its pictures as JPEG or PNG and give these.",
    "twin": "Leave it out; the file without ._ before its name is the picture.",
}
_WHITES = (255, 1023, 4095, 16_383, 65_535)  # of 8, 10, 12, 14 and 16 bits

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")

# How common other files begin: (offset, bytes, what it is).
_SIGNATURES = (
    *((4, b"ftyp" + brand, "a HEIC photo") for brand in _HEIC_BRANDS),
    (4, b"ftypmif1", "a HEIF photo"),
    (4, b"ftypmif2", "a HEIF photo"),
    (4, b"ftypmsf1", "a HEIF sequence"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftypavis", "a moving AVIF picture"),
    (4, b"ftypcrx ", "a CR3 raw photo"),
    (4, b"ftyp", "a video"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\x00\x05\x16\x07", "the hidden twin that macOS leaves beside a file"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (0, b"%PDF", "a PDF document"),
    (30, b"[Content_Types].xml", "an Office document"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "a zip that is empty"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"%!PS", "a PostScript drawing"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript drawing"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\xff\xd8\xff", "the start of a JPEG without its header"),
    (0, b"\x89PNG", "a PNG with a damaged header"),
    (8, b"AVI ", "a video"),
    (0, b"RIFF", "a RIFF file that is no WEBP"),
    (0, b"GIF8", "a GIF with a damaged header"),
)

_MARKUP = re.compile(rb"<(?:!doctype\s+)?(svg|html)\b", re.IGNORECASE)
_MARKUP_BYTES = 2048  # within which its first tag stands, behind comments

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_START_OF_SCAN = 0xDA
_BASELINE_FRAMES = {0xC0, 0xC1}
_EXIF_OR_XMP, _MULTI_PICTURE, _ADOBE = 0xE1, 0xE2, 0xEE


def decode(data: bytes | bytearray | memoryview) -> Image:
    """Upright RGB picture from the bytes of a file.

    EXIF rotation is applied, transparency is laid on white, grey of 9 to 16 bits is scaled to 8,
    and the size is checked before any pixel is decoded. More than `FULL_PIXELS` are halved in both
    directions until they are fewer. A still GIF is read, a moving one refused.

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
        if path.is_symlink() and not path.exists():
            found = "is a link to a file that is gone"
        raise ImageError(f"{path.name} {found}. Expected a picture file.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"{path.name} is larger than {MAX_BYTES // 2**20} MB, more than a picture needs. "
            f"{_advice(_describe(data))}"
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
        raise ImageError(_too_large("far more pixels", MAX_PIXELS)) from error
    except UnidentifiedImageError as error:
        raise ImageError(_no_picture(_describe(data))) from error
    except Exception as error:  # parsers of damaged headers raise nearly anything
        kind = _describe(data)
        if kind.startswith("text"):  # "P5" may begin a picture, or a sentence
            raise ImageError(_no_picture(kind)) from error
        known = kind.startswith("an AVIF")
        raise ImageError(_damaged(kind if known else "a picture", error)) from error
    with image:
        return _load(image)


def _load(image: ImageFile) -> Image:
    """Decode the pixels of an opened picture whose size and form allow it."""
    width, height = image.size
    jpeg = isinstance(image, JpegImageFile)
    limit = MAX_JPEG_PIXELS if jpeg else MAX_PIXELS
    if width * height > limit:
        raise ImageError(_too_large(f"{width:,} x {height:,} pixels", limit))
    if min(width, height) < 1:
        raise ImageError(f"The picture has no pixels ({width} x {height}). {_ADVICE}")
    kind = f"a {image.format} of {width} x {height} pixels"
    try:
        if image.format in _MOVING_FORMATS and getattr(image, "is_animated", False):
            raise ImageError(
                f"Found an animated {image.format}; expected a still picture. "
                "Save one frame as JPEG or PNG and try again."
            )
        if jpeg and width * height > FULL_PIXELS:
            image.draft(image.mode, (width // 2, height // 2))
        deep = any(mark in str(tile[3]) for tile in image.tile for mark in (";16", "65535"))
        image.load()
        if image.mode == "I" and image.format == "PPM":
            return _fewer(_from_16_bit(image))
        return _fewer(_to_rgb(_upright(image), deep))
    except ImageError:
        raise
    except Exception as error:  # a damaged body must not end a folder's run
        raise ImageError(_damaged(kind, error)) from error


def _upright(image: PIL.Image.Image) -> PIL.Image.Image:
    """Apply the EXIF rotation; a picture with unreadable EXIF stays as stored."""
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, struct.error, ValueError, TypeError, KeyError, EOFError):
        return image


def _fewer(image: Image) -> Image:
    """Halve a picture until it has at most `FULL_PIXELS`."""
    height, width = image.shape[:2]
    if height * width <= FULL_PIXELS or min(height, width) < 2:
        return image
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return _fewer(np.asarray(half, dtype=np.uint8))


def _to_rgb(image: PIL.Image.Image, deep: bool) -> Image:
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in {"I", "F"}:
        raise ImageError(
            "Found 32-bit or signed pixel values, whose black and white are not defined; "
            "expected 8 or 16 bits. Save the picture as 8-bit PNG and try again."
        )
    if image.mode == "LAB":
        raise ImageError(f"Found Lab colours; expected grey, RGB or CMYK. {_ADVICE}")
    if deep and np.asarray(image.convert("RGB")).max() <= 255 // 4:
        raise ImageError(
            "Found colours of 16 bits of which the picture uses a quarter or less, as one of 8 to "
            "14 bits does; expected the full range. Save the picture as 8-bit PNG and try again."
        )
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = PIL.Image.alpha_composite(white, colours)
    return np.asarray(image.convert("RGB"))


def _from_16_bit(image: PIL.Image.Image) -> Image:
    """Scale the range of the camera's bits to 255; Pillow's own conversion clips.

    Few formats say how many of the 16 bits are used, so that white is the least of `_WHITES` that
    no pixel exceeds.
    """
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    values = np.asarray(image).astype(np.uint32)
    bits = tuple(np.atleast_1d(tags.get(258, (16,))))
    top = 4095 if bits == (12,) else next(white for white in _WHITES if values.max() <= white)
    values = np.minimum(values, top)
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
            frame_seen = bits == 8 and components in {1, 3} and 0 < width * height <= FULL_PIXELS
            if not frame_seen:
                return False
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False


def _describe(data: bytes) -> str:
    """What the bytes seem to be, for an error text."""
    for offset, start, name in _SIGNATURES:
        if data[offset : offset + len(start)] == start:
            return name
    head = data[:_MARKUP_BYTES].removeprefix(codecs.BOM_UTF8).lstrip()
    markup = _MARKUP.search(head) if head.startswith(b"<") else None
    if markup:
        return "an SVG drawing" if markup[1].lower() == b"svg" else "a web page"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        words = " ".join(decoder.decode(data[:64]).split())
    except UnicodeDecodeError:
        words = ""
    if words and words.isprintable():
        return f"text that begins with {words[:24]!r}"
    return f"an unknown kind of file of {len(data):,} bytes"


def _no_picture(kind: str) -> str:
    return f"Found {kind}; expected a picture: {_known()}. {_advice(kind)}"


def _advice(kind: str) -> str:
    """What to do with a file of a kind that `_describe` names."""
    words = kind.partition(" that ")[0].split()
    return next((_ADVICES[word] for word in reversed(words) if word in _ADVICES), _ADVICE)


def _known() -> str:
    return ", ".join(FORMATS[:-1]) + f" or still {FORMATS[-1]}"


def _too_large(found: str, limit: int) -> str:
    return (
        f"Found {found}; expected at most {limit // 1_000_000} million pixels. "
        "Make the picture smaller and try again."
    )


def _damaged(kind: str, error: Exception) -> str:
    reason = str(error).rstrip(".") or type(error).__name__
    return (
        f"Found {kind} that is cut short or damaged ({reason}); expected a whole file. "
        "Copy or save it again."
    )


def png_bytes(image: Image) -> bytes:
    """RGB uint8 (H, W, 3) as the bytes of a PNG file."""
    stream = BytesIO()
    PIL.Image.fromarray(image).save(stream, format="PNG")
    return stream.getvalue()


def quick_png(image: Image) -> bytes:
    """A grey, RGB or RGBA picture as a PNG file packed for speed, for the way to the browser.

    Raises:
        ImageError: It cannot be packed.
    """
    ordered = image
    if image.ndim == 3:
        order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
        ordered = np.asarray(cv2.cvtColor(image, order), np.uint8)
    done, data = cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ImageError(f"A picture of shape {image.shape} cannot be packed as PNG.")
    return bytes(data)
