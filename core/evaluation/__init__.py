"""Figures one can check: predictions, metrics with intervals, calibration, the paper's tables.

Torch-free but for `evaluate_run`; parts load when first used, since scikit-learn takes a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.evaluation.figures import metrics
    from core.evaluation.predictions import SPLITS, Predictions
    from core.evaluation.report import answer, load_report
    from core.evaluation.run import evaluate_run

_HOMES = {
    "SPLITS": "predictions",
    "Predictions": "predictions",
    "answer": "report",
    "evaluate_run": "run",
    "load_report": "report",
    "metrics": "figures",
}

__all__ = ["SPLITS", "Predictions", "answer", "evaluate_run", "load_report", "metrics"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - module attribute
    """Import a public name's module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"core.evaluation.{_HOMES[name]}"), name)
