"""What a run's `faithfulness.json` says of its explanations.  Free of torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.checkpoints import REFERENCE, report_of_weights
from core.explain.methods import EXPLAINERS, SLOW_PASSES

FAITHFULNESS_FILE = "faithfulness.json"
UNMEASURED = "smooth_layer_cam"  # did well on every network tried, and can be read
LEAST_LEGIBLE, MOST_PLACES, MOST_BLANK = 0.9, 3.0, 0.02  # of a map that can be read


def stored_faithfulness(folder: Path, place: Path | None = None) -> dict[str, Any] | None:
    """The report kept in a run's folder, on other data where a place of `evaluations_of` is named.

    Returns:
        None where none was made, it cannot be read, or it was made with other weights than those
        that lie beside it.
    """
    report = report_of_weights(folder, FAITHFULNESS_FILE, place)
    return report if report and isinstance(report.get("methods"), dict) else None


def recommended_method(folder: Path) -> str:
    """The explanation method to offer first for a run, on every page and command.

    Of the methods that tell the classes apart, beat all three controls with an interval above zero,
    pass parameter randomisation and can be read (`is_readable`), the one with the highest gap; if
    none passes, of those whose randomisation is "partly" passed, which the pages then say.  Methods
    of 20 forward passes and more are left out: they cannot answer at once, and were measured on
    fewer faces.

    Args:
        folder: Of the run.

    Returns:
        Registry name; where nothing was measured or no method passes, Expected CAM if the
        checkpoint keeps a reference, else Smooth Layer-CAM.
    """
    found = recommended_of(stored_faithfulness(folder))
    if found is not None:
        return found
    return "expected_cam" if (folder / REFERENCE).is_file() else UNMEASURED


def recommended_of(report: dict[str, Any] | None) -> str | None:
    """The same for a report at hand; None where it recommends nothing."""
    entries: dict[str, dict[str, Any]] = {} if report is None else report["methods"]
    for enough in (("passes",), ("passes", "partly")):
        fitting = [
            name
            for name, entry in entries.items()
            if _is_recommendable(name, entry) and entry["sanity"] in enough
        ]
        if fitting:
            return max(fitting, key=lambda name: float(entries[name]["gap"]))
    return None


def is_readable(entry: Mapping[str, Any]) -> bool:
    """Whether a reader can take in a method's maps, by the figures of its report.

    A map blurred by a sixteenth of the face's side still looks like itself, the strongest tenth of
    it forms three places at most, and hardly any map is blank.  Reports that do not say so count
    as unreadable.

    Args:
        entry: Of the method, with `legible`, `places` and `blank`.
    """
    return (
        float(entry.get("legible") or 0) >= LEAST_LEGIBLE
        and float(entry.get("places") or MOST_PLACES + 1) <= MOST_PLACES
        and float(entry.get("blank", 1)) <= MOST_BLANK
    )


def misses_mark(report: Mapping[str, Any] | None, method: str) -> bool:
    """Whether a method was tried on a planted mark and puts no more on it than chance would.

    Args:
        report: Of `stored_faithfulness`.
        method: Registry name.
    """
    planted = (report or {}).get("planted", {})
    found = planted.get("shares", {}).get(method)
    return found is not None and bool(found["ci"][0] <= planted.get("area", 0.0))


def recommended_layers(folder: Path) -> dict[str, str]:
    """The layer at which each method was measured; methods not measured are missing.

    The layers of the fine methods were chosen on clean-validation faces.
    """
    report = stored_faithfulness(folder) or {"methods": {}}
    return {name: str(one["layer"]) for name, one in report["methods"].items()}


def _is_recommendable(name: str, entry: dict[str, Any]) -> bool:
    return (
        name in EXPLAINERS
        and EXPLAINERS[name].class_discriminative
        and EXPLAINERS[name].passes < SLOW_PASSES
        and entry["verdict"] == "beats its controls"
        and is_readable(entry)
    )
