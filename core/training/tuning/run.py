"""Work on a search: one trial after the other in this process, the data loaded once."""

import time
from collections.abc import Callable
from typing import Any

import optuna
from optuna.samplers import GridSampler
from optuna.trial import TrialState

from core.errors import CoreError, TrainingError, refusal
from core.files import clear_leftovers
from core.process import ProcessId
from core.training.batches import TrainingData
from core.training.records import Records
from core.training.run import run_training, training_data
from core.training.run_folder import RunFolder
from core.training.trainer import Stopped
from core.training.tuning.search import Search, trial_folder
from core.training.tuning.space import check_networks, configured
from core.training.tuning.study import (
    NEEDLESS,
    begin_again,
    counted,
    needless,
    open_study,
    recover,
    suggested,
)

PRUNED = "Ended early: other trials did better at this point."
Progress = Callable[[dict[str, Any]], None]


def run_search(
    folder: RunFolder,
    search: Search | None = None,
    *,
    on_progress: Progress = lambda progress: None,
) -> str:
    """Run trials until there are enough, the grid is exhausted, or a stop is asked for.

    Args:
        folder: Holds study.json; the trials' run folders go below it.
        search: To begin, in a folder that holds no job yet; None to go on with the folder's own.
        on_progress: Called after every trial with what progress.json holds.

    Returns:
        The final state, "finished" or "stopped".

    Raises:
        CoreError: The search failed; status.json says why as well. Or it did not begin, since
            another process works on the folder.
    """
    if search is not None:
        check_networks(search.space, search.base)
        if search.storage:
            open_study(folder, search)  # refuses another search's before anything is written
    else:
        Search.load(folder)  # refuses a folder without one before anything is written
    records = Records(folder)
    with records.claimed(new=search is not None):
        if search is not None:
            search.save(folder)
        with records.at_work("search") as is_asked:
            search = Search.load(folder)
            _Searcher(folder, search, training_data(search.base), on_progress).run(is_asked)
    return records.state


class _Searcher:
    """Runs trials.

    Args:
        folder: The search's folder.
        search: What is searched, and how.
        data: The parts all trials learn from and are chosen on.
        on_progress: Called after every trial.
    """

    def __init__(
        self, folder: RunFolder, search: Search, data: TrainingData, on_progress: Progress
    ) -> None:
        self.folder, self.search, self.data = folder, search, data
        self.on_progress = on_progress
        self.study = open_study(folder, search)

    def run(self, stop: Callable[[], bool]) -> None:
        """Run trials to the end.

        Raises:
            Stopped: A stop was asked for.
            TrainingError: Every trial failed.
        """
        recover(self.study, shared=bool(self.search.storage))
        for trial in (self.folder.path / "trials").glob("*"):
            clear_leftovers(trial)  # one that was killed is begun again in another folder
        self._report()
        while len(counted(self.study)) < self.search.trials and not self._grid_is_exhausted():
            if stop():
                raise Stopped
            enough = self._one_trial(stop)
            self._report()
            if enough:
                return  # other processes of this machine run the last ones
        self._refuse_failed()

    def _refuse_failed(self) -> None:
        """Make sure that the search has found anything.

        Raises:
            TrainingError: Every trial failed.
        """
        trials = counted(self.study)
        if trials and all(trial.state == TrialState.FAIL for trial in trials):
            raise TrainingError(
                f"All {len(trials)} trials failed. The first: {trials[0].user_attrs.get('reason')}"
            )

    def _grid_is_exhausted(self) -> bool:
        """Whether all of the grid was tried; a point that is to be begun again was not."""
        sampler = self.study.sampler
        if not isinstance(sampler, GridSampler):
            return False
        again = self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return not again and sampler.is_exhausted(self.study)

    def _one_trial(self, stop: Callable[[], bool]) -> bool:
        """Run a trial; whether it was needless, since others run all that are wanted."""
        own = 0

        def objective(trial: optuna.Trial) -> float:
            nonlocal own
            own = trial.number
            trial.set_user_attr("process", ProcessId.of().to_json())
            return self._goal_of(trial, stop)

        self.study.optimize(objective, n_trials=1, catch=(CoreError,))
        why = self.study.get_trials(deepcopy=False)[own].user_attrs.get(NEEDLESS, "")
        if not why:
            self._keep_best(trial_folder(self.folder, own))
        return str(why) == "enough"

    def _goal_of(self, trial: optuna.Trial, stop: Callable[[], bool]) -> float:
        """Train with the settings of a trial; the goal of the weights that it kept.

        Raises:
            TrialPruned: Other trials did better.
            Stopped: A stop was asked for; the trial will be begun again.
            OSError: The disk refused something; the trial will be begun again, too.
            CoreError: It failed.
        """
        run = trial_folder(self.folder, trial.number)
        pruned = False

        def judge(line: dict[str, Any]) -> None:
            nonlocal pruned
            trial.report(line[self.search.goal], line["epoch"])
            pruned = trial.should_prune()
            if pruned:
                raise Stopped(PRUNED)

        chosen = {name: suggested(trial, name, one) for name, one in self.search.space.items()}
        if self.search.storage and (why := needless(self.study, trial, self.search.trials)):
            trial.set_user_attr(NEEDLESS, why)
            raise optuna.TrialPruned
        try:
            config = configured(self.search.base, chosen)
            # Frames and votes are loaded only where the settings want them.
            own = not self.search.space.keys().isdisjoint(("augment.reframe", "rater_share"))
            data = None if own else self.data
            state = run_training(config, run, data=data, stop=stop, on_epoch=judge)
        except (CoreError, OSError) as error:
            refused = refusal(error)
            if refused is not None:  # no fault of these settings: all trials would end so
                begin_again(self.study, self.study.get_trials(deepcopy=False)[trial.number])
                raise OSError(refused.errno, refused.strerror, refused.filename) from error
            trial.set_user_attr("reason", str(error))
            raise
        if pruned:
            raise optuna.TrialPruned
        if state == "stopped":
            begin_again(self.study, self.study.get_trials(deepcopy=False)[trial.number])
            run.last.unlink(missing_ok=True)
            raise Stopped
        return float(run.kept()[self.search.goal])

    def _keep_best(self, run: RunFolder) -> None:
        """Keep the weights of the best trial only: a search may have hundreds."""
        run.last.unlink(missing_ok=True)
        best = _best_number(self.study)
        for other in (self.folder.path / "trials").glob("*"):
            if best is None or other != trial_folder(self.folder, best).path:
                RunFolder(other).weights.unlink(missing_ok=True)

    def _report(self) -> None:
        done = len(counted(self.study))
        best = _best_number(self.study)
        progress = {
            "done": done,
            "trials": self.search.trials,
            "share": min(1.0, done / self.search.trials),
            "best": None if best is None else self.study.best_value,
            "time": time.time(),
        }
        self.folder.set_progress(**progress)
        self.on_progress(progress)


def _best_number(study: optuna.Study) -> int | None:
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return study.best_trial.number if complete else None
