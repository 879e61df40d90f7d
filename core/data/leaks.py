"""Pictures of one split that have a copy in another, and groups whose labels contradict."""

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from core.data.dataset import Dataset
from core.data.duplicates import correlations
from core.data.mirrored import (
    find_mirrored,
    linked_groups,
    mirrored_correlations,
    own_groups,
    twin_pairs,
)
from core.data.sources import SOURCES

# A later part is the one that is spoilt by a copy in an earlier one.
ORDER = ("train", "test", "valid")
LEAK_COLUMNS = [
    "id_a",
    "id_b",
    "split_a",
    "split_b",
    "source_a",
    "source_b",
    "exact",
    "same_label",
    "correlation",
]
# Two near copies further apart than this in their statistics differ in tone as well.
BRIGHTNESS_STEP = 10.0  # grey values between the means
CONTRAST_RATIO = 1.15  # of the larger standard deviation to the smaller


def leak_pairs(dataset: Dataset, split: str = "published") -> pd.DataFrame:
    """Every picture that has a copy in another part, with its best copy there.

    The best copy is an exact one before a near one, one of the same label before another. A near
    copy may be linked through a third picture: then the two may differ more than others.

    Args:
        dataset: Prepared data.
        split: "published" or "clean".

    Returns:
        LEAK_COLUMNS; a picture b appears once for each other part with a copy, so that rows are
        pictures. `correlation` is that of the 64 x 64 squares.
    """
    table = dataset.manifest[["id", "source", "label", "pixel_hash", "group"]].copy()
    table["split"] = dataset.split(split)["part"]
    table = table[table["group"] >= 0]
    found = [pd.DataFrame(columns=LEAK_COLUMNS)]
    for first, second in combinations(ORDER, 2):
        left, right = (table[table["split"] == name] for name in (first, second))
        both = left.merge(right, on="group", suffixes=("_a", "_b"))
        both["exact"] = both["pixel_hash_a"] == both["pixel_hash_b"]
        both["same_label"] = both["label_a"] == both["label_b"]
        order = ["exact", "same_label", "id_a"]
        both = both.sort_values(order, ascending=[False, False, True], kind="stable")
        best = both.drop_duplicates("id_b").sort_values("id_b")
        whole, _ = correlations(dataset.images, best[["id_a", "id_b"]].to_numpy(np.int64))
        best = best.assign(correlation=np.round(whole.astype(np.float64), 5))
        if len(best):
            found.append(best[LEAK_COLUMNS])
    return pd.concat(found[1:] or found, ignore_index=True)


def mirrored_leaks(
    dataset: Dataset, split: str = "published", mirrored: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Every picture that has a mirrored copy in another part, with one of them.

    Args:
        dataset: Prepared data.
        split: "published" or "clean".
        mirrored: Mirrored pairs; None for those found when the data were prepared.

    Returns:
        As `leak_pairs`; `exact` is false, and `correlation` that of the inner parts. Empty where
        nobody has looked for mirrored copies.
    """
    manifest = dataset.manifest
    mirrored = dataset.mirrored if mirrored is None else mirrored
    part = dataset.split(split)["part"]
    found = [pd.DataFrame(columns=LEAK_COLUMNS)]
    for first, second in combinations(ORDER, 2):
        pairs = twin_pairs(manifest, mirrored, part, first, second)
        if pairs.empty:
            continue
        agreement = mirrored_correlations(dataset.images, pairs.to_numpy(np.int64))
        left, right = (manifest.iloc[pairs[name]].reset_index() for name in ("id_a", "id_b"))
        rows = pairs.assign(
            split_a=first,
            split_b=second,
            source_a=left["source"],
            source_b=right["source"],
            exact=False,
            same_label=left["label"] == right["label"],
            correlation=agreement.round(5),
        )
        found.append(rows[LEAK_COLUMNS])
    return pd.concat(found[1:] or found, ignore_index=True)


def mirrored_pairs(dataset: Dataset) -> pd.DataFrame:
    """The mirrored pairs found when the data were prepared; else they are looked for now."""
    if dataset.mirrored is not None:
        return dataset.mirrored
    alike = dataset.manifest["source"].map({name: one.alike for name, one in SOURCES.items()})
    hashes = dataset.manifest["pixel_hash"].tolist()
    return find_mirrored(dataset.images, hashes, alike.to_numpy(dtype=bool))


def copies_by_kind(dataset: Dataset, mirrored: pd.DataFrame | None) -> list[dict[str, Any]]:
    """How many pairs of copies there are of each kind, and how many pictures are in them.

    Args:
        dataset: Prepared data.
        mirrored: Mirrored pairs; None leaves their kind out.

    Returns:
        [{kind, pairs, pictures}]; kinds are exact, near, toned (near, and brightness or contrast
        were changed) and mirrored. Of equal pictures all count.
    """
    pairs = dataset.pairs
    look = dataset.statistics.set_index("id")[["brightness", "contrast"]]
    first, second = (look.loc[pairs[name]].to_numpy() for name in ("first", "second"))
    contrasts = np.sort(np.column_stack([first[:, 1], second[:, 1]]), axis=1)
    toned = (np.abs(first[:, 0] - second[:, 0]) > BRIGHTNESS_STEP) | (
        contrasts[:, 1] > CONTRAST_RATIO * contrasts[:, 0]
    )
    exact = pairs["exact"].to_numpy() == 1
    kinds = {"exact": pairs[exact], "near": pairs[~exact & ~toned], "toned": pairs[~exact & toned]}
    kinds |= {} if mirrored is None else {"mirrored": mirrored}
    pixels = dataset.manifest["pixel_hash"]
    return [
        {
            "kind": kind,
            "pairs": len(rows),
            "pictures": int(
                pixels.isin(set(pixels[rows["first"]]) | set(pixels[rows["second"]])).sum()
            ),
        }
        for kind, rows in kinds.items()
    ]


def mirrored_pictures(dataset: Dataset, mirrored: pd.DataFrame) -> dict[str, int]:
    """Pictures that have a mirrored copy anywhere, by source."""
    manifest = dataset.manifest
    photograph, own = linked_groups(manifest, mirrored), own_groups(manifest)
    linked = photograph.isin(photograph[photograph != own])
    counts = manifest.loc[linked, "source"].value_counts()
    return {str(source): int(number) for source, number in counts.items()}


def count_leaks(leaks: pd.DataFrame) -> list[dict[str, Any]]:
    """Numbers of pictures b, as [{split_a, split_b, source_a, source_b, exact, same_label, n}]."""
    columns = ["split_a", "split_b", "source_a", "source_b", "exact", "same_label"]
    counts = leaks.groupby(columns, sort=False).size().reset_index(name="n")
    rows = counts.sort_values("n", ascending=False, kind="stable").to_dict("records")
    return [
        {
            str(k): v if isinstance(v, str) else v.item() if hasattr(v, "item") else v
            for k, v in row.items()
        }
        for row in rows
    ]


def conflicts(manifest: pd.DataFrame, *, exact: bool) -> pd.DataFrame:
    """Duplicate groups in the published train whose pictures carry different labels.

    Args:
        manifest: Of a prepared set.
        exact: Only groups of equal pixels; else near copies count as well.

    Returns:
        A row a picture: id, key (of the group), label, source.
    """
    train = manifest[manifest["split"] == "train"]
    grouped = train[train["group"] >= 0]
    key = grouped["pixel_hash"] if exact else grouped["group"]
    contradicting = grouped["label"].groupby(key).transform("nunique") > 1
    rows = grouped.loc[contradicting, ["id", "label", "source"]]
    return rows.assign(key=key[contradicting])[["id", "key", "label", "source"]]


def label_clashes(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """How often which labels meet in one group, as [{labels: [...], n}], most frequent first."""
    clashes = Counter(tuple(sorted(set(names))) for _, names in rows.groupby("key")["label"])
    return [{"labels": list(labels), "n": n} for labels, n in clashes.most_common()]
