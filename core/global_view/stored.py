"""The view kept in a run's folder, and its rows."""

import json
from pathlib import Path
from typing import Any

from core.checkpoints import WEIGHTS
from core.files import fingerprint

# What was measured of a region, in words.
MEASURES = {
    "drop": "probability lost when the region is hidden",
    "share": "share of the positive evidence",
    "lift": "share of the evidence by share of the area; 1 is as much as the size explains",
}


def global_view_file(folder: Path, split: str) -> Path:
    """Where the view of a split is kept."""
    return folder / f"global_view_{split}.json"


def stored_global_view(folder: Path, split: str) -> dict[str, Any] | None:
    """The view kept for a split.

    Returns:
        None where none was made, it cannot be read, or it was made with other weights than those
        that lie beside it.
    """
    try:
        text = global_view_file(folder, split).read_text(encoding="utf-8")
        view: dict[str, Any] = json.loads(text)
        if not isinstance(view, dict) or not isinstance(view.get("groups"), list):
            return None
        is_current = view.get("weights_fingerprint") == fingerprint(folder / WEIGHTS)
    except (OSError, ValueError):
        return None
    return view if is_current else None


def region_rows(view: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a label, right or wrong answers, and region.

    Args:
        view: Of `stored_global_view`.

    Returns:
        `label`, `answered`, `faces`, `region`, `area`, and of each of `MEASURES` the mean with
        `..._low` and `..._high`, its 95 % interval; None where there are too few faces.
    """
    rows = []
    for group in view["groups"]:
        for region in view["regions"]:
            one = group["regions"][region]
            row: dict[str, Any] = {
                "label": group["label"],
                "answered": group["answered"],
                "faces": group["n"],
                "region": region,
                "area": one["area"],
            }
            for measure in MEASURES:
                mean, low, high = one[measure] or (None, None, None)
                row |= {measure: mean, f"{measure}_low": low, f"{measure}_high": high}
            rows.append(row)
    return rows
