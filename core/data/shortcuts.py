"""What a network could learn from the origin of a picture instead of the face in it."""

from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats.contingency import association

from core.data.sources import SOURCES

NAMED_ABOVE = 0.8  # P(class | origin) from which a sentence names it
NAMED_FROM = 100  # pictures; below, a share says little


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
