"""Copies that were mirrored left to right, which a network trained with mirroring knows as well.

Mirrored copies are mostly cut out anew, a few pixels off, so that whole squares agree less than
those of other copies. Candidates are pairs whose 16 x 16 thumbnails correlate when one is mirrored,
better than as they are; else two copies of a symmetric face would be called mirrored. A candidate
is confirmed by the inner part of one square, searched for in the other, mirrored one.
"""

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.duplicates import (
    BLOCK,
    NEAR_MIDDLE_ALIKE,
    Rows,
    Vectors,
    smallest_linked,
    thumbnail_vectors,
)
from core.types import Image

COLUMNS = ["first", "second", "correlation"]
INNER = slice(10, 54)  # rows and columns of one square that are searched for
SEARCHED = slice(6, 58)  # and where in the other: up to 4 pixels off
# Chosen by looking at 70 of the 197 pairs above 0.90 in RAF-DB, FER2013 and AffectNet and at all 59
# between 0.925 and 0.965: the first that is not one photograph has 0.931.
MIRRORED = 0.94
CANDIDATE = 0.85  # correlation of a thumbnail with a mirrored one
BETTER = 0.02  # by which that exceeds the correlation as they are
FLAT = 1.0  # grey values; an inner part of less contrast has no shape to compare


def find_mirrored(images: Image, hashes: list[str], alike: NDArray[np.bool_]) -> pd.DataFrame:
    """Pairs of distinct pictures one of which shows the other mirrored.

    Args:
        images: uint8 (N, 64, 64), may be memory-mapped.
        hashes: Pixel hash of every original; of equal pictures the first stands for all.
        alike: bool (N,), as for `core.data.duplicates.find_pairs`.

    Returns:
        COLUMNS: rows `first` < `second`, and how far the inner parts agree, up to 1.
    """
    distinct = np.flatnonzero(~pd.Series(hashes, dtype=str).duplicated().to_numpy())
    candidates = distinct[_candidates(thumbnail_vectors(images, distinct))]
    agreement = mirrored_correlations(images, candidates)
    needed = np.where(alike[candidates].all(axis=1), NEAR_MIDDLE_ALIKE, MIRRORED)
    found = candidates[agreement > needed]
    columns = (found[:, 0], found[:, 1], agreement[agreement > needed].round(5))
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def mirrored_correlations(images: Image, pairs: Rows) -> NDArray[np.float64]:
    """How far the inner part of one picture agrees with the best place in the other, mirrored.

    Args:
        images: uint8 (N, 64, 64), may be memory-mapped.
        pairs: int64 (P, 2) row numbers.

    Returns:
        float64 (P,), -1 to 1; 0 where an inner part is flat.
    """
    found = np.zeros(len(pairs))
    for number, (first, second) in enumerate(pairs):
        inner = np.ascontiguousarray(images[first][INNER, INNER])
        other = images[second][:, ::-1]
        if min(inner.std(), other[INNER, INNER].std()) < FLAT:
            continue
        place = np.ascontiguousarray(other[SEARCHED, SEARCHED])
        found[number] = cv2.matchTemplate(place, inner, cv2.TM_CCOEFF_NORMED).max()
    return found


def linked_groups(manifest: pd.DataFrame, mirrored: pd.DataFrame | None) -> pd.Series:
    """Smallest own group of the photograph behind every picture, mirrored copies included.

    Args:
        manifest: One row a picture, `id` equal to the row number.
        mirrored: As `find_mirrored` gives it; None where nobody has looked.
    """
    key = own_groups(manifest)
    if mirrored is None or mirrored.empty:
        return key
    first, second = (key.to_numpy()[mirrored[name]] for name in ("first", "second"))
    smallest = smallest_linked(first, second, len(manifest))
    return pd.Series(smallest[key], index=manifest.index)


def own_groups(manifest: pd.DataFrame) -> pd.Series:
    """Number of the duplicate group of every picture, its id where it has none."""
    return manifest["group"].where(manifest["group"] >= 0, manifest["id"])


def twin_pairs(
    manifest: pd.DataFrame, mirrored: pd.DataFrame | None, part: pd.Series, first: str, second: str
) -> pd.DataFrame:
    """Pictures of part `second` with a mirrored copy in part `first`, with the best one there.

    Args:
        manifest: As for `linked_groups`.
        mirrored: As for `linked_groups`.
        part: Of every picture.
        first: Name of the part that holds the copies.
        second: Name of the part whose pictures are looked at.

    Returns:
        Columns id_a (the copy), id_b; one row a picture b, in their order. A copy of the same label
        comes before others.
    """
    table = manifest[["id", "label"]].assign(
        photograph=linked_groups(manifest, mirrored), own=own_groups(manifest), part=part
    )
    shared = table["photograph"].isin(table.loc[table["photograph"] != table["own"], "photograph"])
    table = table[shared] if mirrored is not None else table[:0]
    left, right = (table[table["part"] == name] for name in (first, second))
    both = left.merge(right, on="photograph", suffixes=("_a", "_b"))
    both = both[both["own_a"] != both["own_b"]]
    order = both.assign(other=both["label_a"] != both["label_b"]).sort_values(
        ["id_b", "other", "id_a"], kind="stable"
    )
    return order.drop_duplicates("id_b")[["id_a", "id_b"]].reset_index(drop=True)


def _candidates(vectors: Vectors) -> Rows:
    """Positions of pairs whose thumbnails agree mirrored, int64 (P, 2), first < second.

    A thumbnail is the sum of a symmetric and an antisymmetric one; mirroring turns the sign of the
    second, so that the two halves of a product give both correlations.
    """
    side = round(vectors.shape[1] ** 0.5)
    squares = vectors.reshape(-1, side, side)
    left, right = squares[:, :, : side // 2], squares[:, :, : side // 2 - 1 : -1]
    even, odd = (
        (half / np.sqrt(2)).reshape(len(vectors), side * side // 2)
        for half in (left + right, left - right)
    )
    plain, turned = np.hstack([even, odd]), np.hstack([even, -odd])
    found = [np.zeros((0, 2), dtype=np.int64)]
    for top in range(0, len(vectors), BLOCK):
        for start in range(top, len(vectors), BLOCK):
            product = plain[top : top + BLOCK] @ turned[start : start + BLOCK].T
            high = np.argwhere(product > CANDIDATE) + np.array([top, start])
            high = high[high[:, 0] < high[:, 1]]
            # As they are, less mirrored: twice the antisymmetric halves' product.
            lead = -2 * np.einsum("ij,ij->i", odd[high[:, 0]], odd[high[:, 1]])
            found.append(high[lead > BETTER])
    return np.concatenate(found)
