"""The report of a run, computed from its predictions alone, and the answer of `evaluate`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core.errors import DataError
from core.evaluation.calibration import reliability, risk_coverage, thinned
from core.evaluation.classification_metrics import intervals, metrics
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import SPLITS
from core.evaluation.report_file import FORMAT


def with_intervals(predictions: Predictions) -> dict[str, Any]:
    """All figures of `metrics` and, as `intervals`, their 95 % intervals."""
    figures = metrics(predictions)
    return {**figures, "intervals": intervals(predictions, figures)}


def split_report(
    predictions: Predictions, split: str, sources: Sequence[str], threshold: float
) -> dict[str, Any] | None:
    """All figures of one split on the sources a run was trained on, and on each source.

    Args:
        predictions: All rows of the run.
        split: One of SPLITS.
        sources: The sources trained on; where none of them has this split, all count.
        threshold: Confidence below which an answer is unclear.

    Returns:
        None where the predictions hold no such image.
    """
    everything = predictions.of_split(split)
    if not len(everything):
        return None
    own = predictions.of_split(split, sources)
    chosen = own if len(own) else everything
    answered = chosen.confidence >= threshold
    right = chosen.correct[answered]
    return {
        "split": split,
        "about": SPLITS[split],
        "sources": list(chosen.sources),
        **with_intervals(chosen),
        "reliability": [asdict(one) for one in reliability(chosen.confidence, chosen.correct)],
        "risk_coverage": thinned(risk_coverage(chosen.confidence, chosen.correct)),
        "unclear": {
            "threshold": threshold,
            "coverage": float(answered.mean()),
            "accuracy_answered": float(right.mean()) if len(right) else None,
        },
        "per_source": {
            name: with_intervals(everything.of_split(split, [name]))
            for name in everything.sources
            if split != "published_valid"
        },
    }


def build_report(predictions: Predictions, facts: dict[str, Any]) -> dict[str, Any]:
    """The content of report.json.

    Args:
        predictions: All rows of the run.
        facts: What predictions do not tell: at least `checkpoint`, `sources` (trained on),
            `temperature` and `threshold`.
    """
    splits = {
        name: split_report(predictions, name, facts["sources"], facts["threshold"])
        for name in SPLITS
    }
    return {
        "format": FORMAT,
        **facts,
        "labels": list(predictions.labels),
        "splits": {name: found for name, found in splits.items() if found is not None},
    }


def answer(report: dict[str, Any], split: str) -> dict[str, Any]:
    """The JSON form of `evaluate RUN --split NAME`.

    Raises:
        DataError: The report has no such split.
    """
    if split not in report["splits"]:
        known = ", ".join(report["splits"]) or "none"
        raise DataError(
            f"{report['checkpoint']} was evaluated on {known}, not on {split} ({SPLITS[split]}). "
            "Prepare data that has it and name the folder with --data."
        )
    return {
        "checkpoint": report["checkpoint"],
        **report["splits"][split],
        "data_hash": report["data_hash"],
        "temperature": report["temperature"],
        "date": report["date"],
        "faces_per_second": report["faces_per_second"],
    }
