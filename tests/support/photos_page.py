"""What tests of the image page give it and read off it."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
from skimage.data import data_dir
from streamlit.testing.v1 import AppTest
from visits import elements

PAGE = "../pages/image_explanation.py"
PHOTO = (Path(data_dir) / "astronaut.png").read_bytes()


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    return app.file_uploader(key="files").set_value([(*file, "image/jpeg") for file in files]).run()


def headings(app: AppTest) -> list[str]:
    return [text.value for text in app.markdown if text.value.startswith("#### Face")]


def images(app: AppTest) -> int:
    return len(elements(app, "image"))


def picture(kind: str, size: tuple[int, int] = (300, 300), **options: object) -> bytes:
    """A picture without a face: a smooth ramp."""
    ramp = np.linspace(0, 255, size[0] * size[1], dtype=np.uint8).reshape(size[1], size[0])
    stream = io.BytesIO()
    PIL.Image.fromarray(ramp).convert("RGB").save(stream, kind, **options)
    return stream.getvalue()


def as_jpeg(data: bytes) -> bytes:
    stream = io.BytesIO()
    PIL.Image.open(io.BytesIO(data)).convert("RGB").save(stream, "JPEG", quality=95)
    return stream.getvalue()
