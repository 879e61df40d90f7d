"""Figures one can check: predictions, metrics with intervals, calibration, the paper's tables.

Only `evaluate_run` loads a runtime; parts load when first used, since scikit-learn takes a second.
"""

from typing import TYPE_CHECKING

from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.evaluation.bootstrap import FEW, Estimate, estimate, mean_intervals
    from core.evaluation.card_text import model_card
    from core.evaluation.card_use import loading_code
    from core.evaluation.classification_metrics import confusion, metrics
    from core.evaluation.collecting import measure_quantisation
    from core.evaluation.comparison import Comparison, mcnemar, shared_classes
    from core.evaluation.confident_learning import (
        LabelErrors,
        kept_label_errors,
        kept_path,
        label_errors,
    )
    from core.evaluation.cross_source import (
        Shortcut,
        SourceScore,
        by_source,
        shortcut,
        trained_alike,
    )
    from core.evaluation.examples import Album, cell, confident_mistakes, most_uncertain
    from core.evaluation.features import feature_points, pooled_features
    from core.evaluation.framing import FramingScore, framing_scores
    from core.evaluation.paper_tables import (
        Accuracy,
        PublishedRow,
        measure,
        missing_runs,
        peer_scores,
        published,
        published_rows,
        table2,
    )
    from core.evaluation.predictions import Predictions
    from core.evaluation.predictions_file import SPLITS, predictions_changed
    from core.evaluation.prepared import own_folder, results_folder, unlearnt
    from core.evaluation.report import answer, mismatches, with_intervals
    from core.evaluation.report_file import SIX, load_report, stored_strata, strata_rows
    from core.evaluation.run import evaluate_run
    from core.evaluation.runs import Run, all_runs, learned_from, measured_place, recipe
    from core.evaluation.strata import measure_strata
    from core.evaluation.table2_export import (
        FORMATS,
        epochs_in_words,
        exported,
        figure1,
        row_label,
    )

__getattr__ = lazy_names(
    __name__,
    {
        "bootstrap": ("FEW", "Estimate", "estimate", "mean_intervals"),
        "card_text": ("model_card",),
        "card_use": ("loading_code",),
        "classification_metrics": ("confusion", "metrics"),
        "collecting": ("measure_quantisation",),
        "comparison": ("Comparison", "mcnemar", "shared_classes"),
        "cross_source": ("Shortcut", "SourceScore", "by_source", "shortcut", "trained_alike"),
        "examples": ("Album", "cell", "confident_mistakes", "most_uncertain"),
        "features": ("feature_points", "pooled_features"),
        "framing": ("FramingScore", "framing_scores"),
        "confident_learning": ("LabelErrors", "kept_label_errors", "kept_path", "label_errors"),
        "paper_tables": (
            "Accuracy",
            "PublishedRow",
            "measure",
            "missing_runs",
            "peer_scores",
            "published",
            "published_rows",
            "table2",
        ),
        "predictions": ("Predictions",),
        "predictions_file": ("SPLITS", "predictions_changed"),
        "prepared": ("own_folder", "results_folder", "unlearnt"),
        "report": ("answer", "mismatches", "with_intervals"),
        "report_file": ("SIX", "load_report", "stored_strata", "strata_rows"),
        "run": ("evaluate_run",),
        "runs": ("Run", "all_runs", "learned_from", "measured_place", "recipe"),
        "strata": ("measure_strata",),
        "table2_export": ("FORMATS", "epochs_in_words", "exported", "figure1", "row_label"),
    },
)

__all__ = [
    "FEW",
    "FORMATS",
    "SIX",
    "SPLITS",
    "Accuracy",
    "Album",
    "Comparison",
    "Estimate",
    "FramingScore",
    "LabelErrors",
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
    "epochs_in_words",
    "estimate",
    "evaluate_run",
    "exported",
    "feature_points",
    "figure1",
    "framing_scores",
    "kept_label_errors",
    "kept_path",
    "label_errors",
    "learned_from",
    "load_report",
    "loading_code",
    "mcnemar",
    "mean_intervals",
    "measure",
    "measure_quantisation",
    "measure_strata",
    "measured_place",
    "metrics",
    "mismatches",
    "missing_runs",
    "model_card",
    "most_uncertain",
    "own_folder",
    "peer_scores",
    "pooled_features",
    "predictions_changed",
    "published",
    "published_rows",
    "recipe",
    "results_folder",
    "row_label",
    "shared_classes",
    "shortcut",
    "stored_strata",
    "strata_rows",
    "table2",
    "trained_alike",
    "unlearnt",
    "with_intervals",
]
