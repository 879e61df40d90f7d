"""The view kept in a run's folder, and its rows."""

from pathlib import Path
from typing import Any

from core.checkpoints import report_of_weights

# Of a region: probability lost when it is hidden; its share of the positive evidence; and that by
# its share of the area, where 1 is as much as its size explains.
MEASURES = ("drop", "share", "lift")


def global_view_file(folder: Path, split: str) -> Path:
    """Where the view of a split is kept."""
    return folder / f"global_view_{split}.json"


def stored_global_view(
    folder: Path, split: str, place: Path | None = None
) -> dict[str, Any] | None:
    """The view kept for a split, on other data where a place of `evaluations_of` is named.

    Returns:
        None where none was made, it cannot be read, or it was made with other weights than those
        that lie beside it.
    """
    view = report_of_weights(folder, global_view_file(folder, split).name, place)
    return view if view and isinstance(view.get("groups"), list) else None


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
