"""Pictures that show the same photograph: equal pixels, or nearly equal grey squares.

Near duplicates are copies saved again, resized or changed in brightness. Candidates are pairs
whose 16 x 16 thumbnails, freed of mean and scale, correlate; a candidate is confirmed by the
correlation of the whole 64 x 64 squares and of their middles, where faces of one person before one
background differ. Both are matrix products in blocks: tens of thousands of pictures take seconds.
Of many copies of one picture, such as frames of a film, no more pairs are looked at than tell the
group. Mirrored copies are a matter of `core.data.mirrored`; strongly re-cropped ones are not found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.types import Image

THUMBNAIL = 16  # side in pixels
MIDDLE = slice(12, 52)  # rows and columns that hold the face's inner parts
# Chosen by looking at pairs of RAF-DB, FER2013 and AffectNet on both sides of each threshold.
CANDIDATE = 0.95  # correlation of thumbnails
NEAR = 0.97  # correlation of the whole squares
NEAR_MIDDLE = 0.93  # correlation of the middles
# CK+ shows a person's expressions before one wall; at this value none of them pass for copies.
NEAR_MIDDLE_ALIKE = 0.985
BLOCK = 4096  # rows at a time; a block of the matrix product is 64 MB of float32
SLAB = 256  # rows of a block whose candidates are listed at a time; at most a million of them
LISTED = 50  # pictures of a group up to which all its pairs are listed; real ones have up to 39
FLAT = 1e-3  # a constant picture has no shape to compare

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Duplicate pairs, first < second.

    Attributes:
        first: int64 (P,) row numbers.
        second: int64 (P,) row numbers.
        exact: bool (P,) whether the original pixels are equal.
        correlation: float32 (P,) of the 64 x 64 squares, 1 for exact pairs.
    """

    first: Rows
    second: Rows
    exact: NDArray[np.bool_]
    correlation: Vectors

    def __len__(self) -> int:
        return len(self.first)


def find_pairs(images: Image, hashes: list[str], alike: NDArray[np.bool_]) -> Pairs:
    """All duplicate pairs.

    Args:
        images: uint8 (N, 64, 64), may be memory-mapped.
        hashes: Pixel hash of every original.
        alike: bool (N,), pictures of sources whose pictures resemble each other anyway; a pair of
            two such pictures must agree more closely.

    Returns:
        Near pairs of the distinct pictures, and exact pairs that chain equal pictures one to the
        next (not all pairs of a group: a picture found a hundred times gives 99 pairs). Of groups
        of more than LISTED distinct pictures not all near pairs, but enough to tell the group.
    """
    groups: dict[str, list[int]] = {}
    for row, value in enumerate(hashes):
        groups.setdefault(value, []).append(row)
    chains = [pair for rows in groups.values() for pair in pairwise(rows)]
    exact = np.array(chains, dtype=np.int64).reshape(-1, 2)
    distinct = np.array([rows[0] for rows in groups.values()], dtype=np.int64)
    near, agreement = _near_pairs(images, distinct, alike)
    both = np.concatenate([exact, near])
    return Pairs(
        both[:, 0],
        both[:, 1],
        np.arange(len(both)) < len(exact),
        np.concatenate([np.ones(len(exact), dtype=np.float32), agreement]),
    )


def group_rows(pairs: Pairs, count: int) -> Rows:
    """Smallest row number of the duplicate group of every row, -1 for rows without duplicates."""
    smallest = smallest_linked(pairs.first, pairs.second, count)
    sizes = np.bincount(smallest, minlength=count)
    return np.where(sizes[smallest] > 1, smallest, -1)


def smallest_linked(first: Rows, second: Rows, count: int) -> Rows:
    """Smallest of the rows linked with every row, by way of others as well.

    Args:
        first: int64 (P,), 0 to `count` - 1.
        second: int64 (P,), what each of `first` is linked with.
        count: N.

    Returns:
        int64 (N,); its own number for a row that is linked with none.
    """
    ones = np.ones(len(first), dtype=np.int8)
    graph = coo_matrix((ones, (first, second)), shape=(count, count))
    number, component = connected_components(graph, directed=False)
    smallest = np.full(number, count, dtype=np.int64)
    np.minimum.at(smallest, component, np.arange(count))
    return np.asarray(smallest[component], dtype=np.int64)


def correlations(images: Image, pairs: Rows) -> tuple[Vectors, Vectors]:
    """How far pairs of pictures agree.

    Args:
        images: uint8 (N, 64, 64), may be memory-mapped.
        pairs: int64 (P, 2) row numbers.

    Returns:
        float32 (P,) correlation of the whole squares, and of their middles; -1 to 1, 0 where one
        of the two is constant.
    """
    whole, middle = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    for part in _parts(pairs):
        rows, place = np.unique(part, return_inverse=True)  # a picture may be in many pairs
        pictures, place = images[rows], place.reshape(-1, 2)
        whole.append(_products(pictures, place))
        middle.append(_products(pictures[:, MIDDLE, MIDDLE], place))
    return np.concatenate(whole), np.concatenate(middle)


class _Groups:
    """Pictures that confirmed pairs have joined so far."""

    def __init__(self, count: int) -> None:
        self._name = np.arange(count)
        self._size = np.ones(count, dtype=np.int64)
        self._rows: dict[int, list[int]] = {}  # of groups of more than one

    def unsettled(self, pairs: Rows) -> Rows:
        """Pairs but those within one group of more than LISTED, which they would not change."""
        first, second = self._name[pairs].T
        left: Rows = pairs[(first != second) | (self._size[first] <= LISTED)]
        return left

    def join(self, pairs: Rows) -> None:
        for pair in pairs.tolist():
            gone, kept = sorted(self._name[pair].tolist(), key=lambda name: int(self._size[name]))
            if kept != gone:
                moved = self._rows.pop(gone, [gone])
                self._rows.setdefault(kept, [kept]).extend(moved)
                self._name[moved] = kept
                self._size[kept] += len(moved)


def _near_pairs(images: Image, rows: Rows, alike: NDArray[np.bool_]) -> tuple[Rows, Vectors]:
    groups = _Groups(len(images))
    near, agreement = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.float32)]
    for candidates in _candidates(images, rows):
        for part in _parts(candidates):
            pairs = groups.unsettled(part)
            if not len(pairs):
                continue
            whole, middle = correlations(images, pairs)
            both_alike = alike[pairs].all(axis=1)
            needed = np.where(both_alike, NEAR_MIDDLE_ALIKE, NEAR_MIDDLE)
            confirmed = (whole > NEAR) & (middle > needed)
            groups.join(pairs[confirmed])
            near.append(pairs[confirmed])
            agreement.append(whole[confirmed])
    return np.concatenate(near), np.concatenate(agreement)


def _candidates(images: Image, rows: Rows) -> Iterator[Rows]:
    """Pairs of `rows` with like thumbnails, int64 (P, 2), first < second, some at a time."""
    vectors = thumbnail_vectors(images, rows)
    for top in range(0, len(rows), BLOCK):
        for left in range(top, len(rows), BLOCK):
            product = vectors[top : top + BLOCK] @ vectors[left : left + BLOCK].T
            for start in range(0, len(product), SLAB):
                high = np.argwhere(product[start : start + SLAB] > CANDIDATE)
                high += (top + start, left)
                yield rows[high[high[:, 0] < high[:, 1]]]


def thumbnail_vectors(images: Image, rows: Rows) -> Vectors:
    """Thumbnails of these rows as vectors of mean 0 and length 1, float32 (R, 256).

    Args:
        images: uint8 (N, 64, 64), may be memory-mapped.
        rows: int64 (R,).
    """
    blocks = [_unit_vectors(_thumbnails(images[part])) for part in _parts(rows)]
    return np.concatenate([np.zeros((0, THUMBNAIL**2), np.float32), *blocks])


def _thumbnails(images: Image) -> Vectors:
    """Block averages, float32 (N, 16, 16)."""
    step = images.shape[1] // THUMBNAIL
    tiles = images.reshape(len(images), THUMBNAIL, step, THUMBNAIL, step)
    return np.asarray(tiles.mean(axis=(2, 4), dtype=np.float32))


def _unit_vectors(images: NDArray[np.uint8] | Vectors) -> Vectors:
    """Rows of mean 0 and length 1, so that a product is a correlation; zero where constant."""
    vectors = images.reshape(len(images), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > FLAT)
    return result


def _products(pictures: Image, pairs: Rows) -> Vectors:
    vectors = _unit_vectors(pictures)
    return np.asarray(np.einsum("ij,ij->i", vectors[pairs[:, 0]], vectors[pairs[:, 1]]))


def _parts(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]
