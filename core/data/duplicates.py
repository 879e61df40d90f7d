"""Pictures that show the same photograph: equal pixels, or nearly equal grey squares.

Near duplicates are copies saved again, resized or slightly changed in brightness. Candidates are
pairs whose 16 x 16 thumbnails, freed of mean and scale, correlate; a candidate is confirmed by the
correlation of the whole 64 x 64 squares. Both are matrix products in blocks, so that tens of
thousands of pictures take seconds and little memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.types import Image

THUMBNAIL = 16  # side in pixels
CANDIDATE = 0.95  # correlation of thumbnails
NEAR = 0.97  # correlation of the full squares
BLOCK = 4096  # rows of the matrix product: 64 MB of float32 a block pair
FLAT = 1e-3  # a constant picture has no shape to compare

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Duplicate pairs, first < second.

    Attributes:
        first: int64 (P,) row numbers.
        second: int64 (P,) row numbers.
        exact: bool (P,) whether the original pixels are equal.
        correlation: float32 (P,) of the 64 x 64 squares, 1 for exact pairs.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    exact: NDArray[np.bool_]
    correlation: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first)


def find_pairs(images: Image, hashes: list[str]) -> Pairs:
    """All duplicate pairs.

    Args:
        images: uint8 (N, 64, 64), may be memory-mapped.
        hashes: Pixel hash of every original.

    Returns:
        Near pairs of the distinct pictures, and exact pairs that chain equal pictures one to the
        next (not all pairs of a group: a picture found a hundred times gives 99 pairs).
    """
    groups: dict[str, list[int]] = {}
    for row, value in enumerate(hashes):
        groups.setdefault(value, []).append(row)
    chains = [pair for rows in groups.values() for pair in zip(rows, rows[1:], strict=False)]
    exact = np.array(chains, dtype=np.int64).reshape(-1, 2)
    distinct = np.array([rows[0] for rows in groups.values()], dtype=np.int64)
    near, correlation = _near_pairs(images, distinct)
    both = np.concatenate([exact, near])
    return Pairs(
        both[:, 0],
        both[:, 1],
        np.arange(len(both)) < len(exact),
        np.concatenate([np.ones(len(exact), dtype=np.float32), correlation]),
    )


def group_rows(pairs: Pairs, count: int) -> NDArray[np.int64]:
    """Smallest row number of the duplicate group of every row, -1 for rows without duplicates."""
    graph = coo_matrix(
        (np.ones(len(pairs), dtype=np.int8), (pairs.first, pairs.second)), shape=(count, count)
    )
    number, component = connected_components(graph, directed=False)
    smallest = np.full(number, count, dtype=np.int64)
    np.minimum.at(smallest, component, np.arange(count))
    sizes = np.bincount(component, minlength=number)
    return np.where(sizes[component] > 1, smallest[component], -1)


def unit_vectors(images: Image, side: int) -> Vectors:
    """Pictures as vectors of mean 0 and length 1, so that a product is a correlation.

    Args:
        images: uint8 (N, 64, 64).
        side: Shrink to this many pixels a side by averaging; a divisor of 64.

    Returns:
        float32 (N, side * side); all zero for a constant picture.
    """
    count, size, _ = images.shape
    step = size // side
    small = images.reshape(count, side, step, side, step).mean(axis=(2, 4), dtype=np.float32)
    vectors: Vectors = small.reshape(count, side * side)
    vectors -= vectors.mean(axis=1, keepdims=True)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > FLAT)


def _near_pairs(images: Image, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], Vectors]:
    thumbnails = np.concatenate(
        [unit_vectors(images[part], THUMBNAIL) for part in _parts(rows)]
        or [np.zeros((0, THUMBNAIL**2), np.float32)]
    )
    found = [np.zeros((0, 2), dtype=np.int64)]
    for top in range(0, len(rows), BLOCK):
        upper = thumbnails[top : top + BLOCK]
        for left in range(top, len(rows), BLOCK):
            high = np.argwhere(upper @ thumbnails[left : left + BLOCK].T > CANDIDATE)
            high += (top, left)
            found.append(high[high[:, 0] < high[:, 1]])
    candidates = rows[np.concatenate(found)]
    correlation = np.concatenate(
        [np.zeros(0, np.float32), *(_correlation(images, part) for part in _parts(candidates))]
    )
    confirmed = correlation > NEAR
    return candidates[confirmed], correlation[confirmed]


def _correlation(images: Image, pairs: NDArray[np.int64]) -> Vectors:
    size = images.shape[1]
    left, right = unit_vectors(images[pairs[:, 0]], size), unit_vectors(images[pairs[:, 1]], size)
    product: Vectors = np.einsum("ij,ij->i", left, right)
    return product


def _parts(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]
