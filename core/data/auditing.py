"""The audit of prepared data, and the one of the real data that the repository ships."""

import json
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats.contingency import association

from core.data.audit_report import report_text
from core.data.dataset import WITHOUT_TWINS, Dataset, counts_of
from core.data.leaks import (
    conflicts,
    copies_by_kind,
    count_leaks,
    label_clashes,
    leak_pairs,
    mirrored_leaks,
    mirrored_pictures,
)
from core.data.sources import SOURCES
from core.data.statistics import class_means, histograms, read_means
from core.data.table1 import PUBLISHED_VALID, differences
from core.files import replacing, write_json, write_text
from core.paths import PROJECT_ROOT
from core.types import Image

FORMAT = 1
FEWEST = 200  # pictures in a mean that is shipped
NAMED_ABOVE = 0.8  # P(class | origin) from which a sentence names it
NAMED_FROM = 100  # pictures; below, a share says little
_FOLDER = "shipped"


def audit(dataset: Dataset, mirrored: pd.DataFrame | None = None) -> dict[str, Any]:
    """Every finding about a data set, as plain values for JSON.

    Args:
        dataset: Prepared data, whose splits have been written.
        mirrored: Mirrored pairs; None for those found when the data were prepared.

    Returns:
        counts {source: {split: {emotion: n}}}; differences from Table 1; exact_groups and
        near_groups (numbers of groups); leaks of the published split (pictures with a copy in
        another part); conflicts (number of train groups with contradicting labels); shortcut; and
        the details of each: duplicates, copies (by kind), twins, mirrored (None where nobody has
        looked), published_valid, splits, statistics, skipped.
    """
    manifest = dataset.manifest
    mirrored = dataset.mirrored if mirrored is None else mirrored
    published = leak_pairs(dataset, "published")
    duplicates = _duplicates(manifest)
    return {
        "format": FORMAT,
        "data_hash": dataset.data_hash,
        "images": len(manifest),
        "labels": list(dataset.labels),
        "sources": [
            {key: one[key] for key in ("name", "key", "kind", "bytes", "sha256", "images")}
            for one in dataset.info["sources"]
        ],
        "counts": counts_of(manifest),
        "differences": differences(counts_of(manifest)),
        "exact_groups": duplicates["all"]["exact_groups"],
        "near_groups": duplicates["all"]["near_groups"],
        "leaks": count_leaks(published),
        "conflicts": duplicates["train"]["contradicting"],
        "shortcut": shortcut(manifest, dataset.labels),
        "duplicates": duplicates,
        "copies": copies_by_kind(dataset, mirrored),
        "label_clashes": label_clashes(conflicts(manifest, exact=False)),
        "twins": _twins(published, manifest),
        "mirrored": None if mirrored is None else _mirrored(dataset, published, mirrored),
        "published_valid": _published_valid(published, manifest),
        "splits": {name: _split(dataset, name) for name in ("published", "clean")},
        "clean_leaks": count_leaks(leak_pairs(dataset, "clean")),
        "statistics": histograms(dataset.statistics, manifest["source"]),
        "skipped": {
            "n": dataset.info["skipped"],
            "by_reason": dataset.info["skipped_by_reason"],
        },
    }


def write_audit(dataset: Dataset) -> dict[str, Any]:
    """Audit a data set and write audit.json and audit.md into its folder."""
    values = audit(dataset)
    write_json(dataset.folder / "audit.json", values)
    write_text(dataset.folder / "audit.md", report_text(values))
    return values


def _duplicates(manifest: pd.DataFrame) -> dict[str, dict[str, int]]:
    result = {}
    for name, rows in (("all", manifest), ("train", manifest[manifest["split"] == "train"])):
        copies = rows["pixel_hash"].value_counts()
        grouped = rows[rows["group"] >= 0]
        distinct = grouped.groupby("group")["pixel_hash"].nunique()
        result[name] = {
            "exact_groups": int((copies > 1).sum()),
            "exact_surplus": int((copies[copies > 1] - 1).sum()),
            "near_groups": int((distinct > 1).sum()),
            "near_pictures": int(grouped["group"].isin(distinct.index[distinct > 1]).sum()),
            "largest_group": int(grouped["group"].value_counts().max()) if len(grouped) else 0,
            "exact_contradicting": conflicts(rows, exact=True)["key"].nunique(),
            "contradicting": conflicts(rows, exact=False)["key"].nunique(),
        }
    return result


def _twins(leaks: pd.DataFrame, manifest: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Test pictures with a copy in train, by the source of the test picture."""
    rows = leaks[(leaks["split_a"] == "train") & (leaks["split_b"] == "test")]
    tests = manifest.loc[manifest["split"] == "test", "source"].value_counts()
    result = {}
    for source, number in tests.items():
        own = rows[rows["source_b"] == source]
        exact = own["exact"].astype(bool)
        same = own["same_label"].astype(bool)
        result[str(source)] = {
            "test": int(number),
            "exact": int(exact.sum()),
            "exact_same_label": int((exact & same).sum()),
            "exact_or_near": len(own),
        }
    return result


def _mirrored(dataset: Dataset, leaks: pd.DataFrame, mirrored: pd.DataFrame) -> dict[str, Any]:
    """Mirrored copies: pictures by source, leaks, and test pictures with one in train by source."""
    turned = mirrored_leaks(dataset, "published", mirrored)
    rows = turned[(turned["split_a"] == "train") & (turned["split_b"] == "test")]
    known = set(leaks.loc[(leaks["split_a"] == "train") & (leaks["split_b"] == "test"), "id_b"])
    pictures = mirrored_pictures(dataset, mirrored)
    return {
        "pairs": len(mirrored),
        "pictures": pictures,
        "leaks": count_leaks(turned),
        "clean_leaks": count_leaks(mirrored_leaks(dataset, "clean", mirrored)),
        "twins": {
            source: {
                "test": int((rows["source_b"] == source).sum()),
                "same_label": int(rows.loc[rows["source_b"] == source, "same_label"].sum()),
                "only": int((~rows.loc[rows["source_b"] == source, "id_b"].isin(known)).sum()),
            }
            for source in pictures
        },
    }


def _published_valid(leaks: pd.DataFrame, manifest: pd.DataFrame) -> dict[str, int]:
    """Where the pictures of the published validation set come from; test before train."""
    total = int((manifest["source"] == PUBLISHED_VALID).sum())
    rows = leaks[(leaks["split_b"] == "valid") & (leaks["source_b"] == PUBLISHED_VALID)]
    rows = rows.sort_values("split_a", kind="stable").drop_duplicates("id_b")
    origin = (rows["source_a"] + "/" + rows["split_a"]).value_counts()
    found = {str(name): int(n) for name, n in origin.items()}
    return {"n": total, **found} if total else {}


def _split(dataset: Dataset, name: str) -> dict[str, Any]:
    table = dataset.split(name)
    dropped = table.loc[table["part"] == "drop", "reason"].value_counts()
    parts = {str(part): int(n) for part, n in table["part"].value_counts().items()}
    parts[WITHOUT_TWINS] = len(dataset.ids(name, WITHOUT_TWINS))
    by_source = pd.crosstab(dataset.manifest["source"], table["part"])
    return {
        "parts": parts,
        "by_source": {
            str(source): {str(part): int(n) for part, n in row.items() if n}
            for source, row in by_source.iterrows()
        },
        "dropped": {str(reason): int(n) for reason, n in dropped.items()},
    }


def shipped_audit() -> dict[str, Any]:
    """The audit of the six downloaded sets, in the form of `audit`, and `class_sizes`."""
    text = files("core.data").joinpath(_FOLDER, "audit.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


def shipped_means() -> dict[str, Image]:
    """Mean faces by "source/label" and "all/label", uint8 (64, 64)."""
    with files("core.data").joinpath(_FOLDER, "class_means.npz").open("rb") as file:
        return read_means(file)


def write_shipped(dataset: Dataset, audit: dict[str, Any]) -> None:
    """Renew the shipped files from prepared data; for developers, from the repository.

    Args:
        dataset: The prepared data.
        audit: What `core.data.audit` says of it.
    """
    folder = PROJECT_ROOT / "core" / "data" / _FOLDER
    folder.mkdir(exist_ok=True)
    means = class_means(dataset.images, dataset.manifest)
    values = audit | {"class_sizes": {name: count for name, (_, count) in means.items()}}
    write_json(folder / "audit.json", values)
    arrays: dict[str, Any] = {name: mean for name, (mean, n) in means.items() if n >= FEWEST}
    with replacing(folder / "class_means.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def origins(manifest: pd.DataFrame) -> pd.Series:
    """Source of every picture, finer where its file name tells more, as in "affectnet/ffhq"."""
    names = []
    for source, path in zip(manifest["source"], manifest["path"], strict=True):
        part = SOURCES[source].subsource(PurePosixPath(path).name)
        names.append(f"{source}/{part}" if part else source)
    return pd.Series(names, index=manifest.index, dtype=object)


def shortcut(manifest: pd.DataFrame, labels: tuple[str, ...]) -> dict[str, Any]:
    """How far the origin of a training picture gives its class away.

    Args:
        manifest: Of a prepared set.
        labels: Class names in order.

    Returns:
        by_source and by_origin: {cramers_v, accuracy, p_class}; baseline: accuracy of always
        saying the largest class; sentences: the origins that give a class away.
    """
    train = manifest[(manifest["split"] == "train") & (manifest["label"] != "")]
    if train.empty:
        return {"n": 0, "baseline": 0.0, "by_source": {}, "by_origin": {}, "sentences": []}
    finer = origins(train)
    by_origin = _dependence(finer, train["label"], labels)
    return {
        "n": len(train),
        "baseline": round(float(train["label"].value_counts(normalize=True).iloc[0]), 4),
        "by_source": _dependence(train["source"], train["label"], labels),
        "by_origin": by_origin,
        "sentences": _sentences(by_origin["p_class"], finer.value_counts()),
    }


def _dependence(origin: pd.Series, label: pd.Series, labels: tuple[str, ...]) -> dict[str, Any]:
    table = pd.crosstab(origin, label).reindex(columns=list(labels), fill_value=0)
    counts = table.to_numpy(np.int64)
    used = counts[:, counts.sum(axis=0) > 0]
    # The measure needs two rows and two columns; one source depends on nothing.
    v = association(used, method="cramer") if min(used.shape) > 1 else 0.0
    shares = counts / counts.sum(axis=1, keepdims=True)
    return {
        "cramers_v": round(float(v), 4),
        "accuracy": round(float(counts.max(axis=1).sum() / counts.sum()), 4),
        "p_class": {
            str(name): {one: round(float(p), 4) for one, p in zip(labels, row, strict=True)}
            for name, row in zip(table.index, shares, strict=True)
        },
        "n": {str(name): int(n) for name, n in zip(table.index, counts.sum(axis=1), strict=True)},
    }


def _sentences(p_class: dict[str, dict[str, float]], sizes: pd.Series) -> list[str]:
    return [
        f"{p:.0%} of the {int(sizes[name]):,} pictures from {name} are {label}: a network can "
        f"learn the look of {name} instead of {label}."
        for name, row in p_class.items()
        for label, p in row.items()
        if p >= NAMED_ABOVE and sizes[name] >= NAMED_FROM
    ]
