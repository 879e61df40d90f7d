"""A search that several processes share: whose trials are whose, and what nobody runs twice."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from core.errors import TrainingError
from core.training import RunConfig, RunFolder, Search, add_search, read_findings, run_search
from core.training.tuning.search import Sampler
from core.training.tuning.space import Choice, Range, Space
from core.training.tuning.study import needless, open_study, recover, suggested

GRID: Space = {"learning_rate": Choice((0.1, 0.01)), "batch_size": Choice((8, 16, 32))}


def search_of(tmp_path: Path) -> Search:
    address = f"sqlite:///{tmp_path / 'shared.db'}"
    return Search(GRID, RunConfig(epochs=1), "grid", 6, "none", storage=address)


def study_of(tmp_path: Path) -> optuna.Study:
    return open_study(RunFolder(tmp_path / "search"), search_of(tmp_path))


@pytest.mark.parametrize(("shared", "state"), [(True, "RUNNING"), (False, "FAIL")])
def test_a_trial_just_begun_by_another_process_is_left_alone(
    tmp_path: Path, state: str, *, shared: bool
) -> None:
    study = study_of(tmp_path)
    study.ask()

    recover(study, shared=shared)

    assert study.trials[0].state.name == state


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "sampler"), [("journal", "random"), ("sqlite", "grid")])
def test_two_processes_finish_twenty_trials_and_none_is_run_twice(
    tmp_path: Path, kind: str, sampler: Sampler
) -> None:
    rates = tuple(0.01 * number for number in range(1, 11))
    grid: Space = {"learning_rate": Choice(rates), "batch_size": Choice((8, 16))}
    space: Space = grid if sampler == "grid" else {"learning_rate": Range(0.001, 0.9)}
    address = f"{kind}:///{tmp_path / 'shared'}"
    search = Search(space, RunConfig(epochs=1), sampler, 20, "none", storage=address)
    open_study(RunFolder(tmp_path / "search"), search)  # whose tables two must not make at once
    script, here = str(Path(__file__).with_name("search_worker.py")), Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(here), "OMP_NUM_THREADS": "1"}

    processes = [
        subprocess.Popen(
            [sys.executable, script, tmp_path / root, json.dumps(search.to_json())],
            env=environment,
        )
        for root in ("one", "two")
    ]

    assert [process.wait(500) for process in processes] == [0, 0]
    runs = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert len(runs) == 20
    assert len({(run["rate"], run["batch"]) for run in runs}) == 20
    assert len({run["trial"] for run in runs}) == 20
    findings = read_findings(RunFolder(tmp_path / "one" / "search"))
    assert [trial.state for trial in findings.trials] == ["finished"] * 20


def test_a_point_is_not_judged_before_those_begun_earlier_have_theirs(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    for _ in range(2):
        study.enqueue_trial({"learning_rate": 0.1, "batch_size": 8})
    first, second = study.ask(), study.ask()

    def choose(trial: optuna.Trial) -> None:
        [suggested(trial, name, one) for name, one in GRID.items()]

    choose(second)
    threading.Timer(0.5, choose, (first,)).start()

    assert needless(study, second, 6) == "twin"
    assert needless(study, first, 6) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"space": {"learning_rate": Choice((0.1, 0.01))}},
        {"base": RunConfig(epochs=2)},
        {"goal": "valid_macro_f1"},
    ],
    ids=["space", "base", "goal"],
)
def test_another_search_takes_no_trials_of_one_that_has_its_name(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    study_of(tmp_path).ask()
    other, root = replace(search_of(tmp_path), **changes), tmp_path / "other"

    with pytest.raises(TrainingError, match=r"trials of another search .* Choose another name"):
        run_search(RunFolder(root / "search"), other)
    assert not root.exists()

    queued = add_search(root, "search", other)
    with pytest.raises(TrainingError, match="trials of another search"):
        read_findings(queued)


def test_machines_join_a_search_wherever_their_data_lie_and_whatever_they_train_on(
    tmp_path: Path,
) -> None:
    search = search_of(tmp_path)
    for machine, base in (
        ("one", search.base.replaced(data="/disk/fer")),
        ("two", search.base.replaced(data="fer", accelerator="cpu", precision="32-true")),
    ):
        joined = replace(search, base=base, trials=9)
        open_study(RunFolder(tmp_path / machine / "search"), joined).ask()

    assert len(optuna.load_study(study_name="search", storage=search.storage).trials) == 2


def test_a_study_of_an_earlier_version_is_gone_on_with_but_not_begun_with(tmp_path: Path) -> None:
    search = search_of(tmp_path)
    optuna.create_study(storage=search.storage, study_name="search", direction="maximize").ask()
    begun, new = (RunFolder(tmp_path / name / "search") for name in ("begun", "new"))
    begun.path.mkdir(parents=True)
    begun.set_progress(done=1, trials=6, share=1 / 6)

    with pytest.raises(TrainingError, match=r"earlier version's search .* Choose another name"):
        open_study(new, search)
    assert len(open_study(begun, search).trials) == 1
    assert len(open_study(new, search).trials) == 1  # by now the study says whose it is


def test_a_study_without_trials_is_anyones(tmp_path: Path) -> None:
    search = search_of(tmp_path)
    study_of(tmp_path)
    other = replace(search, goal="valid_macro_f1")
    open_study(RunFolder(tmp_path / "other" / "search"), other).ask()

    with pytest.raises(TrainingError, match="another search"):
        study_of(tmp_path)
