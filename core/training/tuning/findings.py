"""What a search has found so far, read from its storage."""

from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState

from core.training.config import RunConfig
from core.training.run_folder import RunFolder
from core.training.tuning.search import Search
from core.training.tuning.space import Value, configured
from core.training.tuning.study import counted, open_study

ENOUGH = 4  # complete trials; with fewer an importance says nothing


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial.

    Attributes:
        number: Its number in the study.
        state: "finished", "pruned", "failed", "running" or "queued".
        value: The goal reached, 0 to 1: the best epoch of a finished trial, the last one of a
            pruned one; None before there is any.
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
    kept = {trial.number for trial in counted(study)}
    trials = study.get_trials(deepcopy=False)
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
