"""A search's trials: stored, and read."""

import os
import platform
import time
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import numpy as np
import optuna
from optuna.exceptions import OptunaError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, GridSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from core.errors import TrainingError
from core.process import ProcessId
from core.training.config import RunConfig
from core.training.run_folder import RunFolder
from core.training.tuning.search import Search
from core.training.tuning.space import Choice, Range, Value, configured

WARM_UP_TRIALS, WARM_UP_EPOCHS = 5, 2  # before the median of the others may end a trial
POPULATION = 20  # of NSGA-II; Optuna's 50 would be most of a search that a few cores can run
AGAIN = "again_for"  # names the trial whose end was no fault of its settings
SEARCHED = "searched"  # says of a shared study which search it belongs to
NEEDLESS = "needless"  # says why a trial was not run: another process does what it would have done
JOURNAL = "journal://"  # begins the address of a file that machines append to
JUST_BEGUN = 60.0  # seconds within which a trial says whose it is
LOOK_AGAIN = 0.02  # seconds
ENOUGH = 4  # complete trials; with fewer an importance says nothing


def open_study(folder: RunFolder, search: Search) -> optuna.Study:
    """The study of a search, made where it is not there yet.

    Raises:
        TrainingError: The storage cannot be used, or holds another search of this name.
    """
    # A failed trial keeps its reason; a traceback on the terminal would tell no more.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(
            storage=_storage(search.storage_url(folder)),
            study_name=folder.name,
            direction="maximize",
            load_if_exists=True,
            pruner=_pruner(search),
        )
        study.sampler = _sampler(search, len(study.get_trials(deepcopy=False)))
        if search.storage:
            _join(study, folder, search)
    except (SQLAlchemyError, OptunaError, ImportError, RuntimeError, ValueError, OSError) as error:
        first = str(error).splitlines()[0]
        raise TrainingError(
            f"The storage of {folder.name} ({search.shown_storage}) cannot be used: {first}. "
            "Check address, driver and rights."
        ) from error
    return study


def _join(study: optuna.Study, folder: RunFolder, search: Search) -> None:
    """Note whose a shared study is, or make sure that it is this search's.

    Raises:
        TrainingError: It has trials, and they are another search's.
    """
    noted, has_begun = study.user_attrs.get(SEARCHED), bool(folder.progress())
    if noted == search.digest:
        return
    # Earlier versions noted nothing; what was begun with one goes on.
    if not study.get_trials(deepcopy=False) or (has_begun and noted is None):
        study.set_user_attr(SEARCHED, search.digest)
    elif not has_begun:
        whose = "another search" if noted else "an earlier version's search"
        raise TrainingError(
            f"The storage {search.shown_storage} holds trials of {whose} named {folder.name}; "
            "expected none, or those of the same space, base and goal. Choose another name or "
            "storage."
        )


def _storage(address: str) -> str | JournalStorage:
    if not address.startswith(JOURNAL):
        return address
    return JournalStorage(JournalFileBackend(address.removeprefix(JOURNAL)))


def _sampler(search: Search, done: int) -> BaseSampler:
    # The seed moves on with the trials, else a search taken up again would repeat its first ones.
    parts = [search.seed, done]
    if search.storage:
        # Neither machines nor processes of one may draw the same.
        parts.append(zlib.crc32(f"{platform.node()} {os.getpid()}".encode()))
    seed = int(np.random.SeedSequence(parts).generate_state(1)[0] % 2**31)
    if search.sampler == "grid":
        values = {
            name: list(one.values) for name, one in search.space.items() if isinstance(one, Choice)
        }
        return GridSampler(values, seed=search.seed)  # the same order of the grid for everybody
    if search.sampler == "random":
        return RandomSampler(seed=seed)
    if search.sampler == "tpe":
        return TPESampler(seed=seed)
    return NSGAIISampler(population_size=POPULATION, seed=seed)


def _pruner(search: Search) -> BasePruner:
    if search.pruner == "none":
        return NopPruner()
    if search.pruner == "hyperband":
        epochs = search.space.get("epochs")
        longest: float = search.base.epochs
        if isinstance(epochs, Choice):
            longest = max(float(value) for value in epochs.values)
        elif isinstance(epochs, Range):
            longest = epochs.high
        return HyperbandPruner(min_resource=1, max_resource=max(1, int(longest)))
    return MedianPruner(n_startup_trials=WARM_UP_TRIALS, n_warmup_steps=WARM_UP_EPOCHS + 1)


def suggested(trial: optuna.Trial, name: str, one: Choice | Range) -> Value:
    """The value the sampler chooses for a setting."""
    if isinstance(one, Choice):
        chosen = trial.suggest_categorical(name, one.values)
        return cast(Value, chosen)  # Optuna would also allow None
    if one.whole:
        return trial.suggest_int(name, int(one.low), int(one.high), log=one.log)
    return trial.suggest_float(name, one.low, one.high, log=one.log)


def counted(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that ended by themselves; those begun anew and needless ones do not count."""
    return _counted(study.get_trials(deepcopy=False))


def _counted(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    redone = {trial.user_attrs.get(AGAIN) for trial in trials}
    return [
        trial
        for trial in trials
        if trial.state.is_finished()
        and trial.number not in redone
        and NEEDLESS not in trial.user_attrs
    ]


def needless(study: optuna.Study, trial: optuna.Trial, wanted: int) -> str:
    """Why a trial that has its settings need not be run, or "".

    Two processes may ask for the last trial, or for the same point of a grid, at the same moment;
    the one whose trial has the lower number runs it. Trials of a grid that were begun earlier are
    waited for until they have their point.

    Args:
        study: What they share.
        trial: The one just begun.
        wanted: Trials in all.
    """
    before = _earlier(study, trial)
    if len(before) >= wanted:
        return "enough"
    if not isinstance(study.sampler, GridSampler):
        return ""
    while any(_is_without_point(one, trial) for one in before):
        time.sleep(LOOK_AGAIN)
        before = _earlier(study, trial)
    return "twin" if any(one.params == trial.params for one in before) else ""


def _earlier(study: optuna.Study, trial: optuna.Trial) -> list[FrozenTrial]:
    """Trials of lower numbers that ended by themselves or that this machine runs."""
    trials = study.get_trials(deepcopy=False)  # once: one that ends meanwhile is not missed
    ended = {one.number for one in _counted(trials)}
    return [
        one
        for one in trials
        if one.number < trial.number and (one.number in ended or _is_running_here(one))
    ]


def _is_without_point(trial: FrozenTrial, full: optuna.Trial) -> bool:
    begun = trial.datetime_start
    return (
        trial.state == TrialState.RUNNING
        and len(trial.params) < len(full.params)
        and begun is not None
        and (datetime.now() - begun).total_seconds() < JUST_BEGUN
    )


def _is_running_here(trial: FrozenTrial) -> bool:
    """Whether a process of this machine runs it; of other machines nobody knows."""
    if trial.state != TrialState.RUNNING or NEEDLESS in trial.user_attrs:
        return False
    if "process" not in trial.user_attrs:
        begun = trial.datetime_start
        return begun is not None and (datetime.now() - begun).total_seconds() < JUST_BEGUN
    process = ProcessId.from_json(trial.user_attrs["process"])
    return process.is_here and process.is_alive(before=0.0)


def begin_again(study: optuna.Study, trial: FrozenTrial) -> None:
    """Queue the settings of a trial that was interrupted, with its place in the grid; once."""
    if any(one.user_attrs.get(AGAIN) == trial.number for one in study.get_trials(deepcopy=False)):
        return
    study.add_trial(
        optuna.create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={AGAIN: trial.number},
            system_attrs=trial.system_attrs,
        )
    )


def recover(study: optuna.Study, *, shared: bool) -> None:
    """Begin those trials again whose process, on this machine, is gone.

    Args:
        study: Theirs.
        shared: Whether other processes may begin trials now, which then say whose they are in a
            moment.
    """
    sampler = study.sampler
    # Told of the end of its last trial, a grid would stop a loop that has not begun.
    study.sampler = RandomSampler()
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if shared and _is_running_here(trial):
            continue
        process = ProcessId.from_json(trial.user_attrs.get("process", {}))
        if process.is_here and not process.is_alive(before=0.0):
            begin_again(study, trial)
            study.tell(trial.number, state=TrialState.FAIL)
    study.sampler = sampler


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial.

    Attributes:
        number: Its number in the study.
        state: "finished", "pruned", "failed", "running" or "queued".
        value: The goal reached, 0 to 1: that of a finished trial's kept weights, of a pruned one's
            last epoch; None before there is any.
        chosen: Values by setting.
        epochs: Epochs reported.
        seconds: How long it took, or None while it runs.
        reason: Why it failed, or "".
    """

    number: int
    state: str
    value: float | None
    chosen: dict[str, Value]
    epochs: int
    seconds: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All trials of a search.

    Attributes:
        trials: By number; those that were interrupted and begun again are left out.
        importance: Share of each setting in how the goal varies (Watanabe et al., PED-ANOVA, 2023),
            largest first; empty while there are too few trials.
    """

    trials: tuple[Trial, ...]
    importance: dict[str, float]

    @property
    def best(self) -> list[Trial]:
        """Finished trials, the best first."""
        finished = [trial for trial in self.trials if trial.state == "finished"]
        return sorted(finished, key=lambda trial: -(trial.value or 0.0))


_STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "queued",
}


def read_findings(folder: RunFolder) -> Findings:
    """Read the trials of a search.

    Raises:
        CheckpointError: The folder holds no search.
        TrainingError: Its storage cannot be used.
    """
    study = open_study(folder, Search.load(folder))
    trials = study.get_trials(deepcopy=False)
    kept = {trial.number for trial in _counted(trials)}
    shown = [trial for trial in trials if trial.number in kept or not trial.state.is_finished()]
    return Findings(tuple(_trial(trial) for trial in shown), _importance(study))


def _trial(trial: FrozenTrial) -> Trial:
    reported = trial.intermediate_values
    value = trial.value
    if value is None and reported:
        value = reported[max(reported)]
    length = trial.duration
    return Trial(
        number=trial.number,
        state=_STATES[trial.state],
        value=value,
        chosen=dict(trial.params),
        epochs=len(reported),
        seconds=None if length is None else length.total_seconds(),
        reason=str(trial.user_attrs.get("reason", "")),
    )


def _importance(study: optuna.Study) -> dict[str, float]:
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < ENOUGH or len({trial.value for trial in complete}) < 2:
        return {}
    found = optuna.importance.get_param_importances(study)
    return {name: float(share) for name, share in found.items()}


def trial_config(folder: RunFolder, trial: Trial) -> RunConfig:
    """The configuration a trial ran with."""
    return configured(Search.load(folder).base, trial.chosen)
