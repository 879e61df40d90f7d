"""Evaluate a run: predict, calibrate on clean validation, write predictions and report.json."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoints import WEIGHTS, is_shipped
from core.errors import CheckpointError, DataError
from core.evaluation.calibration import (
    LEAST_COVERAGE,
    MOST_WRONG,
    fit_temperature,
    unclear_threshold,
)
from core.evaluation.classification_metrics import metrics
from core.evaluation.collecting import (
    FEWEST_TO_CALIBRATE,
    Answers,
    Progress,
    collected,
    with_temperature,
)
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import FACTS
from core.evaluation.prepared import (
    TestSet,
    own_sources,
    results_folder,
    seen_sources,
    sets_to_test,
)
from core.evaluation.report import build_report
from core.evaluation.report_file import save_report
from core.files import file_hash, fingerprint

if TYPE_CHECKING:
    from core.models import Card

MAJORITY = 0.5  # confidence; the threshold where there are too few to fit one
RULE = (
    "The threshold is the lowest confidence that holds two promises on clean validation: of the "
    f"answers given at most {100 * MOST_WRONG:.0f} % are wrong, and the share wrong among them is "
    "at most half of that among all faces. It never leaves more than "
    f"{100 * (1 - LEAST_COVERAGE):.0f} % of the faces unanswered."
)


def evaluate_run(
    folder: Path,
    dataset_dir: Path | None = None,
    *,
    out: Path | None = None,
    train: bool = False,
    model: Answers | None = None,
    on_progress: Progress = lambda done, total: None,
    on_kept: Callable[[Path], None] = lambda folder: None,
) -> dict[str, Any]:
    """Predict all test and validation images and leave predictions.npz and report.json.

    On the data the run was trained on, temperature and threshold are fitted on clean validation
    and stored in card.json; on other data those of the card are used as they are, and the files
    lie apart from the run's own, see `results_folder`.

    Args:
        folder: The run's folder, with card and weights.
        dataset_dir: Prepared data to use alone; None finds the run's own below the data root and
            adds the benchmark sources that other prepared folders there hold.
        out: Folder for the files instead; made if absent. The card then stays as it is.
        train: Whether the training part is predicted as well.
        model: Instead of the run's own Predictor.
        on_progress: Called with pictures done and pictures in all.
        on_kept: Called with the folder of the files once they are there.

    Returns:
        The content of report.json.

    Raises:
        CheckpointError: The run cannot be loaded, or `out` is a shipped checkpoint.
        DataError: No prepared data fit, or they hold nothing of what the run was trained on though
            `train` asks for it.
    """
    if out is not None and is_shipped(out):
        raise CheckpointError(f"{out} is a shipped checkpoint. Choose another folder with --out.")
    model = _predictor(folder) if model is None else model
    card = model.card
    chosen = sets_to_test(card, folder.name, dataset_dir)
    own = chosen[0].dataset
    sources = own_sources(card, own.info)
    if train and not set(sources) & set(chosen[0].sources):
        raise DataError(
            f"{folder.name} was trained on {', '.join(sources)}; {own.folder.name} holds "
            f"{', '.join(chosen[0].sources)}, so it has no training part of this run. Leave "
            "--train out, or choose another split."
        )
    target = out or results_folder(folder, card, own, named=dataset_dir is not None)
    started = time.perf_counter()
    predictions, logits = collected(
        model, chosen, train_sources=sources if train else (), on_progress=on_progress
    )
    seconds = time.perf_counter() - started
    calibration: dict[str, Any] = {"fitted": False}
    if own.data_hash == card.data.get("data_hash"):
        card, calibration = _calibrated(card, predictions, logits, sources)
    facts = predictions.table[list(FACTS)]
    predictions = with_temperature(facts, predictions.labels, logits, card.temperature)
    report = build_report(
        predictions,
        {
            "checkpoint": folder.name,
            "title": card.title,
            "model": card.model,
            "sources": list(sources),
            "seen": list(seen_sources(card, own.info)),
            **_class_facts(card, chosen),
            "trained_on_split": card.data.get("split"),
            "data": _data_facts(chosen),
            "data_hash": own.data_hash,
            "temperature": card.temperature,
            "threshold": card.threshold,
            "calibration": calibration,
            **_weights_facts(folder / WEIGHTS),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "images": len(predictions),
            "seconds": round(seconds, 1),
            "faces_per_second": round(len(predictions) / max(seconds, 1e-9), 1),
            "versions": {"scikit-learn": version("scikit-learn"), "numpy": version("numpy")},
        },
    )
    if card != model.card and target == folder:
        card.save(folder / "card.json")
    target.mkdir(parents=True, exist_ok=True)
    predictions.save(target, shared=target == folder)
    save_report(report, target / "report.json")
    on_kept(target)
    return report


def _predictor(folder: Path) -> Answers:
    from core.predict import Predictor  # loads a runtime

    return Predictor.load(folder)


def _calibrated(
    card: "Card", predictions: Predictions, logits: NDArray[np.float64], sources: tuple[str, ...]
) -> tuple["Card", dict[str, Any]]:
    """The card with temperature and threshold of clean validation, and what the fit did."""
    unknown = card.data.get("unknown_classes", {})
    fitted_on = [name for name in sources if name not in unknown] or list(sources)
    rows = (predictions.table["part"] == "valid") & predictions.table["source"].isin(fitted_on)
    valid = predictions.where(rows.to_numpy(bool))
    if len(valid) < FEWEST_TO_CALIBRATE:
        threshold = card.threshold or MAJORITY
        rule = (
            f"Clean validation has {len(valid)} faces, too few to choose it by (at least "
            f"{FEWEST_TO_CALIBRATE}): below {100 * MAJORITY:.0f} % the other answers together are "
            "likelier."
        )
        known = {"rule": rule} if threshold == MAJORITY else {}
        return replace(card, threshold=threshold), {"fitted": False, "n": len(valid), **known}
    before = metrics(valid)
    chosen = logits[rows.to_numpy(bool)]
    temperature = fit_temperature(chosen, valid.true)
    after = with_temperature(valid.table[list(FACTS)], valid.labels, chosen, temperature)
    threshold = unclear_threshold(after.confidence, after.correct)
    found = metrics(after)
    return replace(card, temperature=temperature, threshold=threshold), {
        "fitted": True,
        "part": "valid",
        "n": len(valid),
        "rule": RULE,
        "ece_before": before["ece"],
        "ece_after": found["ece"],
        "nll_before": before["nll"],
        "nll_after": found["nll"],
    }


def _class_facts(card: "Card", chosen: list[TestSet]) -> dict[str, Any]:
    """Classes that not all sources tell apart, and those that model and data do not share."""
    facts: dict[str, Any] = {}
    if unknown := card.data.get("unknown_classes"):
        facts["unknown_classes"] = unknown
    counts: Counter[str] = Counter()
    for tested in chosen:
        manifest = tested.dataset.manifest
        counts.update(manifest["label"][manifest["source"].isin(tested.sources)])
    left_out = {name: n for name, n in counts.items() if name and name not in card.labels}
    if left_out:
        facts["left_out"] = left_out
    if absent := [label for label in card.labels if not counts[label]]:
        facts["absent"] = absent
    return facts


def _data_facts(chosen: list[TestSet]) -> list[dict[str, Any]]:
    return [
        {
            "name": tested.dataset.folder.name,
            "data_hash": tested.dataset.data_hash,
            "sources": list(tested.sources),
        }
        for tested in chosen
    ]


def _weights_facts(path: Path) -> dict[str, str]:
    try:
        return {"weights_sha256": file_hash(path), "weights_fingerprint": fingerprint(path)}
    except FileNotFoundError:
        raise CheckpointError(
            f"{path.parent.name} has no {path.name}. Train the run to its end."
        ) from None
