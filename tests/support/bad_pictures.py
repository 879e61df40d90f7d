"""Files that are pictures by their form, and must be refused."""

import io
import struct
import zlib

import PIL.Image


def png_bomb(side: int = 30_000) -> bytes:
    """A few bytes that claim to hold 900 million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def animation() -> bytes:
    frames = [PIL.Image.new("L", (20, 20), shade) for shade in (0, 120, 240)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()
