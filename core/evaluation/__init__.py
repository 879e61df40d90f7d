"""Figures one can check: predictions, metrics with intervals, calibration, the paper's tables.

Only `evaluate_run` loads a runtime; parts load when first used, since scikit-learn takes a second.
"""

from typing import TYPE_CHECKING

from core.lazy import late_names

if TYPE_CHECKING:
    from core.evaluation.album import Album
    from core.evaluation.bootstrap import Estimate, estimate
    from core.evaluation.card_text import model_card
    from core.evaluation.collecting import at_size
    from core.evaluation.comparison import Comparison, mcnemar
    from core.evaluation.cross_source import Shortcut, SourceScore, by_source, shortcut
    from core.evaluation.eight_bits import measure_quantisation
    from core.evaluation.examples import cell, confident_mistakes, most_uncertain
    from core.evaluation.export import FORMATS, exported
    from core.evaluation.features import feature_points, pooled_features
    from core.evaluation.figures import confusion, metrics
    from core.evaluation.framing import FramingScore, framing_scores
    from core.evaluation.literature import PublishedRow, published, published_rows
    from core.evaluation.predictions import Predictions
    from core.evaluation.predictions_file import SPLITS
    from core.evaluation.prepared import PUBLISHED_VALID, own_folder
    from core.evaluation.report import answer, with_intervals
    from core.evaluation.report_file import load_report
    from core.evaluation.run import evaluate_run
    from core.evaluation.runs import Run, all_runs
    from core.evaluation.tables import Accuracy, figure1, measure, table2

__getattr__ = late_names(
    __name__,
    {
        "album": ("Album",),
        "bootstrap": ("Estimate", "estimate"),
        "card_text": ("model_card",),
        "collecting": ("at_size",),
        "comparison": ("Comparison", "mcnemar"),
        "cross_source": ("Shortcut", "SourceScore", "by_source", "shortcut"),
        "eight_bits": ("measure_quantisation",),
        "examples": ("cell", "confident_mistakes", "most_uncertain"),
        "export": ("FORMATS", "exported"),
        "features": ("feature_points", "pooled_features"),
        "figures": ("confusion", "metrics"),
        "framing": ("FramingScore", "framing_scores"),
        "literature": ("PublishedRow", "published", "published_rows"),
        "predictions": ("Predictions",),
        "predictions_file": ("SPLITS",),
        "prepared": ("PUBLISHED_VALID", "own_folder"),
        "report": ("answer", "with_intervals"),
        "report_file": ("load_report",),
        "run": ("evaluate_run",),
        "runs": ("Run", "all_runs"),
        "tables": ("Accuracy", "figure1", "measure", "table2"),
    },
)

__all__ = [
    "FORMATS",
    "PUBLISHED_VALID",
    "SPLITS",
    "Accuracy",
    "Album",
    "Comparison",
    "Estimate",
    "FramingScore",
    "Predictions",
    "PublishedRow",
    "Run",
    "Shortcut",
    "SourceScore",
    "all_runs",
    "answer",
    "at_size",
    "by_source",
    "cell",
    "confident_mistakes",
    "confusion",
    "estimate",
    "evaluate_run",
    "exported",
    "feature_points",
    "figure1",
    "framing_scores",
    "load_report",
    "mcnemar",
    "measure",
    "measure_quantisation",
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
