"""The paper's tables, ours beside them."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import CheckpointError
from core.evaluation.bootstrap import Interval, accuracy_interval
from core.evaluation.predictions_file import RightAnswers
from core.evaluation.report_file import SIX, load_report
from core.evaluation.runs import ALL_SOURCES, Run, all_runs, earlier, epochs_of
from core.labels import EMOTIONS
from core.paths import run_root
from core.shapes import CardFile, ConfigFile
from core.stored import shaped_or_empty
from core.training import RunFolder, preset_names

FILE = Path(__file__).with_name("published.json")
RECIPE = "modern"  # of the command that is proposed for a row
WAITING = ("queued", "running")
PARTS = {  # name in the table -> split
    "train": "train",
    "test": "test",
    "valid": "published_valid",
    "test_clean": "test_clean",
    "valid_clean": "valid",
}


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row of a published table of accuracies.

    Attributes:
        dataset: As the table names it.
        model: As the table names it.
        name: Our registry name of the network.
        layers: Number of layers as the table counts them.
        architecture: The table's flags.
        parameters: Number of trainable values.
        train: Accuracy on the training part, %.
        test: Accuracy on the test part, %.
        valid: Accuracy on the published validation set, %.
    """

    dataset: str
    model: str
    name: str
    layers: int
    architecture: str
    parameters: int
    train: float
    test: float
    valid: float


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def published(part: str) -> dict[str, Any]:
    """One part of the file, with its `source`.

    Args:
        part: "paper", "table_1", "table_2", "table_3", "preliminary", "human_agreement", "peers"
            or "elsewhere".
    """
    copied: dict[str, Any] = deepcopy(_content()[part])  # a caller may change what it gets
    return copied


def published_rows(part: str = "table_2") -> tuple[PublishedRow, ...]:
    """The rows of Table 2, or of the preliminary report's table ("preliminary"), in order."""
    return tuple(PublishedRow(**row) for row in _content()[part]["rows"])


@dataclass(frozen=True, slots=True)
class Data:
    """How a table's data set is called elsewhere, and what its rows are given.

    Attributes:
        preset: As presets name it.
        sources: Its sources.
        epochs: The least that every row is trained for, so that rows are compared under budgets
            that are equal within a data set and can be had without a GPU; the paper has up to 80.
    """

    preset: str
    sources: frozenset[str]
    epochs: int


DATASETS = {
    "RAF-DB": Data("rafdb", frozenset({"raf_db"}), 10),
    "FER2013": Data("fer2013", frozenset({"fer2013"}), 4),
    "FER GiMEFiVE": Data("fergimefive", ALL_SOURCES, 4),
}


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of right answers with its 95 % interval, %."""

    percent: float
    low: float
    high: float
    n: int


def measure(folder: Path) -> dict[str, Accuracy]:
    """Accuracies of a run on every part of PARTS that its predictions hold.

    On the sources the run was trained on; the published validation set is one for all. Of a network
    with more classes, the answers between the paper's six count, to faces of these six.

    Raises:
        CheckpointError: Predictions or report.json are missing or damaged.
    """
    report = load_report(folder)
    sources = report["sources"]
    answers = RightAnswers.load(folder, EMOTIONS)
    found = {}
    for name, split in PARTS.items():
        correct = answers.of_split(split, sources)
        if len(correct):
            low, high = _reported(report, split, len(correct)) or accuracy_interval(correct)
            found[name] = Accuracy(100 * float(correct.mean()), 100 * low, 100 * high, len(correct))
    return found


def _reported(report: dict[str, Any], split: str, images: int) -> Interval | None:
    """The interval that the report gives to the accuracy on just these images, if it has one.

    Another draw of resamples would differ in the last digit.
    """
    figures = report.get(SIX, report).get("splits", {}).get(split, {})
    parts = figures.get("per_source", {})
    for one in (figures, *(parts.get(name, {}) for name in report["sources"])):
        if one.get("n") == images and "intervals" in one:
            low, high = one["intervals"]["accuracy"]
            return low, high
    return None


Measure = Callable[[Path], dict[str, Accuracy]]


def table2(
    *,
    part: str = "table_2",
    runs: Sequence[Run] | None = None,
    measured_by: Measure = measure,
) -> list[dict[str, Any]]:
    """The rows of Table 2 in the paper's order, published figures beside measured ones.

    A row is measured by the runs of its network, unchanged, on its sources. Of several, one trained
    on the clean split goes before one on the published; then the best on its own validation part,
    never on test.

    Args:
        part: "table_2", or "preliminary" for the preliminary report's rows.
        runs: Instead of `all_runs()`.
        measured_by: Instead of `measure`, for callers that keep results.

    Returns:
        A row each: dataset, model, name, layers, architecture, parameters, published {train, test,
        valid} in %, measured (the same in %, test_clean, valid_clean, run, split, intervals, n,
        epochs, earlier, faces_seen, faces_per_second, date; None where a part was not predicted) or
        None, status, command. Epochs and faces are of the run itself; `earlier` are the runs it
        went on from, each {run, epochs, sources, same_data}.
    """
    runs = all_runs() if runs is None else runs
    return [_row(row, runs, measured_by) for row in published_rows(part)]


def _row(row: PublishedRow, runs: Sequence[Run], measured_by: Measure) -> dict[str, Any]:
    candidates = [run for run in runs if _fits(run, row.dataset, row.name)]
    budget = DATASETS[row.dataset].epochs
    candidates.sort(
        key=lambda run: (
            run.split != "clean",
            epochs_of(run.folder) < budget,  # rows are compared after equally many
            -run.valid_accuracy,
            run.name,
        )
    )
    status, measured = _progress(candidates), None
    for run in candidates:
        if not run.evaluated:
            continue
        try:
            measured = _measured(run, runs, measured_by)
        except CheckpointError:
            continue  # as if not evaluated: the command shown writes the files again
        status = "measured"
        break
    return {
        "dataset": row.dataset,
        "model": row.model,
        "name": row.name,
        "layers": row.layers,
        "architecture": row.architecture,
        "parameters": row.parameters,
        "published": {"train": row.train, "test": row.test, "valid": row.valid},
        "measured": measured,
        "status": status,
        "command": _command(row, status, candidates, measured),
    }


def _fits(run: Run, dataset: str, name: str) -> bool:
    same_data = run.sources == DATASETS[dataset].sources
    return run.model == name and same_data and not run.changed


def _progress(candidates: Sequence[Run]) -> str:
    """The status of a row without measurements."""
    states = {run.state for run in candidates}
    if "running" in states:
        return "running"
    if any(run.trained for run in candidates):
        return "trained, not measured"
    return "queued" if "queued" in states else "not run"


def _measured(run: Run, runs: Sequence[Run], measured_by: Measure) -> dict[str, Any]:
    found = measured_by(run.folder)
    report = load_report(run.folder)
    card = shaped_or_empty(run.folder / "card.json", CardFile)
    epochs = epochs_of(run.folder)
    figures: dict[str, Any] = {
        name: found[name].percent if name in found else None for name in PARTS
    }
    return {
        **figures,
        "run": run.name,
        "split": run.split,
        "intervals": {name: [one.low, one.high] for name, one in found.items()},
        "n": {name: one.n for name, one in found.items()},
        "epochs": epochs,
        "earlier": [asdict(one) for one in earlier(run, runs)],
        "faces_seen": epochs * int(card.get("data", {}).get("train") or 0),
        "faces_per_second": report.get("faces_per_second"),
        "date": report.get("date"),
    }


def _command(
    row: PublishedRow, status: str, candidates: Sequence[Run], measured: dict[str, Any] | None
) -> str:
    """What to run for the row's next step; the measurement itself where there is one."""
    if measured is not None:
        return f"python -m core evaluate {measured['run']}"
    if status == "trained, not measured":
        name = next(run.name for run in candidates if run.trained)
        return f"python -m core evaluate {name}"
    preset = f"{DATASETS[row.dataset].preset}-{row.name}-{RECIPE}"
    if preset not in _presets():
        return ""
    return f"python -m core train {preset}"


def missing_runs(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The commands that complete the table, one for each row that lacks its budget.

    Args:
        rows: What `table2` gave.

    Returns:
        A line a row that is not measured, or was trained for fewer epochs than its data set's rows
        are given, and is not waiting already. It measures a run that had them, goes on with the one
        of the name proposed that was ended before, or queues one under a name that is free.
    """
    runs = all_runs()
    return [line for row in rows if (line := _next_command(row, runs))]


def _next_command(row: dict[str, Any], runs: Sequence[Run]) -> str:
    data = DATASETS[row["dataset"]]
    preset = f"{data.preset}-{row['name']}-{RECIPE}"
    own = [run for run in runs if _fits(run, row["dataset"], row["name"])]
    whole = [run for run in own if _planned(run) >= data.epochs]
    is_waiting = row["status"] in WAITING or any(run.state in WAITING for run in whole)
    trained = (row["measured"] or {}).get("epochs", 0)
    if trained >= data.epochs or is_waiting or preset not in _presets():
        return ""
    for run in own:
        if run.trained and not run.evaluated and epochs_of(run.folder) >= data.epochs:
            return f"python -m core evaluate {run.name}"
    name = f"{data.preset}-{row['name'].replace('_', '-')}-{data.epochs}-epochs"
    if any(run.name == name and _can_go_on(run) for run in whole):
        return f"python -m core train --resume --run {name}"
    names = (name, *(f"{name}-{number}" for number in range(2, 1_000)))
    free = next(one for one in names if not RunFolder.named(run_root(), one).is_taken)
    return f"python -m core queue add {preset} --run {free} --set epochs={data.epochs}"


def _planned(run: Run) -> int:
    """Epochs that a run is to have; 0 where it does not say."""
    return int(shaped_or_empty(run.folder / "config.json", ConfigFile).get("epochs", 0))


def _can_go_on(run: Run) -> bool:
    """Whether a run was ended before it finished, and what it had then is still there."""
    has_save = RunFolder(run.folder).last.exists() or not epochs_of(run.folder)
    return has_save and run.state in ("stopped", "failed", "interrupted")


@cache
def _presets() -> frozenset[str]:
    return frozenset(preset_names())


def peer_scores(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Figures of a report as "peers" has them: of the answers between the paper's six classes, %.

    Without copies are those of which the published training part has none.
    """
    splits = (report.get(SIX) or report)["splits"]
    places = {
        "raf_db": ("test", "raf_db"),
        "fer2013": ("test", "fer2013"),
        "fer2013_without_twins": ("test_clean", "fer2013"),
    }
    scores = {}
    for key, (part, source) in places.items():
        if one := splits.get(part, {}).get("per_source", {}).get(source):
            scores[key] = {name: 100 * one[name] for name in ("accuracy", "macro_f1")}
    return scores
