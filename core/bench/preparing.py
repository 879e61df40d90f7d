"""Pictures a second of `prepare` against a plain script that does the same one by one."""

import hashlib
import shutil
import tempfile
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
import PIL.Image

from core.bench.timing import Comparison, compare
from core.data import prepare
from core.labels import EMOTIONS
from core.tabular import CsvWriter

PICTURES = 1200
COPIES = 60  # of them saved a second time
SIDE = 96  # pixels
CLOSE = 4  # bits by which the hashes of near duplicates may differ


def bench(folder: Path) -> Comparison:
    """Compare both over the same generated pictures in class folders.

    Args:
        folder: Unused; preparing needs no checkpoint.
    """
    del folder
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        source, target, plain = place / "pictures", place / "prepared", place / "plain"
        _write_pictures(source)

        def ours() -> None:
            shutil.rmtree(target, ignore_errors=True)
            prepare([source], target)

        def baseline() -> None:
            shutil.rmtree(plain, ignore_errors=True)
            _plain_script(source, plain)

        return compare(
            ours,
            baseline,
            amounts=(PICTURES, PICTURES),
            rounds=3,
            unit="pictures/s",
            note=f"{PICTURES} JPEG files of {SIDE}x{SIDE}; ours also checks them, splits them and "
            "writes the audit; baseline: PIL and imagehash, one file at a time, every hash "
            "compared with every other, 64x64 PNG files and a table",
        )


def _write_pictures(root: Path) -> None:
    dice = np.random.default_rng(0)
    for number in range(PICTURES - COPIES):
        coarse = PIL.Image.fromarray(dice.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        place = root / "train" / EMOTIONS[number % len(EMOTIONS)]
        place.mkdir(parents=True, exist_ok=True)
        image = coarse.resize((SIDE, SIDE), PIL.Image.Resampling.BICUBIC)
        image.save(place / f"{number:05d}.jpg", quality=90)
        if number < COPIES:
            image.save(place / f"{number:05d}-copy.jpg", quality=70)


def _plain_script(root: Path, target: Path) -> None:
    """Resize, grey, hash, look for duplicates, write: what one would write in an hour."""
    target.mkdir()
    rows, hashes = [], []
    for path in sorted(root.rglob("*.jpg")):
        with PIL.Image.open(path) as picture:
            rgb = picture.convert("RGB")
        grey = rgb.resize((64, 64), PIL.Image.Resampling.BILINEAR).convert("L")
        name = f"{path.stem}_{path.parent.name}.png"
        grey.save(target / name)
        rows.append([name, path.parent.name, hashlib.sha256(rgb.tobytes()).hexdigest()])
        hashes.append(imagehash.phash(grey))
    near = [
        (one, other)
        for one, other in combinations(range(len(rows)), 2)
        if rows[one][2] == rows[other][2] or hashes[one] - hashes[other] <= CLOSE
    ]
    for name, content in (("labels.csv", rows), ("duplicates.csv", near)):
        with (target / name).open("w", newline="") as file:
            CsvWriter(file, "\r\n").writerows(content)
