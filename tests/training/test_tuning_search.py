"""Searches with every sampler: enough trials, no repeats of a grid, resumable, prunable."""

import errno
from pathlib import Path
from typing import Any

import optuna
import pytest

from core.errors import CoreError, TrainingError
from core.files import write_json
from core.process import ProcessId
from core.training import RunConfig, RunFolder, Search, add_search, observe, read_findings
from core.training.batches import TrainingData
from core.training.trainer import Stopped
from core.training.tuning import run
from core.training.tuning.search import trial_folder
from core.training.tuning.space import Choice, Range, Space
from core.training.tuning.study import begin_again, open_study

GRID: Space = {"learning_rate": Choice((0.1, 0.01)), "batch_size": Choice((8, 16, 32))}


class Stage:
    """Stands for training: the goal is a known function of the settings.

    Attributes:
        runs: Settings of the runs, in their order.
        stop_after: Runs after which a stop is asked for.
    """

    def __init__(self) -> None:
        self.runs: list[RunConfig] = []
        self.stop_after = 10_000
        self.fail_with_batch = 0

    def goal(self, config: RunConfig, epoch: int) -> float:
        return min(0.9, config.learning_rate * 5 + config.batch_size / 100) * epoch / config.epochs

    def run(self, config: RunConfig, folder: RunFolder, **options: Any) -> str:  # noqa: ANN401
        self.runs.append(config)
        folder.create(config)
        if config.batch_size == self.fail_with_batch:
            raise TrainingError("It was too much.")
        for epoch in range(1, config.epochs + 1):
            if options["stop"]() or len(self.runs) > self.stop_after:
                return "stopped"
            value = self.goal(config, epoch)
            line = {"epoch": epoch, "valid_accuracy": value, "valid_macro_f1": 1 - value}
            folder.append_metrics(line)
            folder.weights.write_bytes(b"x")
            folder.last.write_bytes(b"x")
            try:
                options["on_epoch"](line)
            except Stopped:
                return "stopped"
        return "finished"


@pytest.fixture
def stage(stripes_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    monkeypatch.setattr(run, "run_training", made.run)
    monkeypatch.setattr(run, "training_data", lambda config: stripes_data)
    return made


def search_folder(tmp_path: Path, space: Space, **settings: Any) -> RunFolder:  # noqa: ANN401
    values = {"trials": 6, "pruner": "none", **settings}
    return add_search(tmp_path, "search", Search(space, RunConfig(epochs=4), **values))


def test_a_grid_tries_every_combination_once(stage: Stage, tmp_path: Path) -> None:
    folder = search_folder(tmp_path, GRID, sampler="grid", trials=100)

    assert run.run_search(folder) == "finished"

    tried = [(run.learning_rate, run.batch_size) for run in stage.runs]
    assert sorted(tried) == [(r, b) for r in (0.01, 0.1) for b in (8, 16, 32)]
    findings = read_findings(folder)
    assert [trial.state for trial in findings.trials] == ["finished"] * 6
    assert findings.best[0].chosen == {"learning_rate": 0.1, "batch_size": 32}
    assert findings.best[0].value == pytest.approx(0.82)


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
def test_samplers_find_the_better_half(stage: Stage, tmp_path: Path, sampler: str) -> None:
    space: Space = {"learning_rate": Range(1e-4, 0.1, log=True), "batch_size": Choice((8, 16, 32))}
    folder = search_folder(tmp_path, space, sampler=sampler, trials=15)

    run.run_search(folder)

    findings = read_findings(folder)
    assert len(findings.trials) == 15
    assert all(1e-4 <= run.learning_rate <= 0.1 for run in stage.runs)
    assert len({run.learning_rate for run in stage.runs}) > 8
    assert (findings.best[0].value or 0) > 0.45
    assert set(findings.importance) == set(space)
    assert sum(findings.importance.values()) == pytest.approx(1)


def test_the_median_ends_hopeless_trials_early(stage: Stage, tmp_path: Path) -> None:
    folder = search_folder(tmp_path, GRID, sampler="random", trials=20, pruner="median")

    run.run_search(folder)

    pruned = [trial for trial in read_findings(folder).trials if trial.state == "pruned"]
    assert pruned
    assert all(trial.epochs == 3 for trial in pruned)  # two epochs are let go


def test_the_goal_may_be_the_macro_f1(stage: Stage, tmp_path: Path) -> None:
    folder = search_folder(tmp_path, GRID, sampler="grid", goal="valid_macro_f1")

    run.run_search(folder)

    # Of four epochs the last has the highest accuracy, whose weights are kept.
    best = read_findings(folder).best[0]
    assert best.chosen == {"learning_rate": 0.01, "batch_size": 8}
    assert best.value == pytest.approx(1 - 0.13)


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_trial_is_worth_what_the_weights_that_it_kept_reach(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int
) -> None:
    kept = {"epoch": epoch, "valid_accuracy": 0.95, "valid_macro_f1": 0.5}

    def keep(config: RunConfig, folder: RunFolder, **options: Any) -> str:  # noqa: ANN401
        state = stage.run(config, folder, **options)
        write_json(folder.card, {"metrics": kept})
        return state

    monkeypatch.setattr(run, "run_training", keep)
    folder = search_folder(tmp_path, GRID, sampler="grid", goal="valid_macro_f1")

    run.run_search(folder)

    assert {trial.value for trial in read_findings(folder).trials} == {0.5}
    assert folder.progress()["best"] == 0.5


def test_a_failed_trial_is_told_and_the_others_go_on(stage: Stage, tmp_path: Path) -> None:
    stage.fail_with_batch = 16
    folder = search_folder(tmp_path, GRID, sampler="grid")

    assert run.run_search(folder) == "finished"

    failed = [trial for trial in read_findings(folder).trials if trial.state == "failed"]
    assert [trial.chosen["batch_size"] for trial in failed] == [16, 16]
    assert failed[0].reason == "It was too much."
    assert len(read_findings(folder).best) == 4


def test_a_search_whose_trials_all_fail_has_failed(stage: Stage, tmp_path: Path) -> None:
    stage.fail_with_batch = 8
    folder = RunFolder(tmp_path / "search")
    search = Search({"learning_rate": Choice((0.1, 0.2))}, RunConfig(batch_size=8, epochs=1),
                    sampler="grid", trials=2)  # fmt: skip

    with pytest.raises(TrainingError, match=r"All 2 trials failed\. The first: It was too much"):
        run.run_search(folder, search)

    assert folder.status()["state"] == "failed"


def test_only_the_best_trial_keeps_its_weights(stage: Stage, tmp_path: Path) -> None:
    folder = search_folder(tmp_path, GRID, sampler="grid")

    run.run_search(folder)

    best = read_findings(folder).best[0].number
    kept = [path.parent.name for path in folder.path.glob("trials/*/weights.safetensors")]
    assert kept == [trial_folder(folder, best).path.name]
    assert list(folder.path.glob("trials/*/last.pt")) == []


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_a_stopped_search_goes_on_with_the_trial_it_left(
    stage: Stage, tmp_path: Path, sampler: str
) -> None:
    folder = search_folder(tmp_path, GRID, sampler=sampler)
    stage.stop_after = 2
    assert run.run_search(folder) == "stopped"
    assert observe(folder).state == "stopped"
    left = stage.runs[2]

    stage.stop_after = 10_000
    assert run.run_search(folder) == "finished"

    assert (stage.runs[3].learning_rate, stage.runs[3].batch_size) == (
        left.learning_rate, left.batch_size,
    )  # fmt: skip
    findings = read_findings(folder)
    assert len(findings.best) == 6
    if sampler == "grid":
        assert len({tuple(trial.chosen.values()) for trial in findings.best}) == 6


@pytest.mark.parametrize("sampler", ["grid", "random"])
def test_a_trial_whose_process_was_killed_is_begun_again(
    stage: Stage, tmp_path: Path, sampler: str
) -> None:
    folder = search_folder(tmp_path, GRID, sampler=sampler)
    study = open_study(folder, Search.load(folder))
    killed = study.ask()
    killed.suggest_categorical("learning_rate", (0.1, 0.01))
    killed.suggest_categorical("batch_size", (8, 16, 32))
    gone = ProcessId(2**22 + 1, 1.0, ProcessId.of().host)
    killed.set_user_attr("process", gone.to_json())

    run.run_search(folder)

    assert {
        "learning_rate": stage.runs[0].learning_rate, "batch_size": stage.runs[0].batch_size,
    } == killed.params  # fmt: skip
    findings = read_findings(folder)
    assert len(findings.best) == 6
    assert 0 not in [trial.number for trial in findings.trials]


@pytest.mark.parametrize("twice", [False, True])
def test_a_grid_killed_in_its_last_trial_runs_that_trial(
    stage: Stage, tmp_path: Path, twice: bool
) -> None:
    folder = search_folder(tmp_path, GRID, sampler="grid")
    stage.stop_after = 5
    run.run_search(folder)
    assert stage.stop_after < len(stage.runs) == 6
    study = open_study(folder, Search.load(folder))
    last = study.ask()  # takes up the queued sixth, and then its process is killed
    last.set_user_attr("process", ProcessId(2**22 + 1, 1.0, ProcessId.of().host).to_json())
    if twice:  # killed once more while it recovers
        begin_again(study, study.get_trials(deepcopy=False)[last.number])
    stage.stop_after, stage.runs = 10_000, []

    assert run.run_search(folder) == "finished"

    assert len(stage.runs) == 1
    tried = {tuple(one.chosen.values()) for one in read_findings(folder).best}
    assert tried == {(rate, size) for rate in (0.1, 0.01) for size in (8, 16, 32)}


def test_a_full_disk_ends_the_search_and_costs_no_trial(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = search_folder(tmp_path, GRID, sampler="grid")

    def fill(*given: Any, **options: Any) -> str:  # noqa: ANN401
        if len(stage.runs) == 2:
            raise CoreError("The disk is full.") from OSError(errno.ENOSPC, "No space left")
        return stage.run(*given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(run, "run_training", fill)
        with pytest.raises(CoreError, match="disk is full"):
            run.run_search(folder)
    assert observe(folder).state == "failed"

    assert run.run_search(folder) == "finished"

    tried = {tuple(one.chosen.values()) for one in read_findings(folder).best}
    assert tried == {(rate, size) for rate in (0.1, 0.01) for size in (8, 16, 32)}


def test_trials_of_living_processes_and_other_machines_are_left_alone(
    stage: Stage, tmp_path: Path
) -> None:
    folder = search_folder(tmp_path, GRID, sampler="random")
    study = open_study(folder, Search.load(folder))
    for process in (ProcessId.of(), ProcessId(1, 1.0, "elsewhere")):
        trial = study.ask()
        trial.suggest_categorical("learning_rate", (0.1, 0.01))
        trial.set_user_attr("process", process.to_json())

    run.run_search(folder)

    states = [trial.state for trial in read_findings(folder).trials]
    assert states == ["running", "running"] + ["finished"] * 6


def test_machines_share_a_search_through_its_storage(stage: Stage, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    for machine in ("one", "two"):
        root = tmp_path / machine
        root.mkdir()
        folder = search_folder(root, GRID, sampler="random", storage=url, trials=4)
        run.run_search(folder)

    assert len(stage.runs) == 4  # the second found enough
    assert len(optuna.load_study(study_name="search", storage=url).trials) == 4


def test_a_storage_that_cannot_be_used_is_told(stage: Stage, tmp_path: Path) -> None:
    folder = search_folder(tmp_path, GRID, storage=f"sqlite:///{tmp_path}/no/such/folder.db")

    with pytest.raises(CoreError, match="cannot be used"):
        run.run_search(folder)

    assert observe(folder).state == "failed"
    assert "storage" in observe(folder).reason


def test_progress_counts_trials(stage: Stage, tmp_path: Path) -> None:
    folder = search_folder(tmp_path, GRID, sampler="grid")
    told: list[float] = []

    run.run_search(folder, on_progress=lambda progress: told.append(progress["share"]))

    assert told == [pytest.approx(done / 6) for done in range(7)]
    assert folder.progress()["best"] == pytest.approx(0.82)


def test_a_real_search_trains(
    stripes_data: TrainingData, tiny: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "training_data", lambda config: stripes_data)
    search = Search({"learning_rate": Choice((1e-6, 0.05))}, tiny, "grid", trials=2, pruner="none")
    folder = add_search(tmp_path, "search", search)

    run.run_search(folder)

    findings = read_findings(folder)
    values = [trial.value for trial in findings.trials]
    reached = [
        max(line["valid_accuracy"] for line in trial_folder(folder, number).history())
        for number in (0, 1)
    ]
    assert values == reached
    assert all(trial.epochs == 3 for trial in findings.trials)
