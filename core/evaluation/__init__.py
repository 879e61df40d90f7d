"""Figures one can check: predictions, metrics with intervals, calibration, the paper's tables.

Only `evaluate_run` loads a runtime; parts load when first used, since scikit-learn takes a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.evaluation.album import Album
    from core.evaluation.card_text import model_card
    from core.evaluation.comparison import Comparison, mcnemar
    from core.evaluation.cross_source import Shortcut, SourceScore, by_source, shortcut
    from core.evaluation.examples import cell, confident_mistakes, most_uncertain
    from core.evaluation.export import FORMATS, exported
    from core.evaluation.features import feature_points, pooled_features
    from core.evaluation.figures import confusion, metrics
    from core.evaluation.literature import PublishedRow, published, published_rows
    from core.evaluation.naming import label_in_name
    from core.evaluation.predictions import SPLITS, Predictions
    from core.evaluation.prepared import own_folder
    from core.evaluation.report import answer, with_intervals
    from core.evaluation.report_file import load_report
    from core.evaluation.run import evaluate_run
    from core.evaluation.runs import Run, all_runs
    from core.evaluation.tables import Accuracy, figure1, measure, table2

_HOMES = {
    "FORMATS": "export",
    "SPLITS": "predictions",
    "Accuracy": "tables",
    "Album": "album",
    "Comparison": "comparison",
    "Predictions": "predictions",
    "PublishedRow": "literature",
    "Run": "runs",
    "Shortcut": "cross_source",
    "SourceScore": "cross_source",
    "all_runs": "runs",
    "answer": "report",
    "by_source": "cross_source",
    "cell": "examples",
    "confident_mistakes": "examples",
    "confusion": "figures",
    "evaluate_run": "run",
    "exported": "export",
    "feature_points": "features",
    "figure1": "tables",
    "label_in_name": "naming",
    "load_report": "report_file",
    "mcnemar": "comparison",
    "measure": "tables",
    "metrics": "figures",
    "model_card": "card_text",
    "most_uncertain": "examples",
    "own_folder": "prepared",
    "pooled_features": "features",
    "published": "literature",
    "published_rows": "literature",
    "shortcut": "cross_source",
    "table2": "tables",
    "with_intervals": "report",
}

__all__ = [
    "FORMATS",
    "SPLITS",
    "Accuracy",
    "Album",
    "Comparison",
    "Predictions",
    "PublishedRow",
    "Run",
    "Shortcut",
    "SourceScore",
    "all_runs",
    "answer",
    "by_source",
    "cell",
    "confident_mistakes",
    "confusion",
    "evaluate_run",
    "exported",
    "feature_points",
    "figure1",
    "label_in_name",
    "load_report",
    "mcnemar",
    "measure",
    "metrics",
    "model_card",
    "most_uncertain",
    "own_folder",
    "pooled_features",
    "published",
    "published_rows",
    "shortcut",
    "table2",
    "with_intervals",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - module attribute
    """Import a public name's module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"core.evaluation.{_HOMES[name]}"), name)
