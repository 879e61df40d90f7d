"""The training page: the form and its errors, runs and their curves, comparison, searches."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from streamlit.testing.v1 import AppTest

from core.data import prepare
from core.training import (
    RunConfig,
    RunFolder,
    Search,
    WorkerLock,
    add_run,
    observe,
    preset,
    run_settings,
)
from core.training.process import ProcessId
from core.training.tuning.search import add_search
from core.training.tuning.space import Choice, Space
from core.training.tuning.study import open_study

PAGE = "../pages/training.py"
TINY = {"depth": 2, "width": 4}
Opened = Callable[..., AppTest]


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the prepared demo."""
    root = tmp_path_factory.mktemp("drawings")
    prepare(["demo"], root / "demo", workers=1)
    return root


@pytest.fixture
def data(drawings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIMEFIVE_DATA", str(drawings))
    return drawings


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Roots for which a worker was asked for; none is started."""
    asked: list[Path] = []
    monkeypatch.setattr("webapp.training.actions.ensure_worker", asked.append)
    return asked


@pytest.fixture
def opened(app: AppTest, workers: list[Path]) -> Opened:
    def open_page(view: str = "", **query: str) -> AppTest:
        app.run()
        for key, value in query.items():
            app.query_params[key] = value
        app.switch_page(PAGE).run()
        if view:
            app.button_group(key="view").set_value(view).run()
        assert not app.exception
        return app

    return open_page


def trained(
    root: Path,
    name: str,
    *accuracies: float,
    state: str = "finished",
    **changes: Any,  # noqa: ANN401
) -> RunFolder:
    """A run with these epochs; nothing is trained."""
    folder = RunFolder(root / name)
    config = RunConfig(data="demo", epochs=5, model_options=TINY).replaced(**changes)
    folder.create(config)
    for epoch, accuracy in enumerate(accuracies, start=1):
        folder.append_metrics(
            {
                "epoch": epoch, "train_loss": 2.0 - accuracy, "train_accuracy": accuracy / 2,
                "seconds": 60.0, "faces_per_second": 100.0, "input_share": 0.02,
                "valid_loss": 1.9 - accuracy, "valid_accuracy": accuracy,
                "valid_macro_f1": accuracy / 3, "learning_rate": 0.1 / epoch, "side": 64,
            }
        )  # fmt: skip
        folder.append_step({"at": epoch, "loss": 1.5 - accuracy, "learning_rate": 0.1 / epoch})
    folder.set_status(state, "for a reason" if state == "failed" else "")
    return folder


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success]
    return "\n".join(part.value for part in parts)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_without_data_it_says_where_to_get_some(opened: Opened) -> None:
    app = opened()

    assert "no prepared data set" in app.info[0].value
    assert "Start" not in labels(app)


def test_the_form_holds_the_preset(opened: Opened, data: Path) -> None:
    app = opened()
    app.selectbox(key="preset set").set_value("fer2013").run()
    app.selectbox(key="preset row").set_value("resnet18").run()
    app.selectbox(key="preset recipe").set_value("paper").run()

    wanted = preset("fer2013-resnet18-paper")
    assert app.selectbox(key="set model").value == "resnet18"
    assert app.selectbox(key="set split").value == "published"
    assert app.number_input(key="set learning_rate").value == wanted.learning_rate
    assert app.number_input(key="set epochs").value == 80
    assert app.toggle(key="set decay_all").value is True
    assert app.number_input(key="set augment.rotation").value == 0
    assert app.session_state["run name"] == "fer2013-resnet18-paper"
    assert "Not prepared here: FER2013" in words(app)


def test_every_setting_has_a_field(opened: Opened, data: Path) -> None:
    app = opened()

    fields = [*app.number_input, *app.selectbox, *app.toggle, *app.multiselect, *app.text_input]
    shown = {field.key.removeprefix("set ") for field in fields if field.key}
    assert {setting.name for setting in run_settings()} <= shown
    for option in ("depth", "fc_depth", "head_dropout", "batch_norm", "pooling"):
        assert f"model_options.{option}" in shown


def test_errors_stand_beside_their_fields_and_forbid_the_start(opened: Opened, data: Path) -> None:
    app = opened()
    app.number_input(key="set epochs").set_value(0)
    app.number_input(key="set augment.flip").set_value(2.0).run()

    text = words(app)
    assert ":red[epochs is 0; expected a number from 1 to 10000.]" in text
    assert ":red[augment.flip is 2.0; expected a number from 0 to 1.]" in text
    assert "2 settings must be changed" in text
    assert "Start" not in labels(app)

    app.number_input(key="set epochs").set_value(3)
    app.number_input(key="set augment.flip").set_value(0.5).run()
    assert ":red[" not in words(app)
    assert "Start" in labels(app)


def test_options_outside_a_networks_range_are_told(opened: Opened, data: Path) -> None:
    app = opened()

    app.number_input(key="set model_options.depth").set_value(9).run()

    assert "GiMEFiVE got depth 9" in words(app)
    assert "Start" not in labels(app)


def test_numbers_leaks_and_layers_are_shown(opened: Opened, data: Path) -> None:
    app = opened()

    text = words(app)
    found = re.search(r"(\d+) training pictures, (\d+) for validation, 180 for the test", text)
    assert found is not None
    assert int(found[1]) + int(found[2]) == 720
    assert "No leak" in text
    assert "10,478,086 parameters" in text

    app.toggle(key="layers").set_value(True).run()
    assert app.dataframe[0].value["Parameters"].sum() == 10_478_086


def test_a_split_with_copies_across_parts_is_said_to_leak(
    opened: Opened, drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(drawings / "demo", tmp_path / "data" / "demo")
    folder = tmp_path / "data" / "demo"
    manifest = (folder / "manifest.csv").read_text().splitlines()
    columns = manifest[0].split(",")
    group, split = columns.index("group"), columns.index("split")
    rows = [line.split(",") for line in manifest[1:]]
    for name in ("train", "test"):  # one of each becomes a copy of the other
        next(row for row in rows if row[split] == name)[group] = "77"
    (folder / "manifest.csv").write_text("\n".join([manifest[0], *(",".join(r) for r in rows)]))
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))

    app = opened()
    app.selectbox(key="set split").set_value("published").run()

    assert "1 test picture has a copy among the training pictures" in words(app)
    assert "not enough pictures" in words(app)  # the drawings have no published validation part
    assert "Start" not in labels(app)


def test_the_time_is_told_from_a_run_of_equal_settings(
    opened: Opened, data: Path, own_runs: Path
) -> None:
    trained(own_runs, "former", 0.5, 0.6, model_options={}, batch_size=64)
    app = opened("New run")

    found = re.search(r"About \*\*(.+?)\*\* for 50 epochs: 100 faces a second, as in run former",
                      words(app))  # fmt: skip

    assert found is not None
    # 10 steps of 64: 640 x (30 + 20 x 0.75 squared) faces, and 50 x 76 / 3 of validation: 27,667
    assert found[1] == "4 min 37 s"


def test_starting_queues_a_run_and_turns_to_it(
    opened: Opened, data: Path, own_runs: Path, workers: list[Path]
) -> None:
    app = opened()
    app.number_input(key="set epochs").set_value(2)
    app.number_input(key="set model_options.depth").set_value(3)
    app.text_input(key="run name").set_value("mine").run()

    app.button(key="start").click().run()

    config = RunFolder(own_runs / "mine").config()
    assert (config.epochs, config.model_options, config.data) == (2, {"depth": 3}, "demo")
    assert observe(RunFolder(own_runs / "mine")).state == "queued"
    assert workers == [own_runs]
    assert app.button_group(key="view").value == "Runs"
    assert app.selectbox(key="run").value == "mine"
    assert "Waiting for its turn" in words(app)


def test_adding_to_the_queue_starts_no_worker(
    opened: Opened, data: Path, own_runs: Path, workers: list[Path]
) -> None:
    app = opened()

    app.button(key="add to queue").click().run()

    assert observe(RunFolder(own_runs / "rafdb-gimefive-modern")).state == "queued"
    assert workers == []
    assert "Nobody works on the queue; 1 job waiting" in words(app)
    app.button(key="work").click().run()
    assert workers == [own_runs]


@pytest.mark.parametrize("name", ["", "../outside", "former"])
def test_a_name_that_cannot_be_forbids_the_start(
    opened: Opened, data: Path, own_runs: Path, name: str
) -> None:
    trained(own_runs, "former", 0.5)
    app = opened("New run")

    app.text_input(key="run name").set_value(name).run()

    assert app.button(key="start").disabled
    assert ":red[" in words(app)


def test_the_next_free_name_is_proposed(opened: Opened, data: Path, own_runs: Path) -> None:
    trained(own_runs, "rafdb-gimefive-modern", 0.5)

    app = opened("New run")

    assert app.text_input(key="run name").value == "rafdb-gimefive-modern-2"


def test_a_finished_run_shows_its_curves_and_figures(opened: Opened, own_runs: Path) -> None:
    trained(own_runs, "done", 0.3, 0.6, 0.45)

    app = opened()

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Epochs done"] == "3 of 5"
    assert metrics["Best validation accuracy, epoch 2"] == "60.0 %"
    assert metrics["Time taken"] == "3 min"
    losses, accuracies, batches, rates = charts(app)
    assert losses["data"][0]["y"] == [1.7, 1.4, 1.55]
    assert accuracies["data"][1]["y"] == [0.3, 0.6, 0.45]
    assert batches["data"][0]["y"] == pytest.approx([1.2, 0.9, 1.05])
    assert rates["data"][0]["x"] == [1, 2, 3]
    assert "Resume" not in labels(app)


def test_a_running_run_shows_where_it_is(opened: Opened, own_runs: Path) -> None:
    import time

    folder = trained(own_runs, "now", 0.3, state="running")
    folder.set_progress(
        epoch=2, epochs=5, step=7, steps=10, share=0.34, faces_per_second=123.4, eta_seconds=4805,
        time=time.time(),
    )  # fmt: skip

    app = opened()

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Faces a second"] == "123"
    assert metrics["Time left"] == "1 h 20 min"
    assert "Stop" in labels(app)
    assert "Resume" not in labels(app)

    app.button(key="stop").click().run()
    assert folder.stop_request.exists()


def test_a_failed_run_gives_its_reason_and_can_be_resumed(
    opened: Opened, own_runs: Path, workers: list[Path]
) -> None:
    folder = trained(own_runs, "broken", 0.3, state="failed")
    app = opened()
    assert "for a reason" in [error.value for error in app.error]

    app.button(key="resume").click().run()

    assert observe(folder).state == "queued"
    assert workers == [own_runs]


def test_a_run_whose_process_is_gone_is_interrupted(opened: Opened, own_runs: Path) -> None:
    folder = trained(own_runs, "gone", 0.3)
    folder.set_status("running", **ProcessId(2**22 + 1, 1.0, ProcessId.of().host).to_json())

    app = opened()

    assert "process is gone" in words(app)
    assert {"Stop", "Resume"} <= set(labels(app))


def test_deleting_asks_first(opened: Opened, own_runs: Path) -> None:
    folder = trained(own_runs, "old", 0.3)
    trained(own_runs, "other", 0.3)
    app = opened(run="old")
    assert folder.path.exists()

    app.button(key="delete").click().run()

    assert not folder.path.exists()
    assert app.selectbox(key="run").options == ["other"]


def test_a_link_leads_to_its_run(opened: Opened, own_runs: Path) -> None:
    for name in ("first", "second"):
        trained(own_runs, name, 0.3)

    assert opened(run="first").selectbox(key="run").value == "first"


def test_settings_of_a_run_fill_the_form(opened: Opened, data: Path, own_runs: Path) -> None:
    trained(own_runs, "former", 0.3, learning_rate=0.02, sources=("demo",))
    app = opened()

    app.button(key="reuse").click().run()

    assert app.button_group(key="view").value == "New run"
    assert app.number_input(key="set learning_rate").value == 0.02
    assert app.number_input(key="set model_options.depth").value == 2
    assert app.multiselect(key="set sources").value == ["demo"]
    assert app.text_input(key="run name").value == "former-2"


def test_a_worker_that_was_killed_is_started_again(
    opened: Opened, own_runs: Path, workers: list[Path]
) -> None:
    lock = WorkerLock(own_runs)
    lock.folder.mkdir()
    lock.path.write_text('{"pid": 1, "state": "working"}')

    opened()

    assert workers
    assert set(workers) == {own_runs}


def test_runs_are_laid_over_each_other_and_their_settings_compared(
    opened: Opened, own_runs: Path
) -> None:
    trained(own_runs, "a", 0.3, 0.6)
    trained(own_runs, "b", 0.4, 0.5, learning_rate=0.01, model_options={"depth": 3, "width": 4})

    app = opened("Compare")

    assert app.multiselect(key="runs").value == ["b", "a"]
    (figure,) = charts(app)
    assert {line["name"]: line["y"] for line in figure["data"]} == {
        "a": [0.3, 0.6],
        "b": [0.4, 0.5],
    }
    best, table = (one.value for one in app.dataframe)
    assert best["Validation accuracy"].tolist() == [0.5, 0.6]
    assert table.set_index("Setting").T.to_dict("list") == {
        "learning_rate": ["0.01", "0.05"], "model_options.depth": ["3", "2"],
    }  # fmt: skip

    app.selectbox(key="figure").set_value("valid_loss").run()
    assert charts(app)[0]["data"][1]["y"] == pytest.approx([1.6, 1.3])


def test_one_run_cannot_be_compared(opened: Opened, own_runs: Path) -> None:
    trained(own_runs, "a", 0.3)

    assert "Two runs" in words(opened("Compare"))


def test_a_search_is_started_with_the_settings_of_the_form(
    opened: Opened, data: Path, own_runs: Path, workers: list[Path]
) -> None:
    app = opened()
    app.number_input(key="set warmup").set_value(0.1).run()
    app.button_group(key="view").set_value("Search").run()
    assert "combinations in all" in words(app)
    app.multiselect(key="varied table3").set_value(["optimiser", "epochs"]).run()
    assert "12 combinations in all" in words(app)
    app.selectbox(key="sampler").set_value("grid").run()

    app.button(key="start search").click().run()

    folder = RunFolder(own_runs / "search-table3")
    search = Search.load(folder)
    assert (search.sampler, list(search.space)) == ("grid", ["optimiser", "epochs"])
    assert (search.base.warmup, search.base.data) == (0.1, "demo")
    assert observe(folder).state == "queued"
    assert workers == [own_runs]


def test_a_grid_of_ranges_is_refused_in_place(opened: Opened, data: Path) -> None:
    app = opened("Search")
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
    opened: Opened, data: Path, searched: RunFolder
) -> None:
    app = opened("Search")

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Trials done"] == "6 of 6"
    assert metrics["Best validation accuracy"] == "61.6 %"
    best = app.dataframe[0].value
    assert best["Validation accuracy"].is_monotonic_decreasing
    assert (best["learning rate"][0], best["batch size"][0]) == ("0.1", "16")
    course, importance, lines = charts(app)
    assert max(course["data"][2]["y"]) == pytest.approx(0.616)
    assert sorted(importance["data"][0]["y"]) == ["batch size", "learning rate"]
    assert len(lines["data"][0]["dimensions"]) == 3

    app.button(key="use best").click().run()
    assert app.number_input(key="set learning_rate").value == 0.1
    assert app.text_input(key="run name").value == "search-best"


def test_a_server_for_looking_only_starts_and_stops_nothing(
    opened: Opened, data: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")
    trained(own_runs, "done", 0.3)
    add_run(own_runs, "waits", RunConfig(data="demo"))
    for view in ("Runs", "New run", "Compare", "Search"):
        app = opened(view)

        assert "read-only" in words(app)
        forbidden = {"Start", "Add to queue", "Stop", "Resume", "Work on the queue",
                     "Delete for good", "Start the search", "Measure the speed here"}  # fmt: skip
        assert forbidden.isdisjoint(labels(app))


def test_actions_refuse_on_a_server_for_looking_only(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a browser may send: the buttons are not the lock."""
    from webapp.training import actions

    folder = trained(own_runs, "done", 0.3)
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")

    actions.delete(folder)
    actions.start("new", RunConfig(), now=True)

    assert [path.name for path in own_runs.iterdir()] == ["done"]
