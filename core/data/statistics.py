"""Brightness, contrast and sharpness of every picture, and the mean face a source and class."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset, write_csv
from core.files import replacing
from core.types import Image

BLOCK = 4096  # pictures at a time, 64 MB as float32
ALL = "all"  # stands for every source

# Edges are fixed, so that histograms of different data sets can be laid over one another.
EDGES: dict[str, list[float]] = {
    "brightness": [float(edge) for edge in range(0, 257, 8)],
    "contrast": [float(edge) for edge in range(0, 129, 4)],
    "sharpness": [round(float(edge), 2) for edge in np.arange(0, 16.25, 0.5)],
}
MEANINGS = {
    "brightness": "mean grey value, 0 to 255",
    "contrast": "standard deviation of the grey values, 0 to 128",
    "sharpness": "log2(1 + variance of the Laplacian), Pech-Pacheco et al. (2000)",
}


def picture_statistics(images: Image) -> pd.DataFrame:
    """Brightness, contrast and sharpness of the grey squares, see MEANINGS.

    Args:
        images: uint8 (N, 64, 64), may be memory-mapped.

    Returns:
        Columns id, brightness, contrast, sharpness.
    """
    columns: dict[str, list[float]] = {name: [] for name in EDGES}
    for block in _blocks(images):
        flat = block.reshape(len(block), -1).astype(np.float32)
        columns["brightness"] += flat.mean(axis=1).tolist()
        columns["contrast"] += flat.std(axis=1).tolist()
        variances = [cv2.Laplacian(picture, cv2.CV_32F).var() for picture in block]
        columns["sharpness"] += np.log2(1 + np.array(variances)).tolist()
    table = pd.DataFrame({"id": np.arange(len(images)), **columns})
    return table.round(3)


def histograms(statistics: pd.DataFrame, groups: pd.Series) -> dict[str, Any]:
    """Counts per bin.

    Args:
        statistics: As `picture_statistics` gives it.
        groups: Name of the group (a source, a split, ...) of every row.

    Returns:
        {statistic: {"edges": [...], "meaning": ..., "groups": {name: {"counts": [...], "mean": x,
        "deviation": x}}}}; values beyond the last edge count in the last bin.
    """
    result: dict[str, Any] = {}
    for name, edges in EDGES.items():
        described = {}
        for group, rows in statistics[name].groupby(groups, sort=False):
            values = rows.to_numpy(np.float64)
            counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=np.array(edges))
            described[str(group)] = {
                "counts": counts.tolist(),
                "mean": round(float(values.mean()), 3),
                "deviation": round(float(values.std()), 3),
            }
        result[name] = {"edges": edges, "meaning": MEANINGS[name], "groups": described}
    return result


def class_means(images: Image, manifest: pd.DataFrame) -> dict[str, tuple[Image, int]]:
    """Mean face of every source and class, and of every class over all sources.

    Args:
        images: uint8 (N, 64, 64), may be memory-mapped.
        manifest: With columns source and label.

    Returns:
        {"source/label" or "all/label": (uint8 (64, 64), number of pictures)}.
    """
    names = (manifest["source"] + "/" + manifest["label"]).to_numpy(dtype=object)
    keys, numbers = np.unique(names.astype(str), return_inverse=True)
    sums = np.zeros((len(keys), *images.shape[1:]), dtype=np.float64)
    for start, block in zip(range(0, len(images), BLOCK), _blocks(images), strict=True):
        part = numbers[start : start + BLOCK]
        for number in np.unique(part):
            sums[number] += block[part == number].sum(axis=0, dtype=np.float64)
    counts = np.bincount(numbers, minlength=len(keys))
    totals = {str(key): (total, int(n)) for key, total, n in zip(keys, sums, counts, strict=True)}
    for key, (total, count) in list(totals.items()):
        whole = f"{ALL}/{key.split('/', 1)[1]}"
        before, number = totals.get(whole, (np.zeros_like(total), 0))
        totals[whole] = (before + total, number + count)
    return {key: (_to_bytes(total / count), count) for key, (total, count) in totals.items()}


def write_statistics(dataset: Dataset) -> None:
    """Write statistics.csv and class_means.npz into the folder of a data set."""
    write_csv(dataset.folder / "statistics.csv", picture_statistics(dataset.images))
    means = class_means(dataset.images, dataset.manifest)
    with replacing(dataset.folder / "class_means.npz") as temporary, temporary.open("wb") as file:
        arrays: dict[str, Any] = {key: mean for key, (mean, _) in means.items()}
        np.savez_compressed(file, **arrays)


def read_means(path: Any) -> dict[str, Image]:  # noqa: ANN401 - a path or an open file
    """The mean faces in a file that `write_statistics` wrote, uint8 (64, 64) each."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _blocks(images: Image) -> Iterator[Image]:
    for start in range(0, len(images), BLOCK):
        yield np.asarray(images[start : start + BLOCK])


def _to_bytes(values: NDArray[np.float64]) -> Image:
    return np.rint(values).astype(np.uint8)
