"""A faithfulness report as rows: one a method, best first, and one a control."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from core.explain import EXPLAINERS, is_readable, recommended_of

MEASURES = ("gap", "road", "planted")
LEAST_METHODS = 3  # of which an order says something
CONTROL_TITLES = {  # maps that know nothing of the answer
    "random": "a random map",
    "centre": "a fixed blob in the middle",
    "other_face": "another face's map",
}


def faithfulness_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a report, methods by their gap.

    Args:
        report: Of `stored_faithfulness` or `measure_faithfulness`.

    Returns:
        Dictionaries with the same keys, None where a control has no such figure: `method` (title),
        `name`, `layer`, `faces`, `insertion`, `deletion`, `gap` with `gap_low` and `gap_high`,
        `lead` (over the strongest control, the interval's low end), `average_drop`, `increase`,
        `road` with its ends, `planted` (share of the evidence on a planted mark), `blank`,
        `legible`, `places`, `readable`, `sanity`, `random_likeness` (the highest correlation with a
        map of randomised weights), `flip`, `shift`, `noise` (stability), `cost`, `verdict`,
        `recommended`.
    """
    best = recommended_of(report)
    methods = sorted(report["methods"].items(), key=lambda one: -one[1]["gap"])
    planted = report.get("planted", {}).get("shares", {})
    rows = [
        _method_row(name, {"planted": planted.get(name), **entry}, is_best=name == best)
        for name, entry in methods
    ]
    empty = dict.fromkeys(_COLUMNS)
    rows += [
        {
            **empty,
            "method": f"Control: {CONTROL_TITLES.get(name, name)}",
            "name": name,
            "gap": entry["gap"],
            "gap_low": entry["ci"][0],
            "gap_high": entry["ci"][1],
            "recommended": False,
        }
        for name, entry in report["controls"].items()
    ]
    return rows


def ranking_agreement(report: dict[str, Any]) -> dict[tuple[str, str], float]:
    """How alike the measures order the methods: Spearman's correlation, -1 to 1, of each pair.

    Args:
        report: As for `faithfulness_rows`.

    Returns:
        {(measure, measure): correlation} of "gap", "road" and "planted", over the methods that have
        both; pairs with fewer than three such methods are missing.
    """
    rows = [row for row in faithfulness_rows(report) if row["verdict"]]
    figures = pd.DataFrame(rows, columns=list(MEASURES)).astype(float)
    table = figures.corr("spearman", min_periods=LEAST_METHODS).to_numpy()
    pairs = combinations(range(len(MEASURES)), 2)
    return {
        (MEASURES[row], MEASURES[column]): float(table[row, column])
        for row, column in pairs
        if not np.isnan(table[row, column])
    }


def _method_row(name: str, entry: dict[str, Any], *, is_best: bool) -> dict[str, Any]:
    info = dict(EXPLAINERS).get(name)
    known = [value for value in entry["randomisation"].values() if value is not None]
    found = {
        "method": info.title if info else name,
        "name": name,
        **{key: entry[key] for key in ("layer", "insertion", "deletion", "gap")},
        "faces": entry["n"],
        "gap_low": entry["ci"][0],
        "gap_high": entry["ci"][1],
        "lead": min(control["ci"][0] for control in entry["over_controls"].values()),
        **{key: entry[key] for key in ("average_drop", "increase", "blank", "sanity", "verdict")},
        "road": entry["road"]["gap"],
        "road_low": entry["road"]["ci"][0],
        "road_high": entry["road"]["ci"][1],
        "planted": None if entry["planted"] is None else entry["planted"]["share"],
        "legible": entry.get("legible"),
        "places": entry.get("places"),
        "readable": is_readable(entry),
        "random_likeness": max(known, default=None),
        **entry["stability"],
        "cost": info.cost if info else None,
        "recommended": is_best,
    }
    return {key: found[key] for key in _COLUMNS}


_COLUMNS = (
    "method",
    "name",
    "layer",
    "faces",
    "insertion",
    "deletion",
    "gap",
    "gap_low",
    "gap_high",
    "lead",
    "average_drop",
    "increase",
    "road",
    "road_low",
    "road_high",
    "planted",
    "blank",
    "legible",
    "places",
    "readable",
    "sanity",
    "random_likeness",
    "flip",
    "shift",
    "noise",
    "cost",
    "verdict",
    "recommended",
)
