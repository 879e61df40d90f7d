"""PNG: small, for files, or quick, for the way to the browser."""

from io import BytesIO

import cv2
import PIL.Image

from core.errors import ImageError
from core.types import Image


def png_bytes(image: Image) -> bytes:
    """RGB uint8 (H, W, 3) as the bytes of a PNG file."""
    stream = BytesIO()
    PIL.Image.fromarray(image).save(stream, format="PNG")
    return stream.getvalue()


def quick_png(image: Image) -> bytes:
    """An RGB or RGBA picture as a PNG file packed for speed, for the way to the browser.

    Raises:
        ImageError: It cannot be packed.
    """
    order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    done, data = cv2.imencode(".png", cv2.cvtColor(image, order), fast)
    if not done:
        raise ImageError(f"A picture of shape {image.shape} cannot be packed as PNG.")
    return bytes(data)
