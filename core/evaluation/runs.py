"""Run folders as the tables see them: what was trained on what, how far it is, what it measured.

Free of torch: cards and configurations are read as JSON.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.checkpoints import WEIGHTS, evaluations_of, list_run_folders
from core.data import DEMO, PAPER_SOURCES, PUBLISHED_VALID
from core.errors import CheckpointError, CoreError
from core.evaluation.predictions_file import predictions_changed
from core.evaluation.prepared import sources_of
from core.files import fingerprint
from core.measured_shapes import ReportFile
from core.paths import below, data_root
from core.shapes import CardFile, ConfigFile, DatasetFile
from core.stored import shaped_or_empty
from core.training import RunFolder, observe

ALL_SOURCES = frozenset(PAPER_SOURCES)


@dataclass(frozen=True, slots=True)
class Run:
    """One run folder.

    Attributes:
        folder: Where it lies.
        model: Registry name.
        changed: Whether options make it another network than the registry's row of that name.
        sources: Names of the sources trained on.
        split: "clean" or "published".
        state: As `core.training.observe` finds it.
        trained: Whether weights exist.
        evaluated: Whether predictions exist and belong to those weights.
        valid_accuracy: On the part the run was chosen by, 0 to 1; 0 where unknown.
    """

    folder: Path
    model: str
    changed: bool
    sources: frozenset[str]
    split: str
    state: str
    trained: bool
    evaluated: bool
    valid_accuracy: float

    @property
    def name(self) -> str:
        return self.folder.name


def all_runs() -> list[Run]:
    """All readable runs below the run root and those of the repository, by name."""
    runs = (run_of(folder) for folder in list_run_folders())
    return [run for run in runs if run is not None]


def run_of(folder: Path) -> Run | None:
    """What a run folder says of itself; None where it says nothing one can use."""
    card = shaped_or_empty(folder / "card.json", CardFile)
    config = shaped_or_empty(folder / "config.json", ConfigFile)
    data = card.get("data", {})
    model = card.get("model") or config.get("model")
    if not model:
        return None
    report = shaped_or_empty(folder / "report.json", ReportFile)
    split = data.get("split") or config.get("split") or "clean"
    trained = bool(card) and (folder / WEIGHTS).is_file()
    return Run(
        folder=folder,
        model=str(model),
        changed=bool(card.get("model_options") or config.get("model_options")),
        sources=learned_from(folder),
        split=str(split),
        state=observe(RunFolder(folder)).state,
        trained=trained,
        evaluated=bool(card) and _is_current(folder, report),
        valid_accuracy=float(card.get("metrics", {}).get("valid_accuracy", 0.0)),
    )


def recipe(folder: Path) -> str | None:
    """How a run was trained but for its image sets, as text; None where that is not known."""
    try:
        settings = asdict(RunFolder(folder).config())
    except CoreError:
        return None
    for name in ("data", "sources", "seed", "save_minutes"):
        settings.pop(name)
    return json.dumps(settings, default=str)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run with whose weights another began.

    Attributes:
        run: Its name.
        epochs: Of its own training; None where its folder is not at hand, so that whatever came
            before it is not known either.
        sources: Names of the sources trained on, sorted; of an unknown run as far as a card says.
        same_data: Whether these are those of the run that went on.
    """

    run: str
    epochs: int | None
    sources: list[str]
    same_data: bool


def earlier(run: Run, runs: Sequence[Run]) -> list[Earlier]:
    """The runs that a run went on from, the first of them first; empty where it began afresh.

    Args:
        run: Whose cards, and those before it, name the start.
        runs: Among which the start is looked for.
    """
    known = {one.name: one for one in runs if one.name != run.name}
    found: list[Earlier] = []
    folder: Path | None = run.folder
    while folder is not None:
        initial = shaped_or_empty(folder / "card.json", CardFile).get("data", {}).get("initial")
        if not initial:
            break
        name = initial["checkpoint"]
        start = known.pop(name, None)
        epochs = None if start is None else epochs_of(start.folder) or None
        sources = start.sources if start else initial.get("sources") or ()
        found.append(Earlier(name, epochs, sorted(sources), set(sources) == run.sources))
        folder = None if start is None else start.folder
    return found[::-1]


def epochs_of(folder: Path) -> int:
    """Epochs of a run's own training; 0 where none is recorded."""
    return max((int(line["epoch"]) for line in RunFolder(folder).history()), default=0)


def learned_from(folder: Path) -> frozenset[str]:
    """Names of the sources that a run was trained on.

    Where its files name none these are all of its very data set, else those of its report. Where
    there is neither, they are those of a data set of its name, or all five. Of an imported network
    they are unknown, so there are none.
    """
    data = shaped_or_empty(folder / "card.json", CardFile).get("data", {})
    if "imported" in data:
        return frozenset()
    config = shaped_or_empty(folder / "config.json", ConfigFile)
    report = shaped_or_empty(folder / "report.json", ReportFile)
    # A card that names none says all, whatever the other files say.
    named = next((one["sources"] for one in (data, config, report) if "sources" in one), ())
    if named:
        return frozenset(str(name) for name in named)
    name = str(data.get("name") or config.get("data") or "")
    try:
        dataset = shaped_or_empty(below(data_root(), name) / "dataset.json", DatasetFile)
    except CoreError:
        dataset = {}
    known = frozenset(sources_of(dataset)) - {PUBLISHED_VALID}
    if known and dataset["data_hash"] == data.get("data_hash"):
        return known
    gone = {DEMO} if name == DEMO else ALL_SOURCES
    return frozenset(report.get("sources") or known or gone)


def measured_place(folder: Path, data: str = "") -> Path:
    """The folder with the report and predictions of a run's present weights.

    Args:
        folder: Of the run.
        data: Name of the data it was measured on; "" for those beside its weights.

    Raises:
        CheckpointError: There are none, or they are of earlier weights.
    """
    run, others = run_of(folder), evaluations_of(folder, "report.json")
    own = shaped_or_empty(folder / "card.json", CardFile).get("data", {}).get("name")
    if data in others and predictions_changed(others[data]):
        return others[data]
    if run is not None and run.evaluated and data in ("", own):
        return folder
    on = f" on {data}" if data else ""
    known = f" It was on {', '.join(others)}: choose by --data." if others and not data else ""
    option = f" --data {data}" if data else ""
    raise CheckpointError(
        f"{folder.name} was not measured{on} with the weights that it has now.{known} "
        f"Run: python -m core evaluate {folder.name}{option}"
    )


def _is_current(folder: Path, report: dict[str, Any]) -> bool:
    """Whether predictions exist and were made by the weights beside them, if these are kept."""
    if not report or not predictions_changed(folder):
        return False
    weights = folder / WEIGHTS
    return not weights.is_file() or fingerprint(weights) == report.get("weights_fingerprint")
