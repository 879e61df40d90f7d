"""What a run's `faithfulness.json` says of its explanations.  Free of torch."""

from pathlib import Path
from typing import Any

from core.checkpoints import report_of_weights
from core.explain.methods import EXPLAINERS, SLOW_PASSES

FAITHFULNESS_FILE = "faithfulness.json"
UNMEASURED = "layer_cam"  # did well on every network tried, and its cells tell brow from eye


def stored_faithfulness(folder: Path) -> dict[str, Any] | None:
    """The report kept in a run's folder.

    Returns:
        None where none was made, it cannot be read, or it was made with other weights than those
        that lie beside it.
    """
    report = report_of_weights(folder, FAITHFULNESS_FILE)
    return report if report and isinstance(report.get("methods"), dict) else None


def recommended_method(folder: Path) -> str:
    """The explanation method to offer first for a run.

    Of the methods that tell the classes apart, pass parameter randomisation and beat all three
    controls with an interval above zero, those whose gap lies inside the interval of the highest
    are held equal; of these the one with the smallest average drop, whose maps keep most of what
    the answer needs.  Methods of 20 forward passes and more are left out: they cannot answer at
    once, and were measured on fewer faces.

    Args:
        folder: Of the run.

    Returns:
        Registry name; Layer-CAM where nothing was measured or no method passes.
    """
    return recommended_of(stored_faithfulness(folder))


def recommended_of(report: dict[str, Any] | None) -> str:
    """The same for a report at hand."""
    entries: dict[str, dict[str, Any]] = {} if report is None else report["methods"]
    passing = {name: one for name, one in entries.items() if _is_recommendable(name, one)}
    if not passing:
        return UNMEASURED
    floor = max(passing.values(), key=lambda one: float(one["gap"]))["ci"][0]
    equal = [name for name, one in passing.items() if one["gap"] >= floor]
    return min(equal, key=lambda name: float(passing[name]["average_drop"]))


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
        and entry["sanity"] == "passes"
    )
