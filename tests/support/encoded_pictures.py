"""A picture without symmetry, and pictures as the bytes of a file."""

from io import BytesIO

import numpy as np
import PIL.Image


def encoded(image: PIL.Image.Image, form: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def coloured(width: int = 40, height: int = 24) -> PIL.Image.Image:
    """A smooth picture without symmetry, so that each rotation and channel order shows."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = 255 * columns / width, 255 * rows / height
    values = np.stack([red, green, 255 - red], axis=2).astype(np.uint8)
    values[: height // 3, : width // 4] = (250, 20, 30)
    return PIL.Image.fromarray(values)
