"""The training page searches: beginning one in place, best trials, what matters."""

from pathlib import Path

import optuna
import pytest
from training_pages import Opened, charts, labels, words

from core.training import (
    RunConfig,
    RunFolder,
    Search,
    add_search,
    observe,
)
from core.training.tuning.space import Choice, Space
from core.training.tuning.study import open_study


def test_a_search_is_started_with_the_settings_of_the_form(
    training_page: Opened, data: Path, own_runs: Path, workers: list[Path]
) -> None:
    app = training_page()
    app.number_input(key="set warmup").set_value(0.1).run()
    app.button_group(key="view").set_value("Search").run()
    assert "combinations in all" in words(app)
    assert "Every trial learns from **" in words(app)
    app.button_group(key="varied table3").set_value(["optimiser", "epochs"]).run()
    assert "12 combinations in all" in words(app)
    app.selectbox(key="sampler").set_value("grid")  # just before the click

    app.button(key="start search").click().run()

    folder = RunFolder(own_runs / "search-table3")
    search = Search.load(folder)
    assert (search.sampler, list(search.space)) == ("grid", ["optimiser", "epochs"])
    assert (search.base.warmup, search.base.data) == (0.1, "demo")
    assert observe(folder).state == "queued"
    assert workers == [own_runs]


def test_a_grid_of_ranges_is_refused_in_place(training_page: Opened, data: Path) -> None:
    app = training_page("Search")
    app.selectbox(key="space").set_value("recipe").run()

    app.selectbox(key="sampler").set_value("grid").run()

    assert "A grid needs lists" in words(app)
    assert "Start the search" not in labels(app)


@pytest.fixture
def searched(own_runs: Path) -> RunFolder:
    """A finished search with six trials of known goals; nothing is trained."""
    space: Space = {"batch_size": Choice((8, 16)), "learning_rate": Choice((0.1, 0.01, 0.001))}
    search = Search(space, RunConfig(data="demo"), "grid", trials=6)
    folder = add_search(own_runs, "search", search)
    study = open_study(folder, search)

    def goal(trial: optuna.Trial) -> float:
        rate = trial.suggest_categorical("learning_rate", (0.1, 0.01, 0.001))
        batch = trial.suggest_categorical("batch_size", (8, 16))
        trial.report(0.4, 1)
        return 0.5 + rate + batch / 1000

    study.optimize(goal, n_trials=6)
    folder.set_progress(done=6, trials=6, share=1.0, best=0.616)
    folder.set_status("finished")
    return folder


def test_a_search_shows_its_best_trials_and_what_matters(
    training_page: Opened, data: Path, searched: RunFolder
) -> None:
    app = training_page("Search")

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Trials done"] == "6 of 6"
    assert metrics["Best validation accuracy"] == "61.6 %"
    best = app.dataframe[0].value
    assert best["Validation accuracy %"].is_monotonic_decreasing
    assert (best["learning rate"][0], best["batch size"][0]) == ("0.1", "16")
    course, importance, lines = charts(app)
    assert max(course["data"][2]["y"]) == pytest.approx(0.616)
    assert sorted(importance["data"][0]["y"]) == ["batch size", "learning rate"]
    assert len(lines["data"][0]["dimensions"]) == 3

    app.button(key="use best").click().run()
    assert app.number_input(key="set learning_rate").value == 0.1
    assert app.text_input(key="run name").value == "search-best"
