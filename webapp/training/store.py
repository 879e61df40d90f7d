"""What the training page reads from disk: runs, data sets, networks.  Costly things are kept."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.checkpoints import damage, is_own, title_of
from core.data import PAPER_SOURCES, leak_pairs, source_names
from core.errors import CheckpointError, DataError
from core.labels import CLASS_SETS
from core.paths import run_root
from core.training import (
    DAMAGED,
    Observed,
    RunConfig,
    RunFolder,
    list_jobs,
    list_runs,
    observe,
)
from webapp.dataset_explorer import store as data_store

if TYPE_CHECKING:
    from core.models import LayerRow


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a data set under a split.

    Attributes:
        class_set: "six" or "seven", as the data were prepared.
        train: Pictures.
        valid: Pictures.
        test: Pictures.
        leaks: Number of pictures of the second part with a copy in the first, by both names.
    """

    class_set: str
    train: int
    valid: int
    test: int
    leaks: dict[tuple[str, str], int]


def data_sets() -> dict[str, Path]:
    """Prepared data sets below the data root, by name."""
    return data_store.prepared()


def sources(folder: Path) -> list[str]:
    """Image sets of a data set."""
    return list(data_store.dataset(folder).info["counts"])


def all_sources() -> set[str]:
    """Image sets of all prepared data sets together."""
    return {name for folder in data_sets().values() for name in sources(folder)}


def parts(folder: Path, split: str, chosen: tuple[str, ...], class_set: str) -> Parts:
    """Numbers and leaks of a data set.

    Args:
        folder: Of the data set.
        split: Name of the split.
        chosen: Image sets; none for all.
        class_set: "six" or "seven"; only pictures of these classes are counted.

    Raises:
        DataError: The data set cannot be read.
    """
    try:
        changed = (folder / "splits" / f"{split}.csv").stat().st_mtime
    except OSError as error:
        raise DataError(f"{folder.name} has no split {split!r}. Choose another one.") from error
    return _parts(str(folder), split, chosen, class_set, changed)


@st.cache_data(max_entries=50, show_spinner="Looking for leaks …")
def _parts(
    folder: str, split: str, chosen: tuple[str, ...], class_set: str, changed: float
) -> Parts:
    dataset = data_store.dataset(Path(folder))
    learnt = dataset.manifest["label"].isin(CLASS_SETS[class_set]).to_numpy(bool)
    validating: Sequence[str] | None = chosen
    with suppress(DataError):  # none validates
        validating = dataset.validating(split, chosen)
    sources = {"train": chosen or None, "valid": validating or None, "test": chosen or None}
    numbers = {
        part: int(learnt[dataset.ids(split, part, names)].sum()) for part, names in sources.items()
    }
    pairs = leak_pairs(dataset, split)
    if chosen:
        used = {*chosen, *(validating or ())}
        pairs = pairs[pairs["source_a"].isin(used) & pairs["source_b"].isin(used)]
    leaks = Counter(zip(pairs["split_a"], pairs["split_b"], strict=True))
    return Parts(str(dataset.info["class_set"]), **numbers, leaks=dict(leaks))


def layers(model: str, classes: int, options: dict[str, Any]) -> "list[LayerRow]":
    """The layers of a network.

    Raises:
        ConfigError: An option is out of its range.
    """
    return _layers(model, classes, json.dumps(options, sort_keys=True))


@st.cache_resource(max_entries=50, show_spinner="Building the network …")
def _layers(model: str, classes: int, options: str) -> "list[LayerRow]":
    from core.models import summary  # loads torch

    return summary(model, classes, **json.loads(options))


def runs() -> dict[str, RunFolder]:
    """Runs by name: those at work, those that wait, then all others, the latest first."""
    order = {"running": 0, "queued": 1, "interrupted": 2}
    found = list_runs(run_root())
    found.sort(key=lambda folder: order.get(observe(folder).state, 3))
    return {folder.name: folder for folder in found}


def searches() -> dict[str, RunFolder]:
    """Searches by name, the latest change of state first."""
    found = [job for job in list_jobs(run_root()) if (job.path / "study.json").is_file()]
    found.sort(key=lambda folder: -observe(folder).since)
    return {folder.name: folder for folder in found}


def config(folder: RunFolder) -> RunConfig | None:
    """The configuration of a run; None where it cannot be read."""
    try:
        return folder.config()
    except CheckpointError:
        return None


DRAWN = {
    "epoch", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "valid_macro_f1",
    "learning_rate", "seconds",
}  # fmt: skip
MOMENT = {"faces_per_second", "eta_seconds", "time", "epoch", "epochs", "step", "steps", "share"}


def history(folder: RunFolder) -> list[dict[str, Any]]:
    """The epochs of a run of which all is known that is drawn."""
    return [line for line in folder.history() if set(line) >= DRAWN]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the files of a run said when they were read, in terms that agree with each other.

    Attributes:
        observed: Its state.
        epochs: Planned; 0 where that is not known.
        history: Of each epoch that ended, what is drawn.
        kept: Figures of the kept weights; {} where there are none.
        now: Where it stands inside an epoch; {} before its first batch, between two epochs, and
            while it is not at work.
    """

    observed: Observed
    epochs: int
    history: list[dict[str, Any]]
    kept: dict[str, Any]
    now: dict[str, Any]

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        if self.observed.state == "finished":
            return 1.0
        done = len(self.history) / self.epochs if self.epochs else 0.0
        return float(min(1.0, max(done, self.now.get("share", 0.0))))

    @property
    def done(self) -> str:
        """Epochs done, and planned; "none" where networks were joined or averaged."""
        return f"{len(self.history)} of {self.epochs}" if self.epochs else "none"

    @property
    def doing(self) -> str:
        """What it does now, for a user; the reason of its state while it is not at work."""
        if self.observed.state != "running":
            return self.observed.reason
        if self.now:
            batch = f"batch {self.now['step']:,} of {self.now['steps']:,}"
            return f"Epoch {self.now['epoch']} of {self.now['epochs']}, {batch}."
        if self.history:
            return f"Epoch {len(self.history)} of {self.epochs} is done."
        return "Starting the worker …"


def read(folder: RunFolder) -> Reading:
    """Read the files of a run once.

    What an earlier start left in progress.json is left out, and so is an epoch that ended since.
    """
    observed, settings = observe(folder), config(folder)
    now = folder.progress() if observed.state == "running" else {}
    ended = history(folder)  # after `now`, which it may overtake
    is_whole = set(now) >= MOMENT and now["time"] >= observed.since
    if not is_whole or now["epoch"] <= max((line["epoch"] for line in ended), default=0):
        now = {}
    return Reading(observed, settings.epochs if settings else 0, ended, folder.kept(), now)


def overview(folders: dict[str, RunFolder]) -> pd.DataFrame:
    """A row a run: name, state, epochs done, best validation accuracy and its course.

    "Words" are what else is known of its data, to be found by.
    """
    rows = []
    for name, folder in folders.items():
        found, settings = read(folder), config(folder)
        rows.append(
            {
                "Run": name,
                "Title": title_of(folder.path),
                "Best %": percents(found.kept.get("valid_accuracy")),
                # Beside it: figures of other data cannot be compared.
                "Data": data_name(settings, folder.path) if settings else "",
                "State": DAMAGED if damage(folder.path) else found.observed.state,
                "Epochs": found.done if settings else "",
                "Course": [line["valid_accuracy"] for line in found.history],
                "Network": settings.model if settings else "",
                "Changed": _moment(found.observed.since),
                "Own": is_own(folder.path),
                "Words": f"{settings.data} {source_names(settings.sources)}" if settings else "",
            }
        )
    return pd.DataFrame(rows)


def percents(share: float | None) -> float | None:
    """A share in percent, as a column of one decimal takes it."""
    return None if share is None else 100 * share


def _moment(seconds: float) -> pd.Timestamp | None:
    return pd.Timestamp(seconds, unit="s") if seconds else None


def data_name(config: RunConfig, folder: Path) -> str:
    """What a run learns from, short: the paper's image sets, or how many; else its data set.

    Args:
        config: Of the run.
        folder: Of the run; shipped ones that name no image sets learned from all of the paper.
    """
    names = set(config.sources or (() if is_own(folder) else PAPER_SOURCES))
    left_out = [name for name in PAPER_SOURCES if name not in names]
    if not names & set(PAPER_SOURCES):  # then a kind of folder, which says less than its name
        text = config.data
    elif len(names) < 3:
        text = " + ".join(source_names([name]) for name in config.sources)
    elif names < set(PAPER_SOURCES):
        text = f"{len(names)} sets, without {' + '.join(source_names([name]) for name in left_out)}"
    else:
        text = f"{len(names)} sets"
    return text if config.class_set == "six" else f"{text}, {len(config.labels)} classes"


def learned_from(config: RunConfig) -> str:
    """What a run learns from, in full: its image sets, or all of its data set."""
    return source_names(config.sources) or config.data
