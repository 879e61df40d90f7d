"""The report of a run, computed from its predictions alone, and the answer of `evaluate`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core.errors import DataError
from core.evaluation.calibration import reliability, risk_coverage, thinned
from core.evaluation.classification_metrics import intervals, metrics
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import SPLITS
from core.evaluation.report_file import FORMAT, SIX
from core.labels import EMOTIONS, NEUTRAL


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
        **({"neutral": neutral} if (neutral := neutral_figures(chosen)) else {}),
        "per_source": {
            name: with_intervals(everything.of_split(split, [name]))
            for name in everything.sources
            if split != "published_valid"
        },
    }


def build_report(predictions: Predictions, facts: dict[str, Any]) -> dict[str, Any]:
    """The content of report.json.

    A source whose training faces lack a class (`unknown_classes`) is no measure of a network that
    may answer it: its figures stand under `per_source` alone. Where the network has more classes
    than the paper's six, `six` holds the figures of its six answers to the faces of these six.

    Args:
        predictions: All rows of the run.
        facts: What predictions do not tell: at least `checkpoint`, `sources` (trained on),
            `temperature` and `threshold`.
    """
    labels = predictions.labels
    unknown = facts.get("unknown_classes", {})
    sure = [name for name in facts["sources"] if name not in unknown] or facts["sources"]
    report = {
        "format": FORMAT,
        **facts,
        "labels": list(labels),
        "splits": _splits(predictions, sure, facts["threshold"]),
    }
    if set(EMOTIONS) < set(labels):
        among = predictions.among(EMOTIONS)
        splits = _splits(among, facts["sources"], facts["threshold"])
        report[SIX] = {"labels": list(EMOTIONS), "splits": splits}
    return report


def _splits(
    predictions: Predictions, sources: Sequence[str], threshold: float
) -> dict[str, dict[str, Any]]:
    found = {name: split_report(predictions, name, sources, threshold) for name in SPLITS}
    return {name: report for name, report in found.items() if report is not None}


def neutral_figures(predictions: Predictions) -> dict[str, Any] | None:
    """How well the probability of neutral tells neutral faces from all others.

    Returns:
        `auroc` (chance that a neutral face has more of it than another face; ties count half),
        `called_neutral` (share of the neutral faces) and `others_called_neutral`; None without
        both kinds of faces or the class.
    """
    if NEUTRAL not in predictions.labels:
        return None
    number = predictions.labels.index(NEUTRAL)
    is_neutral = predictions.true == number
    if is_neutral.all() or not is_neutral.any():
        return None
    from sklearn.metrics import roc_auc_score

    called = predictions.predicted == number
    return {
        "auroc": float(roc_auc_score(is_neutral, predictions.probabilities[:, number])),
        "called_neutral": float(called[is_neutral].mean()),
        "others_called_neutral": float(called[~is_neutral].mean()),
    }


def mismatches(report: dict[str, Any]) -> list[str]:
    """What to say where a model and the data it was measured on have not the same classes."""
    said = [
        f"{count:,} pictures labelled {label} are left out: {report['checkpoint']} has no such "
        "answer."
        for label, count in sorted(report.get("left_out", {}).items())
    ]
    if absent := report.get("absent"):
        said.append(
            f"The data hold no picture of {', '.join(absent)}, which {report['checkpoint']} may "
            f"answer: every such answer counts as wrong here{_six_remedy(absent)}."
        )
    return said


def _six_remedy(absent: Sequence[str]) -> str:
    return "; --six compares its other answers" if list(absent) == [NEUTRAL] else ""


def answer(report: dict[str, Any], split: str, *, six: bool = False) -> dict[str, Any]:
    """The JSON form of `evaluate RUN --split NAME`.

    Args:
        report: The content of report.json.
        split: One of SPLITS.
        six: Whether only the answers between the paper's six classes count.

    Raises:
        DataError: The report has no such split.
    """
    splits = report.get(SIX, report)["splits"] if six else report["splits"]
    if split not in splits:
        known = ", ".join(splits) or "none"
        raise DataError(
            f"{report['checkpoint']} was evaluated on {known}, not on {split} ({SPLITS[split]}). "
            "Prepare data that has it and name the folder with --data."
        )
    return {
        "checkpoint": report["checkpoint"],
        **splits[split],
        "data_hash": report["data_hash"],
        "temperature": report["temperature"],
        "date": report["date"],
        "faces_per_second": report["faces_per_second"],
    }
