"""Generated pictures, zips and folders in the layouts of the real data sets."""

import zipfile
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from core.data.listing import Listed

Picture = NDArray[np.uint8]


def blobs(seed: int, side: int = 64) -> Picture:
    """A smooth random pattern, RGB; two seeds hardly correlate."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def png(picture: Picture) -> bytes:
    buffer = BytesIO()
    PIL.Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue()


def jpeg(picture: Picture, quality: int = 60) -> bytes:
    buffer = BytesIO()
    PIL.Image.fromarray(picture).save(buffer, "jpeg", quality=quality)
    return buffer.getvalue()


def pixels_cell(picture: Picture) -> str:
    """The cell of a pixel table for the picture's first channel."""
    return " ".join(str(value) for value in picture[:, :, 0].ravel())


def items(one: Listed) -> dict[str, tuple[str, str]]:
    """Split and label of every picture that was listed, by its reference."""
    return {item.reference: (item.split, item.label) for item in one.items}


def reasons(one: Listed) -> dict[str, str]:
    """Why files were left out, by their path."""
    return {skip.path: skip.reason for skip in one.skips}


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def damage(path: Path, member: str, share: float = 0.5) -> Path:
    """Change a byte of a zip's member, so far into its packed data."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(member.encode()) + int(info.compress_size * share)] ^= 0xFF
    path.write_bytes(data)
    return path


def write_folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def video(pictures: list[Picture]) -> bytes:
    """An AVI, one frame a picture, nearly lossless."""
    buffer = BytesIO()
    with av.open(buffer, "w", format="avi") as container:
        stream = container.add_stream("mjpeg", rate=20)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuvj444p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def raf_db(seeds: dict[tuple[str, str], list[int]]) -> dict[str, bytes]:
    """RAF-DB in numbered folders: {(split, number): seeds of its pictures}."""
    files = {}
    for (split, number), members in seeds.items():
        for seed in members:
            files[f"DATASET/{split}/{number}/{split}_{seed:05d}_aligned.jpg"] = png(blobs(seed))
    return files


def fer2013(seeds: dict[tuple[str, str], list[int]]) -> dict[str, bytes]:
    """FER2013 in class folders: {(split, class): seeds of its pictures}."""
    files = {}
    for (split, name), members in seeds.items():
        for seed in members:
            files[f"{split}/{name}/Training_{seed}.jpg"] = png(blobs(seed))
    return files
