"""Pictures of every kind come out upright and RGB; everything else is refused in one sentence."""

import struct
import time
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from encoded_pictures import coloured, encoded

from core import images
from core.errors import ImageError
from core.images import MAX_PIXELS, decode, read_image


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("form", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("PPM", {}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats_give_back_the_pixels(form: str, options: dict[str, object]) -> None:
    picture = coloured()

    result = decode(encoded(picture, form, **options))

    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, np.asarray(picture))


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(64, 64), (41, 27), (1, 1)])
def test_the_quick_jpeg_way_gives_the_pixels_of_pillow(
    mode: str, subsampling: int, size: tuple[int, int]
) -> None:
    data = encoded(coloured(*size).convert(mode), "JPEG", quality=88, subsampling=subsampling)
    expected = np.asarray(PIL.Image.open(BytesIO(data)).convert("RGB"))

    assert images._plain_jpeg(data) is not None
    np.testing.assert_array_equal(decode(data), expected)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_rotation_is_undone(orientation: int) -> None:
    # How a camera that notes this orientation stores an upright picture: the inverse turn.
    stored_by = {
        2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
        3: PIL.Image.Transpose.ROTATE_180,
        4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
        5: PIL.Image.Transpose.TRANSPOSE,
        6: PIL.Image.Transpose.ROTATE_90,
        7: PIL.Image.Transpose.TRANSVERSE,
        8: PIL.Image.Transpose.ROTATE_270,
    }
    upright = coloured()
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    data = encoded(
        upright.transpose(stored_by[orientation]), "JPEG", quality=95, subsampling=0, exif=exif
    )

    result = decode(data)

    assert result.shape == (24, 40, 3)
    difference = np.abs(result.astype(int) - np.asarray(upright).astype(int))
    assert difference.mean() < 3


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow says so and goes on
def test_unreadable_exif_leaves_the_picture_as_stored() -> None:
    data = encoded(coloured(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken")

    assert decode(data).shape == (24, 40, 3)


def test_grey_is_repeated_on_three_channels() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20

    result = decode(encoded(PIL.Image.fromarray(grey), "PNG"))

    np.testing.assert_array_equal(result, np.repeat(grey[:, :, None], 3, axis=2))


def test_transparency_is_laid_on_white() -> None:
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 200, 51]]], dtype=np.uint8)

    result = decode(encoded(PIL.Image.fromarray(pixels), "PNG"))

    # 51 / 255 = 0.2, so the last pixel is 0.8 * 255 + 0.2 * (0, 100, 200) = (204, 224, 244)
    np.testing.assert_array_equal(result, [[[10, 20, 30], [255, 255, 255], [204, 224, 244]]])


def test_a_palette_with_a_transparent_entry_is_laid_on_white() -> None:
    picture = PIL.Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putdata([0, 1])

    result = decode(encoded(picture, "PNG", transparency=1))

    np.testing.assert_array_equal(result, [[[255, 0, 0], [255, 255, 255]]])


def test_cmyk_becomes_rgb() -> None:
    # No ink is white, full black ink is black, full cyan takes the red away.
    inks = np.zeros((8, 24, 4), dtype=np.uint8)
    inks[:, 8:16] = (0, 0, 0, 255)
    inks[:, 16:] = (255, 0, 0, 0)

    result = decode(
        encoded(PIL.Image.frombytes("CMYK", (24, 8), inks.tobytes()), "JPEG", quality=100)
    )

    for column, expected in ((3, (255, 255, 255)), (12, (0, 0, 0)), (20, (0, 255, 255))):
        np.testing.assert_allclose(result[4, column].astype(int), expected, atol=6)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(form: str) -> None:
    values = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)

    result = decode(encoded(PIL.Image.fromarray(values), form))

    # 32768 / 65535 * 255 = 127.502, hence 128
    np.testing.assert_array_equal(result[0, :, 1], [0, 1, 128, 255])
    assert result.shape == (1, 4, 3)


def test_floating_point_pixels_are_refused() -> None:
    picture = PIL.Image.fromarray(np.ones((2, 2), dtype=np.float32))

    with pytest.raises(ImageError, match="expected 8 or 16 bits"):
        decode(encoded(picture, "TIFF"))


def test_a_single_pixel_decodes() -> None:
    result = decode(encoded(PIL.Image.new("RGB", (1, 1), (7, 8, 9)), "PNG"))

    np.testing.assert_array_equal(result, [[[7, 8, 9]]])


def test_a_still_gif_is_read() -> None:
    result = decode(encoded(PIL.Image.new("RGB", (5, 3), (255, 0, 0)), "GIF"))

    np.testing.assert_array_equal(result, np.full((3, 5, 3), (255, 0, 0)))


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_a_moving_picture_is_refused(form: str) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 120, 240)]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100)

    with pytest.raises(ImageError, match=f"animated {form}; expected a still picture"):
        decode(data)


def test_the_first_page_of_a_tiff_is_read() -> None:
    first, second = coloured(), PIL.Image.new("RGB", (9, 9))

    result = decode(encoded(first, "TIFF", save_all=True, append_images=[second]))

    np.testing.assert_array_equal(result, np.asarray(first))


@pytest.mark.parametrize("side", [7142, 12_000, 30_000])
def test_a_bomb_is_refused_before_its_pixels_are_decoded(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_image: PIL.Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)

    with pytest.raises(ImageError, match="expected at most 51 million pixels"):
        decode(png_header(side, side))


def test_a_jpeg_bomb_is_not_decoded_by_the_quick_way() -> None:
    data = bytearray(encoded(coloured(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)

    assert images._plain_jpeg(bytes(data)) is None
    with pytest.raises(ImageError, match="51 million pixels"):
        decode(bytes(data))


def test_the_largest_allowed_size_is_no_bomb() -> None:
    side = int(MAX_PIXELS**0.5)

    shape = decode(encoded(PIL.Image.new("L", (side, side)), "PNG")).shape
    assert shape == (side // 2, side // 2, 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_phones_largest_photo_is_read_at_half_its_size(form: str) -> None:
    picture = coloured(400, 300)

    data = encoded(picture.resize((8000, 6000), PIL.Image.Resampling.BILINEAR), form)
    result = decode(data)

    expected = np.asarray(picture.resize((4000, 3000), PIL.Image.Resampling.BILINEAR))
    assert result.shape == (3000, 4000, 3)
    assert np.abs(result.astype(int) - expected.astype(int)).mean() < 2


def test_a_photo_of_the_full_size_keeps_it() -> None:
    assert decode(encoded(PIL.Image.new("L", (5000, 5000)), "JPEG")).shape == (5000, 5000, 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_truncated_file_is_refused(form: str) -> None:
    rng = np.random.default_rng(3)
    noise = PIL.Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8))
    data = encoded(noise, form)

    with pytest.raises(ImageError, match=r"cut short or damaged.*expected a whole file"):
        decode(data[: len(data) * 2 // 3])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "The file is empty"),
        (b"hello, I am none", "text that begins with 'hello, I am none'; .* Give the pictures"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC photo"),
        (b"\0\0\0\x18ftypheix\0\0\0\0", "a HEIC photo"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0", "a HEIC photo"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "a HEIF photo"),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0", "a HEIF sequence"),
        (b"\0\0\0\x1cftypavis\0\0\0\0avifmif1" + bytes(300), "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video; .* `python -m core video`"),
        (b"\xff\x0a\xfa\x1f" + bytes(300), "a JPEG XL picture; .* Save it as JPEG or PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(300), "a JPEG XL picture"),
        (b"\0\x05\x16\7\0\2\0\0Mac OS X", "twin that macOS leaves .* Leave it out"),
        (b"P5 came late and smiled in no picture", "text that begins with 'P5 came"),
        (b"\x01\x02\xfe\xff", "an unknown kind of file of 4 bytes"),
        (b"\xff\xd8\xff", "start of a JPEG"),
        (b"PK\x05\x06" + bytes(18), "Found a zip that is empty; .* nothing in it; copy it again"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "an SVG drawing; .* Save it as JPEG or PNG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made -->\n<svg a='1'>", "SVG .* Save it as JPE"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript drawing; .* Save it as JPEG or PNG"),
        (b"\xc5\xd0\xd3\xc6" + bytes(26), "a PostScript drawing; .* Save it as JPEG or PNG"),
        (b"\n<!DOCTYPE html>\n<svg>", "a web page; .* Open it in a browser and save the pictu"),
        (b'<?xml version="1.0"?><HTML lang="en">', "a web page; .* save the picture itself"),
        (b"<annotation><file>1.jpg</file>", "text that begins with '<annotation>.* Give the pict"),
        (b"PK\x03\x04" + bytes(300), "zip archive; .* Unpack it and give its folder"),
        (b"Rar!\x1a\x07" + bytes(300), "RAR archive; .* Unpack it and give its folder"),
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "Office document; .* Save its pic"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(300), "a video; .* `python -m core video`"),
    ],
)
def test_other_files_are_refused_by_what_they_are_with_advice_of_use(
    data: bytes, found: str
) -> None:
    with pytest.raises(ImageError, match=found):
        decode(data)


def test_no_damage_leads_to_any_other_error() -> None:
    rng = np.random.default_rng(5)
    forms = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
    outcomes = {"read": 0, "refused": 0}

    for form in forms:
        whole = encoded(coloured(), form)
        for _ in range(60):
            data = bytearray(whole)
            for position in rng.integers(0, len(data), 6):
                data[position] = rng.integers(0, 256)
            try:
                decode(bytes(data))
                outcomes["read"] += 1
            except ImageError:
                outcomes["refused"] += 1

    assert sum(outcomes.values()) == 60 * len(forms)
    assert min(outcomes.values()) > 20


def test_a_file_error_names_the_file(tmp_path: Path) -> None:
    wrong = tmp_path / "notes.jpg"
    wrong.write_text("no picture")

    with pytest.raises(ImageError, match=r"^notes\.jpg: Found text"):
        read_image(wrong)
    with pytest.raises(ImageError, match=r"absent\.png does not exist"):
        read_image(tmp_path / "absent.png")
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "gone.jpg")
    with pytest.raises(ImageError, match=r"lost\.jpg is a link to a file that is gone"):
        read_image(tmp_path / "lost.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)


def test_a_file_reads_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(coloured(), "PNG"))

    np.testing.assert_array_equal(read_image(str(path)), np.asarray(coloured()))


def test_a_file_of_impossible_length_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    path = tmp_path / "long.bmp"
    path.write_bytes(b"BM" + b"\0" * 20)

    with pytest.raises(ImageError, match="more than a picture needs"):
        read_image(path)


def test_tiny_jpegs_decode_faster_than_by_pillow() -> None:
    data = encoded(coloured(64, 64), "JPEG")

    def seconds(run: object) -> float:
        assert callable(run)
        start = time.perf_counter()
        for _ in range(100):
            run()
        return time.perf_counter() - start

    ours = min(seconds(lambda: decode(data)) for _ in range(7))
    pillow = min(
        seconds(lambda: np.asarray(PIL.Image.open(BytesIO(data)).convert("RGB"))) for _ in range(7)
    )

    assert ours < pillow
