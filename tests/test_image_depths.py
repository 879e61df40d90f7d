"""Bit depths and formats that phones, scanners and cameras give."""

import cv2
import numpy as np
import PIL.Image
import pytest
from encoded_pictures import coloured, encoded

from core.errors import ImageError
from core.images import decode


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_fewer_bits_in_16_are_scaled_by_their_own_white(form: str, bits: int) -> None:
    white = 2**bits - 1
    values = np.array([[0, white // 2 + 1, white]], dtype=np.uint16)

    result = decode(encoded(PIL.Image.fromarray(values), form))

    np.testing.assert_allclose(result[0, :, 1], [0, 128, 255], atol=1)


def test_colours_of_12_bits_in_16_are_refused_and_full_ones_read() -> None:
    # Pillow keeps the upper 8 bits, in which a picture of 12 bits is all but black.
    colours = np.asarray(coloured())
    ok, deep = (cv2.imencode(".png", colours.astype(np.uint16) * by)[1] for by in (257, 16))

    np.testing.assert_array_equal(decode(ok.tobytes())[:, :, ::-1], colours)
    with pytest.raises(ImageError, match="16 bits of which the picture uses a quarter or less"):
        decode(deep.tobytes())


def test_portable_greymaps_of_text_and_of_bits_are_read() -> None:
    np.testing.assert_array_equal(decode(b"P2\n2 1\n15\n0 15\n")[0, :, 0], [0, 255])
    np.testing.assert_array_equal(decode(b"P1\n2 1\n0 1\n")[0, :, 0], [255, 0])


def test_an_avif_photo_is_read_and_a_moving_one_refused() -> None:
    data = encoded(coloured(), "AVIF", quality=100, subsampling="4:4:4")
    moving = encoded(
        coloured(), "AVIF", save_all=True, append_images=[PIL.Image.new("RGB", (40, 24))]
    )

    gap = np.abs(decode(data).astype(int) - np.asarray(coloured()).astype(int))
    assert gap.mean() < 3
    with pytest.raises(ImageError, match="animated AVIF; expected a still picture"):
        decode(moving)
